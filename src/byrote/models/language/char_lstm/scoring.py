"""Scoring of texts by a trained network, always in float32 and without dropout."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.language.char_lstm.network import Network
from byrote.models.language.char_lstm.vocabulary import Ids, Tokens
from byrote.models.language.char_lstm.windows import NO_TARGET, Cut
from byrote.models.torch_utils import flushed_denormals

_ROWS, _TIME = 128, 128  # of a batch: texts, and characters of each at a time
_STREAMS, _STREAM = 64, 2048  # of a long text: number at most, and characters at least


@torch.no_grad()
@flushed_denormals()
def log_probs(network: Network, texts: Sequence[Ids], newline: int) -> NDArray[np.float64]:
    """Log-probability of each text, (n,) nats: the sum over its characters.

    The first is predicted from a newline read in the state zero. Texts of about the same length are
    read together; a text's value does not depend on the others, up to rounding.
    """
    totals = np.zeros(len(texts))
    for rows in _batches([len(text) for text in texts]):
        inputs, targets = _padded([texts[row] for row in rows], newline)
        state = network.start(len(rows))
        total = torch.zeros(len(rows), dtype=torch.float64)
        for tokens, part in zip(inputs.split(_TIME), targets.split(_TIME), strict=True):
            output, state = network(tokens, state)
            total -= _costs(network, output, part).sum(0, dtype=torch.float64)
        totals[rows] = total.numpy()
    return totals


@torch.no_grad()
@flushed_denormals()
def mean_cost(network: Network, text: Tokens) -> float:
    """Mean cost of a character of one long text, nats, read as several streams.

    Each stream begins in the state zero, after the character before it; it is 2,048 characters long
    or more, so that little is lost by that.
    """
    cut = Cut(min(_STREAMS, max(1, len(text) // _STREAM)), _TIME)
    state, total = network.start(cut.streams), 0.0
    for tokens, targets in cut.read(text):
        output, state = network(tokens, state)
        total += float(_costs(network, output, targets).sum(dtype=torch.float64))
    return total / len(text)


@torch.no_grad()
@flushed_denormals()
def next_log_probs(network: Network, prefixes: Sequence[Ids], newline: int) -> NDArray[np.float64]:
    """Log-probabilities of the token after each prefix, (n, tokens) nats."""
    nats = np.empty((len(prefixes), network.output.out_features))
    for rows in _batches([len(prefix) for prefix in prefixes]):
        ends = torch.tensor([len(prefixes[row]) for row in rows])
        inputs, _ = _padded([np.append(prefixes[row], newline) for row in rows], newline)
        state = network.start(len(rows))
        last = torch.empty(len(rows), network.hidden)
        for first, tokens in enumerate(inputs.split(_TIME)):
            output, state = network(tokens, state)
            here = torch.nonzero(ends // _TIME == first).flatten()
            last[here] = output[ends[here] % _TIME, here]
        nats[rows] = network.output(last).double().log_softmax(1).numpy()
    return nats


def _costs(network: Network, output: Tensor, targets: Tensor) -> Tensor:
    """Cost of each target, (time, n) nats; zero where there is no target."""
    logits = network.output(output)
    costs = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=NO_TARGET, reduction="none"
    )
    return costs.view(targets.shape)


def _batches(lengths: Sequence[int]) -> Iterator[NDArray[np.intp]]:
    """Rows of about the same length, the longest first."""
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    for first in range(0, len(order), _ROWS):
        yield order[first : first + _ROWS]


def _padded(texts: Sequence[Ids], newline: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets, (longest, n): a newline precedes each text."""
    longest = max(1, *map(len, texts)) if texts else 1
    targets = np.full((longest, len(texts)), NO_TARGET, dtype=np.int64)
    for row, text in enumerate(texts):
        targets[: len(text), row] = text
    inputs = np.empty_like(targets)
    inputs[0] = newline
    inputs[1:] = np.where(targets[:-1] == NO_TARGET, newline, targets[:-1])
    return torch.from_numpy(inputs), torch.from_numpy(targets)
