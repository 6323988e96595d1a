"""The density-model contract, and the built-in models."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byrote.models.diffusion import Diffusion
    from byrote.models.external import Command
    from byrote.models.flows import Dequantized, Flow
    from byrote.models.language.causal import CausalLM
    from byrote.models.language.char_lstm import CharLSTM
    from byrote.models.laplace_histogram import LaplaceHistogram
    from byrote.models.privacy import DP, DPGuarantee
    from byrote.models.samples.from_samples import FromSamples
    from byrote.models.vae import VAE, ImportanceSampling

_MODULES = {
    "CausalLM": "byrote.models.language.causal",
    "CharLSTM": "byrote.models.language.char_lstm",
    "Command": "byrote.models.external",
    "DP": "byrote.models.privacy",
    "DPGuarantee": "byrote.models.privacy",
    "Dequantized": "byrote.models.flows",
    "Diffusion": "byrote.models.diffusion",
    "Flow": "byrote.models.flows",
    "FromSamples": "byrote.models.samples.from_samples",
    "ImportanceSampling": "byrote.models.vae",
    "LaplaceHistogram": "byrote.models.laplace_histogram",
    "VAE": "byrote.models.vae",
}
__all__ = [
    "DP",
    "VAE",
    "CausalLM",
    "CharLSTM",
    "Command",
    "DPGuarantee",
    "Dequantized",
    "Diffusion",
    "Flow",
    "FromSamples",
    "ImportanceSampling",
    "LaplaceHistogram",
]


def __getattr__(name: str) -> Any:  # PyTorch loads when a model needs it, not with byrote
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
