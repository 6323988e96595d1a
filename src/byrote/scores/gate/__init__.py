"""Gate: whether a run stays within thresholds, for pipelines and for those who sign."""
