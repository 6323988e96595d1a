"""Statistics on plain arrays: log-space means, the jackknife, rank tests, false discovery rates."""
