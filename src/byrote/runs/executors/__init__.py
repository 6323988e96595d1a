"""Executors of fits: in process, worker processes, Ray, or a user's own."""
