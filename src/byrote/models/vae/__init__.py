"""Variational auto-encoders."""

from byrote.models.vae.scoring import ImportanceSampling
from byrote.models.vae.vae import VAE

__all__ = ["VAE", "ImportanceSampling"]
