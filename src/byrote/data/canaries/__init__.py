"""Canaries: texts with a secret in them, and the format that says what else it could have been."""

from byrote.data.canaries.canary import Canary
from byrote.data.canaries.format import Format

__all__ = ["Canary", "Format"]
