"""Studies of what stops memorization: one data set audited again, one change at a time."""
