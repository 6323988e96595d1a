"""Costs of the tokens of many texts from one pass, rather than step by step."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.models.language.steppers import PrefixStepper, bits

Array = NDArray[np.float64]
Index = NDArray[np.intp]
_MOST_COSTS = 1 << 23  # 64 MB of float64
_ROUNDING = 0.02  # relative; more cannot be rounding, in any precision
_EXCLUDED = 150.0  # bits; anything above counts as excluded


def continuation_costs(model: Any, rows: Index, first: int) -> Iterator[tuple[slice, Array]]:
    """Yield rows, and the costs of every next token from position ``first`` on, batch by batch.

    A model's ``continuation_log_probs(rows, first)``, (n, length - first, V) nats, reads each row
    once. Without it the rows are read step by step, as far as possible together.

    Parameters
    ----------
    rows
        (n, length) tokens.
    first
        Position of the first token that is predicted, at least 1.

    Yields
    ------
    slice, array
        Rows, and (rows, length - first, V) bits; ``[:, t]`` are those of the token at position
        ``first + t`` after all before it.

    Raises
    ------
    InvalidInput
        If one pass gives other probabilities than whole prefixes, or none.
    """
    if not len(rows):
        return
    read = getattr(model, "continuation_log_probs", None)
    predicted = rows.shape[1] - first
    start = 0
    size = 1  # until the vocabulary is known
    while start < len(rows):
        part = slice(start, min(start + size, len(rows)))
        costs = (
            bits(read(rows[part], first)) if callable(read) else _steps(model, rows[part], first)
        )
        if start == 0:
            _check(model, rows[0], first, costs)
            size = max(1, _MOST_COSTS // (predicted * costs.shape[-1]))
        yield part, costs
        start = part.stop


def _steps(model: Any, rows: Index, first: int) -> Array:
    """Read rows step by step, by the model's ``stepper`` or by whole prefixes."""
    own = callable(getattr(model, "stepper", None))
    stepper = model.stepper() if own else PrefixStepper(model)
    starts = [stepper.start(row[:first].tolist()) for row in rows]
    states = starts[0][0].joined([state for state, _ in starts[1:]])
    costs = [np.concatenate([cost for _, cost in starts])]
    for place in range(first, rows.shape[1] - 1):
        states, cost = stepper.step(states, rows[:, place])
        costs.append(cost)
    return np.stack(costs, axis=1)


def _check(model: Any, row: Index, first: int, costs: Array) -> None:
    """Refuse costs that are not those of probabilities, or not those after whole prefixes."""
    name = type(model).__name__
    if not costs.min() >= 0 or (np.exp2(-costs).sum(axis=-1) > 1 + _ROUNDING).any():
        raise InvalidInput(f"model must give probabilities of the next token; {name} does not")
    if not callable(getattr(model, "next_log_probs", None)):
        return
    ends: Sequence[int] = (first, len(row) - 1)
    whole = bits(model.next_log_probs([row[:end].tolist() for end in ends]))
    passed = np.minimum(costs[0, [end - first for end in ends]], _EXCLUDED)
    gap = np.abs(passed - np.minimum(whole, _EXCLUDED)).max()
    if gap > _ROUNDING * (1 + np.ptp(passed)):
        raise InvalidInput(
            "model must give a token the same probabilities in one pass as after its whole prefix;"
            f" those of {name} differ by {gap:.2g} bits"
        )
