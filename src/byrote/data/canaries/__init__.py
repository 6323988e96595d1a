"""Canaries: texts with a secret in them, and the format of all possible secrets."""

from byrote.data.canaries.canary import Canary
from byrote.data.canaries.format import Format

__all__ = ["Canary", "Format"]
