"""Log-probabilities by a causal network in evaluation mode, without gradients."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.errors import InvalidInput
from byrote.models.torch_utils import flushed_denormals

LOGITS = 2**23  # largest number in a forward pass: memory of a batch
_DOUBLE_LOGITS = 2**21  # converted to double precision together


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
    nats = torch.log_softmax(logits.double(), dim=-1)
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


@dataclass(frozen=True)
class Piece:
    """Tokens read together, of which those from ``first`` on are scored."""

    text: int
    ids: list[int]
    first: int


def pieces(text: int, ids: list[int], context: int, first: int = 1) -> Iterator[Piece]:
    """Yield pieces of a text of at most ``context`` + 1 tokens, each token from ``first`` on once.

    Pieces of a longer text overlap, so that every token of the later ones has at least half of the
    context before it.
    """
    end = min(len(ids), context + 1)
    if end > first:
        yield Piece(text, ids[:end], first)
    while end < len(ids):
        begin, end = end, min(end + max(context // 2, 1), len(ids))
        low = max(end - context - 1, 0)
        yield Piece(text, ids[low:end], begin - low)


def log_probs(
    model: Any, texts: Sequence[Sequence[int]], start: tuple[int, ...], context: int
) -> NDArray[np.float64]:
    """Compute the log-likelihood of each text after the start, (n,) nats, in double precision."""
    totals = np.zeros(len(texts))
    all_pieces = [
        piece
        for number, ids in enumerate(texts)
        for piece in pieces(number, [*start, *ids], context, max(len(start), 1))
    ]
    with evaluating(model):
        for batch in _batches(all_pieces, model.config.get_text_config().vocab_size):
            np.add.at(totals, [piece.text for piece in batch], _piece_log_probs(model, batch))
    return totals


def _batches(all_pieces: list[Piece], vocabulary: int) -> Iterator[list[Piece]]:
    """Yield pieces of similar length together, within ``LOGITS``."""
    batch: list[Piece] = []
    for piece in sorted(all_pieces, key=lambda piece: -len(piece.ids)):  # the longest comes first
        if batch and (len(batch) + 1) * len(batch[0].ids) * vocabulary > LOGITS:
            yield batch
            batch = []
        batch.append(piece)
    if batch:
        yield batch


def _piece_log_probs(model: Any, batch: list[Piece]) -> NDArray[np.float64]:
    device = device_of(model)
    lengths = [len(piece.ids) - 1 for piece in batch]
    inputs = padded([piece.ids[:-1] for piece in batch], device)
    mask = attention_mask(lengths, device)
    logits = model(input_ids=inputs, attention_mask=mask, use_cache=False).logits
    counts = np.array([len(piece.ids) - piece.first for piece in batch], dtype=np.intp)
    rows = np.repeat(np.arange(len(batch)), counts)
    positions = np.concatenate(
        [np.arange(piece.first - 1, length) for piece, length in zip(batch, lengths, strict=True)]
    )
    targets = [token for piece in batch for token in piece.ids[piece.first :]]
    scores = np.empty(len(targets), dtype=np.float64)
    size = max(_DOUBLE_LOGITS // logits.shape[-1], 1)
    for at in range(0, len(targets), size):
        part = slice(at, at + size)
        nats = log_softmax(logits[rows[part], positions[part]])
        index = torch.tensor(targets[part], device=device)[:, None]
        scores[part] = nats.gather(1, index)[:, 0].cpu().numpy()
    begins: NDArray[np.intp] = np.cumsum(counts) - counts
    return np.add.reduceat(scores, begins)


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
