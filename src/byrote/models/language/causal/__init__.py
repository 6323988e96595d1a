"""Causal language models of the Hugging Face library, fine-tuned or trained from scratch."""

from byrote.models.language.causal.estimator import CausalLM

__all__ = ["CausalLM"]
