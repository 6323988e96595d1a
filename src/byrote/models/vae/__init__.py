"""Variational auto-encoders."""

from byrote.models.vae.estimator import VAE

__all__ = ["VAE"]
