"""Log-perplexities of completions of a format, by a walk over the trie of their prefixes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.canaries import Canary
from byrote.errors import InvalidInput
from byrote.models.language.stepper_check import stepper_of
from byrote.models.language.steppers import Stepper
from byrote.models.language.token_format import TokenFormat

Array = NDArray[np.float64]
Index = NDArray[np.intp]
_MOST_COSTS = 1 << 25  # 256 MB of float64


class CountingStepper:
    """A stepper that counts ``queries``, the prefixes that the model reads.

    Costs are -log2 of the probabilities of the next token.
    """

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper
        self.queries = 0

    def start(self, ids: Sequence[int]) -> tuple[Any, Array]:
        """Return state and costs after a prefix; counts one query."""
        self.queries += 1
        return self._stepper.start(ids)

    def step(self, states: Any, tokens: Index) -> tuple[Any, Array]:
        """Return states and costs after one more token; counts one query per row."""
        self.queries += len(tokens)
        return self._stepper.step(states, tokens)


def candidate_bits(
    model: Any, canary: Canary, completions: Sequence[str], *, batch_size: int = 4096
) -> Array:
    """Compute log-perplexities after the canary's prefix, ``-sum log2 p(token | before)``.

    Shared prefixes are computed once, and the last token of each needs no step, because its cost is
    in the row of costs of the token before. Depth first, so that at most ``batch_size`` states are
    kept for each token of length. Only the canary's prefix and format are used.

    Returns
    -------
    (n,) bits, in the order of ``completions``; infinite where the model excludes a completion.
    """
    batch_size = checks.integer("batch_size", batch_size, at_least=1)
    form = TokenFormat(model, canary.prefix, canary.format)
    return path_bits(stepper_of(model, form), form, list(map(form.path, completions)), batch_size)


def path_bits(
    stepper: Stepper, form: TokenFormat, paths: Sequence[Sequence[int]], batch_size: int
) -> Array:
    """Compute bits of token paths after the prefix, (n,); no path is a prefix of another."""
    if not paths:
        return np.empty(0)
    walk = _Walk(stepper, paths)
    states, costs = begin(stepper, form)
    walk.batch_size = rows_at_once(batch_size, costs)
    rows = np.arange(len(paths))
    walk.descend(rows, np.zeros_like(rows), 0, states, costs)
    bits = np.empty(len(paths))
    bits[walk.order] = walk.bits
    return bits


def begin(stepper: Stepper, form: TokenFormat) -> tuple[Any, Array]:
    """Return state and costs after the prefix.

    The costs must be those of probabilities, since the bounds on ranks rely on their sum.
    """
    states, costs = stepper.start(form.prefix_ids)
    total = float(np.exp2(-check_costs(costs)).sum())
    if total > 1.001:
        raise InvalidInput(
            f"model must give probabilities of the next token; after the prefix they sum to"
            f" {total:.4g}"
        )
    return states, costs


def rows_at_once(batch_size: int, costs: Array) -> int:
    """Reduce the batch size for vocabularies so large that the costs would fill memory."""
    return max(1, min(batch_size, _MOST_COSTS // costs.shape[1]))


def check_costs(costs: Array) -> Array:
    """Reject costs that are NaN, which would be sorted to a wrong place, or negative."""
    if costs.size and not costs.min() >= 0:  # NaN is not, either
        raise InvalidInput(
            "model must give probabilities from 0 to 1; it gave NaN, or more than 1 (did its"
            " training diverge?)"
        )
    return costs


class _Walk:
    """Paths in sorted order, so that those with a common prefix are adjacent."""

    batch_size: int

    def __init__(self, stepper: Stepper, paths: Sequence[Sequence[int]]) -> None:
        self.stepper = stepper
        length = np.array([len(path) for path in paths], dtype=np.intp)
        tokens = np.full((len(paths), int(length.max())), -1, dtype=np.intp)
        for row, path in zip(tokens, paths, strict=True):
            row[: len(path)] = path
        self.order = np.lexsort(tokens.T[::-1])
        self.tokens, self.length = tokens[self.order], length[self.order]
        self.bits = np.zeros(len(paths))

    def descend(self, rows: Index, node: Index, depth: int, states: Any, costs: Array) -> None:
        """Add the costs of the tokens from ``depth`` on to the paths in ``rows``.

        node: (rows,) the state that each path has reached; equal ones are adjacent.
        """
        self.bits[rows] += check_costs(costs[node, self.tokens[rows, depth]])
        unfinished = self.length[rows] > depth + 1
        rows, node = rows[unfinished], node[unfinished]
        token = self.tokens[rows, depth]
        new = np.ones(len(rows), dtype=bool)
        new[1:] = (np.diff(node) != 0) | (np.diff(token) != 0)
        child, heads = np.cumsum(new) - 1, np.flatnonzero(new)
        for first in range(0, len(heads), self.batch_size):
            head = heads[first : first + self.batch_size]
            below = slice(*np.searchsorted(child, [first, first + len(head)]))
            next_states, next_costs = self.stepper.step(states.take(node[head]), token[head])
            self.descend(rows[below], child[below] - first, depth + 1, next_states, next_costs)
