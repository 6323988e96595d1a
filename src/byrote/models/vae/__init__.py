"""Variational auto-encoders."""

from byrote.models.vae.estimator import VAE
from byrote.models.vae.scoring import ImportanceSampling

__all__ = ["VAE", "ImportanceSampling"]
