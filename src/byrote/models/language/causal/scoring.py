"""Log-likelihoods of texts, batched by length, and of what may follow a prefix."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from byrote.models.language.causal.forward import (
    LOGITS,
    asked,
    device_of,
    log_softmax,
    mask,
    padded,
    run,
)

_SLICE = 2**21  # logits made double precision at once


@dataclass(frozen=True)
class Piece:
    """Tokens read at once, of which those from ``first`` on are scored."""

    text: int
    ids: list[int]
    first: int


def pieces(text: int, ids: list[int], context: int, first: int = 1) -> Iterator[Piece]:
    """A text in pieces of at most ``context`` + 1 tokens, each from ``first`` on scored once.

    A text that the network cannot read at once is read in overlapping pieces, so that every token
    of the later ones has at least half of the context before it.
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
    """(n,) nats of each text's tokens after the start, summed in double precision."""
    total = np.zeros(len(texts))
    todo = [
        piece
        for number, ids in enumerate(texts)
        for piece in pieces(number, [*start, *ids], context, max(len(start), 1))
    ]
    with asked(model):
        for batch in _batches(todo, model.config.get_text_config().vocab_size):
            np.add.at(total, [piece.text for piece in batch], _scored(model, batch))
    return total


def _batches(todo: list[Piece], vocabulary: int) -> Iterator[list[Piece]]:
    """Pieces of like length together, no more at once than memory should hold."""
    batch: list[Piece] = []
    for piece in sorted(todo, key=lambda piece: -len(piece.ids)):  # the longest comes first
        if batch and (len(batch) + 1) * len(batch[0].ids) * vocabulary > LOGITS:
            yield batch
            batch = []
        batch.append(piece)
    if batch:
        yield batch


def _scored(model: Any, batch: list[Piece]) -> NDArray[np.float64]:
    """(n,) nats of the scored tokens of each piece."""
    device = device_of(model)
    lengths = [len(piece.ids) - 1 for piece in batch]
    inputs = padded([piece.ids[:-1] for piece in batch], device)
    logits = model(input_ids=inputs, attention_mask=mask(lengths, device), use_cache=False).logits
    counts = np.array([len(piece.ids) - piece.first for piece in batch], dtype=np.intp)
    rows = np.repeat(np.arange(len(batch)), counts)
    places = np.concatenate(
        [np.arange(piece.first - 1, length) for piece, length in zip(batch, lengths, strict=True)]
    )
    targets = [token for piece in batch for token in piece.ids[piece.first :]]
    found = np.empty(len(targets), dtype=np.float64)
    size = max(_SLICE // logits.shape[-1], 1)
    for at in range(0, len(targets), size):
        part = slice(at, at + size)
        nats = log_softmax(logits[rows[part], places[part]])
        wanted = torch.tensor(targets[part], device=device)[:, None]
        found[part] = nats.gather(1, wanted)[:, 0].cpu().numpy()
    begins: NDArray[np.intp] = np.cumsum(counts) - counts
    return np.add.reduceat(found, begins)


def next_log_probs(model: Any, prefixes: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """(n, V) nats of the token after each prefix, prefixes of like length read together."""
    device = device_of(model)
    found = np.empty((len(prefixes), model.config.get_text_config().vocab_size))
    order = sorted(range(len(prefixes)), key=lambda row: len(prefixes[row]))
    size = max(min(LOGITS // found.shape[1], 1024), 1)
    with asked(model):
        for at in range(0, len(order), size):
            rows = order[at : at + size]
            ids = [list(prefixes[row]) for row in rows]
            lengths = [len(row) for row in ids]
            last = torch.tensor(lengths, device=device) - 1
            more = {"attention_mask": mask(lengths, device), "use_cache": False}
            nats, _ = run(model, padded(ids, device), last, **more)
            found[rows] = nats.cpu().numpy()
    return found
