"""Log-perplexities of all completions of a format, and ranks among them, in bounded memory."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.attacks.completion_bits import begin, check_costs, path_bits, rows_at_once
from byrote.data.canaries import Canary
from byrote.errors import InvalidInput
from byrote.models.language.stepper_check import stepper_of
from byrote.models.language.steppers import Stepper
from byrote.models.language.token_format import TokenFormat

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Chunk = tuple[NDArray[np.int64], Array]

LARGEST = 10**8  # completions; more take an hour, where search and sampling take seconds


def enumerate_bits(model: Any, canary: Canary, *, batch_size: int = 4096) -> Iterator[Chunk]:
    """Compute log-perplexities of all completions of the canary's format, chunk by chunk.

    Every prefix is read once, and completions themselves are not read: their costs are in the rows
    of the prefixes one token shorter. So 10^6 numbers of six digits take 111,111 steps. Memory
    holds at most ``batch_size`` states for each token of length. Where tokens hold several
    characters, the paths are those of the model's own encoding.

    Returns
    -------
    An iterator over (indices, bits), each index in ``canary.format`` once.

    Raises
    ------
    InvalidInput
        If there are more than 10^8 completions.
    """
    batch_size = checks.integer("batch_size", batch_size, at_least=1)
    check_size(canary)
    form = TokenFormat(model, canary.prefix, canary.format)
    return all_bits(stepper_of(model, form), form, batch_size)


def check_size(canary: Canary) -> None:
    """Reject a format with more than 10^8 completions."""
    if canary.space_size > LARGEST:
        raise InvalidInput(
            f"exact enumeration needs at most {LARGEST:,} completions; the canary has"
            f' {canary.space_size:,}: use the methods "search", "model_sampled", "sampled" or'
            ' "skew_normal"'
        )


def all_bits(stepper: Stepper, form: TokenFormat, batch_size: int) -> Iterator[Chunk]:
    """Compute (indices, bits) of all completions, by single tokens where the format allows."""
    if form.single:
        return _Tree(stepper, form, batch_size).leaves()
    return _by_encoding(stepper, form, batch_size)


def steps(form: TokenFormat) -> int:
    """Return an upper limit on the number of prefixes that the model reads in an enumeration."""
    return int(_count_below(form, leaves=False)[form.start])


def _by_encoding(stepper: Stepper, form: TokenFormat, batch_size: int) -> Iterator[Chunk]:
    """Encode completions in order, a few batches at a time."""
    completions, first = iter(form.space), 0
    while paths := [form.path(text) for text in islice(completions, 16 * batch_size)]:
        yield np.arange(first, first + len(paths)), path_bits(stepper, form, paths, batch_size)
        first += len(paths)


def _count_below(form: TokenFormat, *, leaves: bool) -> list[int]:
    """Count the completions, or the longer prefixes, that continue from each state."""
    total = [0] * len(form.counts)
    for state in _backwards(form):
        edges = slice(form.offsets[state], form.offsets[state + 1])
        below = sum(total[target] for target in form.targets[edges].tolist())
        total[state] = below + (int(form.leaf[edges].sum()) if leaves else 1)
    return total


def _backwards(form: TokenFormat) -> list[int]:
    """Return states with edges, each after all that its edges lead to."""
    last = len(form.spelling.format.edges)  # then those that spell the end of the prefix
    return [state for state in range(last + len(form.lead)) if form.counts[state]]


class _Tree:
    """All completions by single-character tokens, depth first."""

    def __init__(self, stepper: Stepper, form: TokenFormat, batch_size: int) -> None:
        self.stepper, self.form, self.batch_size = stepper, form, batch_size
        sizes = np.array(_count_below(form, leaves=True), dtype=np.int64)
        sizes[form.end] = 1
        below = np.concatenate([[0], np.cumsum(sizes[form.targets])])
        of_state = np.repeat(below[form.offsets[:-1]], form.counts)
        self.before = below[:-1] - of_state  # by edge, completions through its earlier siblings

    def leaves(self) -> Iterator[Chunk]:
        """Yield (indices, bits) of all completions."""
        states, costs = begin(self.stepper, self.form)
        self.batch_size = rows_at_once(self.batch_size, costs)
        root = np.array([self.form.start])
        yield from self._below(root, np.zeros(1), np.zeros(1, dtype=np.int64), states, costs)

    def _below(
        self, at: Index, bits: Array, index: NDArray[np.int64], states: Any, costs: Array
    ) -> Iterator[Chunk]:
        """Yield the completions of prefixes with these states and costs."""
        form = self.form
        rows, edges = form.children(at)
        bits = bits[rows] + check_costs(costs[rows, form.tokens[edges]])
        index = index[rows] + self.before[edges]
        leaf = form.leaf[edges]
        if leaf.any():
            yield index[leaf], bits[leaf]
        inner = np.flatnonzero(~leaf)
        for first in range(0, len(inner), self.batch_size):
            part = inner[first : first + self.batch_size]
            edge = edges[part]
            following = self.stepper.step(states.take(rows[part]), form.tokens[edge])
            yield from self._below(form.targets[edge], bits[part], index[part], *following)


class StreamingRank:
    """Ranks of n completions in a stream of all costs, which are not kept.

    Costs outside every completion's ``margin`` are counted; the few inside are kept until the
    completions' costs in the arithmetic of the stream are known. A completion whose cost then lies
    outside its margin has an unknown rank, NaN.

    Examples
    --------
    >>> ranks = StreamingRank(np.array([2.0]), np.array([0.1]))
    >>> ranks.add(np.array([5.0, 2.01, 1.0])); ranks.add(np.array([2.02, 2.0]))
    >>> ranks.of(np.array([2.01])), ranks.of(np.array([2.2]))
    (array([3.]), array([nan]))
    """

    def __init__(self, bits: Array, margin: Array) -> None:
        self._bits, self._margin = bits, margin
        self._low, self._high = np.sort(bits - margin), np.sort(bits + margin)
        self._outside = np.zeros(len(bits) + 1, dtype=np.int64)
        self._inside: list[tuple[Array, Index]] = []

    def add(self, bits: Array) -> None:
        """Count more costs."""
        begun = np.searchsorted(self._low, bits, side="right")
        inside = begun > np.searchsorted(self._high, bits, side="left")
        self._outside += np.bincount(begun[~inside], minlength=len(self._outside))
        if inside.any():
            self._inside.append(np.unique(bits[inside], return_counts=True))

    def of(self, costs: Array) -> Array:
        """Return the number of costs in the stream that are at most each completion's, (n,)."""
        known = np.abs(costs - self._bits) <= self._margin
        if not known.any():
            return np.full(len(costs), np.nan)
        values, counts = (np.concatenate(part) for part in zip(*self._inside, strict=True))
        order = np.argsort(values, kind="stable")
        cumulative = np.concatenate([[0], np.cumsum(counts[order])])
        below = np.cumsum(self._outside)[np.argsort(np.argsort(self._bits, kind="stable"))]
        ranks = below + cumulative[np.searchsorted(values[order], costs, side="right")]
        return np.where(known, ranks, np.nan)
