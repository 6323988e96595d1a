"""What can be trained: the contract for density models, and built-in ones."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byrote.models.vae import VAE

__all__ = ["VAE"]


def __getattr__(name: str) -> Any:  # PyTorch loads when a model needs it, not with byrote
    if name == "VAE":
        from byrote.models.vae import VAE  # noqa: PLC0415

        return VAE
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
