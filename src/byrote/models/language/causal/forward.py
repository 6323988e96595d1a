"""The network, asked without being changed: evaluation mode, no gradients, all put back after."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from byrote.errors import InvalidInput
from byrote.models.torch_state import flushed_denormals

LOGITS = 2**23  # how many a forward pass may give at once: memory of a batch


@contextmanager
def asked(model: Any) -> Iterator[None]:
    """Evaluation mode without gradients; each module's own mode is put back."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.no_grad(), flushed_denormals():
            yield
    finally:
        for module in training:
            module.training = True


def run(model: Any, ids: Tensor, positions: Tensor, **more: Any) -> tuple[Tensor, Any]:
    """Log-probabilities after one position of each row, (n, V) float64 nats, and all else.

    The network's head, its largest matrix, sees those positions alone.

    Parameters
    ----------
    ids
        (n, length) tokens, anything behind a row's position.
    positions
        (n,) of the token after which to ask.
    """
    rows = torch.arange(len(ids), device=ids.device)

    def select(module: Any, given: tuple[Any, ...]) -> Any:
        del module
        return (given[0][rows, positions].unsqueeze(1), *given[1:]) if given else None

    head = model.get_output_embeddings()
    hook = None if head is None else head.register_forward_pre_hook(select)
    try:
        output = model(input_ids=ids, **more)
    finally:
        if hook is not None:
            hook.remove()
    logits = output.logits
    last = logits[:, 0] if logits.shape[1] == 1 else logits[rows, positions]
    return log_softmax(last), output


def log_softmax(logits: Tensor) -> Tensor:
    """In double precision.

    Raises
    ------
    InvalidInput
        If the network gives NaN, as after training that diverged.
    """
    found = torch.log_softmax(logits.double(), dim=-1)
    if torch.isnan(found).any():
        raise InvalidInput(
            "model must give probabilities; it gives NaN, as after training that diverged"
        )
    return found


def padded(rows: list[list[int]], device: Any) -> Tensor:
    """Token lists as one matrix, zeros behind the shorter ones."""
    longest = max(map(len, rows))
    return torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=device)


def mask(lengths: list[int], device: Any) -> Tensor | None:
    """1 where a row has a token of its own; nothing where all are as long."""
    longest = max(lengths)
    if min(lengths) == longest:
        return None
    places = torch.arange(longest, device=device)
    return (places < torch.tensor(lengths, device=device)[:, None]).long()


def device_of(model: Any) -> Any:
    """Where the network's first weights are."""
    return next(model.parameters()).device


def context_of(model: Any) -> int | None:
    """How many tokens the network can read, where it says so."""
    value = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return int(value) if isinstance(value, int) and value > 0 else None
