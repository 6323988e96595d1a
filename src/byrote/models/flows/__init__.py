"""Normalizing flows."""

from byrote.models.flows.flow import Flow

__all__ = ["Flow"]
