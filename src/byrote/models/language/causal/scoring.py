"""Scores of texts by a causal network: each token once, after as much context as is set."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from byrote.models.language.causal.inference import (
    LOGITS,
    attention_mask,
    device_of,
    evaluating,
    log_probs_of,
    padded,
)
from byrote.models.language.text_scores import TextScores

Ids = NDArray[np.int32]
_DOUBLE_LOGITS = 2**19  # converted to double precision together: they stay in the cache
_CACHED_TOKENS = 2**9  # read together by a processor, whose cache their hidden states fit in


class Piece(NamedTuple):
    """Tokens ``low`` to ``end`` of a text, read together; those from ``first`` on are scored."""

    text: int
    low: int
    first: int
    end: int


def pieces(text: int, length: int, context: int, step: int, first: int = 1) -> Iterator[Piece]:
    """Yield pieces of at most ``context`` + 1 tokens that score each token from ``first`` on once.

    Each piece after the first scores ``step`` more tokens, the last one the rest, after as many
    tokens before them as the context allows.

    Examples
    --------
    >>> [piece[1:] for piece in pieces(0, 10, context=4, step=2)]
    [(0, 1, 5), (2, 5, 7), (4, 7, 9), (5, 9, 10)]
    """
    end = min(length, context + 1)
    if end > first:
        yield Piece(text, 0, first, end)
    while end < length:
        begin, end = end, min(end + step, length)
        yield Piece(text, max(end - context - 1, 0), begin, end)


def score_texts(
    model: Any, texts: Sequence[Ids], start: tuple[int, ...], context: int, step: int
) -> TextScores:
    """Score each text after the start, in double precision; without a start from its second token.

    Pieces of similar length are read together, and no more than ``LOGITS`` numbers, or one piece,
    at a time: memory does not grow with the texts. On a processor, larger batches are slower.
    """
    nats, counts, correct = np.zeros(len(texts)), *np.zeros((2, len(texts)), dtype=np.int64)
    first = max(len(start), 1)
    whole = [np.concatenate([np.array(start, dtype=ids.dtype), ids]) for ids in texts]
    all_pieces = [
        piece
        for number, ids in enumerate(whole)
        for piece in pieces(number, len(ids), context, step, first)
    ]
    for piece in all_pieces:
        counts[piece.text] += piece.end - piece.first
    tokens = LOGITS // model.config.get_text_config().vocab_size
    if device_of(model).type == "cpu":
        tokens = min(tokens, _CACHED_TOKENS)
    with evaluating(model):
        for batch in _batches(all_pieces, tokens):
            rows = [whole[p.text][p.low : p.end].tolist() for p in batch]
            of_pieces = _score_pieces(model, rows, [p.first - p.low for p in batch])
            which = [piece.text for piece in batch]
            np.add.at(nats, which, of_pieces.log_prob)
            np.add.at(correct, which, of_pieces.correct)
    return TextScores(nats, counts, correct)


def _batches(all_pieces: Sequence[Piece], tokens: int) -> Iterator[list[Piece]]:
    """Yield batches of pieces of similar length, of bounded numbers of tokens, padding included."""
    batch: list[Piece] = []
    longest = 0
    for piece in sorted(all_pieces, key=lambda piece: piece.low - piece.end):  # the longest first
        if batch and (len(batch) + 1) * longest > tokens:
            yield batch
            batch = []
        longest = longest if batch else piece.end - piece.low
        batch.append(piece)
    if batch:
        yield batch


def _score_pieces(model: Any, rows: list[list[int]], first: list[int]) -> TextScores:
    """Score the tokens of each row from its ``first`` on."""
    device = device_of(model)
    lengths = [len(row) - 1 for row in rows]
    inputs = padded([row[:-1] for row in rows], device)
    mask = attention_mask(lengths, device)
    logits = model(input_ids=inputs, attention_mask=mask, use_cache=False).logits
    counts = np.array([len(row) - begin for row, begin in zip(rows, first, strict=True)])
    places = np.repeat(np.arange(len(rows)), counts)
    positions = np.concatenate(
        [np.arange(begin - 1, length) for begin, length in zip(first, lengths, strict=True)]
    )
    targets = [token for row, begin in zip(rows, first, strict=True) for token in row[begin:]]
    nats, correct = np.empty(len(targets)), np.empty(len(targets), dtype=np.int64)
    size = max(_DOUBLE_LOGITS // logits.shape[-1], 1)
    for at in range(0, len(targets), size):
        part = slice(at, at + size)
        here = logits[places[part], positions[part]]
        tokens = torch.tensor(targets[part], device=device)
        nats[part] = log_probs_of(tokens, here).cpu().numpy()
        correct[part] = (here.argmax(1) == tokens).cpu().numpy()
    begins = np.cumsum(counts) - counts
    return TextScores(np.add.reduceat(nats, begins), counts, np.add.reduceat(correct, begins))
