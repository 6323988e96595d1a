"""Log-probabilities by a causal network in evaluation mode, without gradients."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.errors import InvalidInput
from byrote.models.torch_utils import flushed_denormals

LOGITS = 2**23  # largest number in a forward pass: memory of a batch


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Run a block in evaluation mode without gradients, then restore each module's mode."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.no_grad(), flushed_denormals():
            yield
    finally:
        for module in training:
            module.training = True


def log_probs_at(model: Any, ids: Tensor, positions: Tensor, **options: Any) -> tuple[Tensor, Any]:
    """Log-probabilities after one position of each row, (n, V) float64 nats, and all outputs.

    ``ids`` are (n, length) tokens, with any padding after a row's position. The network's head, its
    largest matrix, gets those positions alone.
    """
    rows = torch.arange(len(ids), device=ids.device)
    with _head_reads(model, lambda hidden: hidden[rows, positions].unsqueeze(1)):
        output = model(input_ids=ids, **options)
    logits = output.logits
    last = logits[:, 0] if logits.shape[1] == 1 else logits[rows, positions]
    return log_softmax(last), output


@contextmanager
def _head_reads(model: Any, select: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Give the network's head a selection of the hidden states, (n, length, width), in a block."""

    def before(module: Any, args: tuple[Any, ...]) -> Any:
        del module
        return (select(args[0]), *args[1:]) if args else None

    head = model.get_output_embeddings()
    hook = None if head is None else head.register_forward_pre_hook(before)
    try:
        yield
    finally:
        if hook is not None:
            hook.remove()


def log_softmax(logits: Tensor) -> Tensor:
    """Compute the log-softmax in double precision, refusing NaN."""
    return _checked(torch.log_softmax(logits.double(), dim=-1))


def log_probs_of(tokens: Tensor, logits: Tensor) -> Tensor:
    """Compute log p of a token for each row, (n,) and (n, V), as ``log_softmax`` does."""
    return _checked(-torch.nn.functional.cross_entropy(logits.double(), tokens, reduction="none"))


def _checked(nats: Tensor) -> Tensor:
    if torch.isnan(nats).any():
        raise InvalidInput(
            "model must give probabilities; it gives NaN, as after training that diverged"
        )
    return nats


def padded(rows: list[list[int]], device: Any) -> Tensor:
    """Return token lists as one matrix, padded with zeros."""
    longest = max(map(len, rows))
    return torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=device)


def attention_mask(lengths: list[int], device: Any) -> Tensor | None:
    """Return 1 where a row has a token; None if all rows are equally long."""
    longest = max(lengths)
    if min(lengths) == longest:
        return None
    positions = torch.arange(longest, device=device)
    return (positions < torch.tensor(lengths, device=device)[:, None]).long()


def device_of(model: Any) -> Any:
    """Return the device of the network's first weights."""
    return next(model.parameters()).device


def context_of(model: Any) -> int | None:
    """Return the number of tokens that the network can read, if its configuration states it."""
    value = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return int(value) if isinstance(value, int) and value > 0 else None


def next_log_probs(model: Any, prefixes: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Compute log-probabilities, (n, V) nats, of the token after each prefix."""
    device = device_of(model)
    all_nats = np.empty((len(prefixes), model.config.get_text_config().vocab_size))
    order = sorted(range(len(prefixes)), key=lambda row: len(prefixes[row]))
    size = max(min(LOGITS // all_nats.shape[1], 1024), 1)
    with evaluating(model):
        for at in range(0, len(order), size):
            rows = order[at : at + size]
            ids = [list(prefixes[row]) for row in rows]
            lengths = [len(row) for row in ids]
            last = torch.tensor(lengths, device=device) - 1
            options = {"attention_mask": attention_mask(lengths, device), "use_cache": False}
            nats, _ = log_probs_at(model, padded(ids, device), last, **options)
            all_nats[rows] = nats.cpu().numpy()
    return all_nats


def continuation_log_probs(
    model: Any, rows: NDArray[np.integer], predicted: int
) -> NDArray[np.float64]:
    """Compute log-probabilities, (n, predicted, V) nats, at the last tokens of rows, (n, length).

    Each is that of a token after all before it, from one pass.
    """
    ids = torch.from_numpy(np.asarray(rows[:, :-1], dtype=np.int64)).to(device_of(model))
    with evaluating(model), _head_reads(model, lambda hidden: hidden[:, -predicted:]):
        logits = model(input_ids=ids, use_cache=False).logits[:, -predicted:]
        return np.asarray(log_softmax(logits).cpu().numpy())
