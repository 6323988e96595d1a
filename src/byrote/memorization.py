"""Memorization scores in detail: where a record stands among its peers."""

from byrote.scores.memorization.percentiles import RecordPercentiles, record_percentiles

__all__ = [
    "RecordPercentiles",
    "record_percentiles",
]
