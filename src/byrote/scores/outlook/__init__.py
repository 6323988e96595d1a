"""What a plan costs and what it can find, before it runs."""
