"""Normalizing flows."""

from byrote.models.flows.dequantized import Dequantized
from byrote.models.flows.flow import Flow

__all__ = ["Dequantized", "Flow"]
