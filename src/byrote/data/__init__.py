"""Records in: arrays, tables, images and built-in sets, read from files into `Records`."""

from byrote.data.loading import load
from byrote.data.records import Records

__all__ = ["Records", "load"]
