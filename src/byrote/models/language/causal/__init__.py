"""Causal language models of the transformers library, fine-tuned or trained from scratch."""

from byrote.models.language.causal.causal_lm import CausalLM

__all__ = ["CausalLM"]
