"""Statistics on arrays: estimates, rank tests, multiple testing, audits, nearest neighbours."""
