"""Private training: every window of the text is a record, and its gradient is clipped."""
