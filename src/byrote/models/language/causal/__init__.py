"""Causal language models of the Hugging Face library, as one of byrote's own models."""

from byrote.models.language.causal.estimator import CausalLM

__all__ = ["CausalLM"]
