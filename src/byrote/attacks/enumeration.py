"""The cost of every completion of a format, in bounded memory."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.attacks.walking import begin, check_costs, path_bits, rows_at_once
from byrote.data.canaries import Canary
from byrote.errors import InvalidInput
from byrote.models.language.stepper_check import stepper_of
from byrote.models.language.steppers import Stepper
from byrote.models.language.token_format import TokenFormat

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Chunk = tuple[NDArray[np.int64], Array]

LARGEST = 10**8  # completions; an hour or more beyond that, where search and chance take seconds


def enumerate_bits(model: Any, canary: Canary, *, batch_size: int = 4096) -> Iterator[Chunk]:
    """Log-perplexity of all completions of the canary's format, chunk by chunk.

    Every beginning is read once, whatever number of completions share it, and the completions
    themselves not at all: their costs stand in the rows of the beginnings one token shorter. So
    10^6 numbers of six digits cost 111,111 steps. Depth first, so that memory holds at most
    ``batch_size`` states for each token of length. Where tokens hold several characters, the paths
    are those of the model's own encoding.

    Returns
    -------
    An iterator over (indices, bits): indices in ``canary.format``, each once in all.

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
    """Refuse to enumerate what would take hours."""
    if canary.space_size > LARGEST:
        raise InvalidInput(
            f"exact enumeration needs at most {LARGEST:,} completions; the canary has"
            f' {canary.space_size:,}: use the methods "search", "model_sampled", "sampled" or'
            ' "skew_normal"'
        )


def all_bits(stepper: Stepper, form: TokenFormat, batch_size: int) -> Iterator[Chunk]:
    """(indices, bits) of all completions, by the way that the format's tokens allow."""
    if form.single:
        return _Tree(stepper, form, batch_size).leaves()
    return _by_encoding(stepper, form, batch_size)


def steps(form: TokenFormat) -> int:
    """How many beginnings the model reads to enumerate all completions, at most."""
    return int(_counted(form, leaves=False)[form.start])


def _by_encoding(stepper: Stepper, form: TokenFormat, batch_size: int) -> Iterator[Chunk]:
    """Completions in order, encoded by the model, a few batches at a time."""
    completions, first = iter(form.space), 0
    while paths := [form.path(text) for text in islice(completions, 16 * batch_size)]:
        yield np.arange(first, first + len(paths)), path_bits(stepper, form, paths, batch_size)
        first += len(paths)


def _counted(form: TokenFormat, *, leaves: bool) -> list[int]:
    """For each state how many completions begin there, or how many beginnings that go on."""
    found = [0] * len(form.counts)
    for state in _backwards(form):
        edges = slice(form.offsets[state], form.offsets[state + 1])
        below = sum(found[target] for target in form.targets[edges].tolist())
        found[state] = below + (int(form.leaf[edges].sum()) if leaves else 1)
    return found


def _backwards(form: TokenFormat) -> list[int]:
    """States with edges, each after all that its edges lead to."""
    last = len(
        form.spelling.format.edges
    )  # states that spell the end of the prefix follow, nearer first
    return [state for state in range(last + len(form.lead)) if form.counts[state]]


class _Tree:
    """All completions by single characters, depth first."""

    def __init__(self, stepper: Stepper, form: TokenFormat, batch_size: int) -> None:
        self.stepper, self.form, self.batch_size = stepper, form, batch_size
        sizes = np.array(_counted(form, leaves=True), dtype=np.int64)
        sizes[form.end] = 1
        below = np.concatenate([[0], np.cumsum(sizes[form.targets])])
        own = np.repeat(below[form.offsets[:-1]], form.counts)
        self.before = below[:-1] - own  # completions through the edges that come before, by edge

    def leaves(self) -> Iterator[Chunk]:
        """(indices, bits), all of them."""
        states, costs = begin(self.stepper, self.form)
        self.batch_size = rows_at_once(self.batch_size, costs)
        root = np.array([self.form.start])
        yield from self._below(root, np.zeros(1), np.zeros(1, dtype=np.int64), states, costs)

    def _below(
        self, at: Index, bits: Array, index: NDArray[np.int64], states: Any, costs: Array
    ) -> Iterator[Chunk]:
        """What can be reached from beginnings whose states and costs are there."""
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
            on = edges[part]
            deeper, price = self.stepper.step(states.take(rows[part]), form.tokens[on])
            yield from self._below(form.targets[on], bits[part], index[part], deeper, price)
