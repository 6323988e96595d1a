"""What can be trained: the contract for density models, and built-in ones."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byrote.models.vae import VAE, ImportanceSampling

__all__ = ["VAE", "ImportanceSampling"]


def __getattr__(name: str) -> Any:  # PyTorch loads when a model needs it, not with byrote
    if name in __all__:
        from byrote.models import vae  # noqa: PLC0415

        return getattr(vae, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
