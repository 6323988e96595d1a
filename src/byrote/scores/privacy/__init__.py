"""Privacy: guarantees, lower bounds on epsilon, membership inference, and evidence of runs."""
