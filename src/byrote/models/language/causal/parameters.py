"""Checks of a CausalLM's parameters and texts, before any work."""

from collections.abc import Sequence
from typing import Any

from byrote import checks
from byrote.errors import InvalidInput
from byrote.models.language.causal.inference import context_of

FROM_SCRATCH, FINE_TUNING = 1e-3, 5e-5  # learning rates that suit most networks


def check_parameters(model: Any) -> None:
    """Refuse unusable parameters, reading no file; numbers of NumPy become Python's own."""
    if (model.path is None) == (model.config is None):
        got = "neither" if model.path is None else "both"
        raise InvalidInput(
            "CausalLM needs path, a trained model's folder, or config, to train from scratch;"
            f" got {got}"
        )
    for name in ("epochs", "batch_size", "window"):
        setattr(model, name, checks.integer(name, getattr(model, name), at_least=1))
    model.random_state = checks.integer("random_state", model.random_state, at_least=0)
    if model.report_every is not None:
        model.report_every = checks.integer("report_every", model.report_every, at_least=1)
    if model.learning_rate is not None:
        model.learning_rate = checks.positive("learning_rate", model.learning_rate)
    model.weight_decay = checks.not_negative("weight_decay", model.weight_decay)
    model.shuffle = checks.flag("shuffle", model.shuffle)


def remedy(model: Any) -> str:
    """Remedy for a training that diverged."""
    return f"lower learning_rate={learning_rate(model)}"


def check_window(window: int, network: Any) -> None:
    """Refuse a window longer than the network's context."""
    context = context_of(network)
    if context is not None and window > context:
        raise InvalidInput(
            f"window must be at most {context}, the tokens that the network reads; got {window}"
        )


def check_texts(X: Any) -> Sequence[str]:
    """Return a sequence of texts, refusing anything else."""
    if isinstance(X, str | bytes) or not hasattr(X, "__len__"):
        raise InvalidInput(f"X must be a sequence of texts; got {type(X).__name__}")
    for row, text in enumerate(X):
        if not isinstance(text, str):
            raise InvalidInput(f"X must hold texts; got {type(text).__name__} in row {row}")
    return X


def learning_rate(model: Any) -> float:
    """The learning rate, by default that of fine-tuning or of training from scratch."""
    if model.learning_rate is not None:
        return float(model.learning_rate)
    return FROM_SCRATCH if model.path is None else FINE_TUNING
