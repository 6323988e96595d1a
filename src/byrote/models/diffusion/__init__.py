"""Diffusion models."""

from byrote.models.diffusion.diffusion import Diffusion

__all__ = ["Diffusion"]
