"""Memorization scores of records, and their statistics."""
