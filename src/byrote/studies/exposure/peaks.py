"""Where mean exposure is highest in the course of training, and where the test loss is lowest."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.scores.exposure.levels import mean_exposure
from byrote.scores.exposure.trajectory import ExposureOverTraining
from byrote.stats.multiple_testing import combined_p_value

Array = NDArray[np.float64]
_DRAWS = 2000
_NONE = (float("nan"),) * 3


@dataclass(frozen=True)
class Peak:
    """The course of the canaries that were inserted equally often. Bits.

    Attributes
    ----------
    inserted, canaries
        How often; how many, counted in every fit.
    highest, step, step_interval
        The highest mean exposure, the first step that has it, and a bootstrap interval (95 %) of
        that step over canaries and fits.
    at_turn, at_end
        Mean exposure where the fit's test loss is lowest, and after training, with 95 % intervals.
    after_turn
        Mean change from the one to the other.
    share_at_turn
        Mean exposure at the turn as a share of the highest.
    order
        "before" if the interval of the step ends before the first fit's lowest test loss, "after"
        if it begins after the last one's, else "open"; "" without test losses.
    bound
        Whether lower bounds are among the exposures of that step.
    p_value
        Of "none of them was trained on", after training: Fisher's, from the canaries' own.
    """

    inserted: int
    canaries: int
    highest: float
    step: int
    step_interval: tuple[int, int]
    at_turn: tuple[float, float, float]
    at_end: tuple[float, float, float]
    after_turn: tuple[float, float, float]
    share_at_turn: float
    order: str
    bound: bool
    p_value: float


def turns(course: ExposureOverTraining) -> tuple[int, ...]:
    """The step of the lowest test loss in each fit that knows its test loss."""
    known = ~np.isnan(course.test_loss).all(axis=1)
    return tuple(int(course.loss_steps[np.nanargmin(row)]) for row in course.test_loss[known])


def peaks(course: ExposureOverTraining, seed: int = 0) -> tuple[Peak, ...]:
    """Of each level of insertion, rising."""
    lowest = turns(course)
    fits = np.unique(course.fit)
    where = dict(zip(fits.tolist(), lowest, strict=True)) if len(lowest) == len(fits) else {}
    return tuple(_peak(course, int(level), where, seed) for level in np.unique(course.inserted))


def _peak(course: ExposureOverTraining, level: int, where: dict[int, int], seed: int) -> Peak:
    rows = np.flatnonzero(course.inserted == level)
    bits, ids = course.bits[rows], course.ids[rows]
    mean = _column_means(bits)
    best = int(np.nanargmax(mean))
    at_turn = after = _NONE
    if where:
        steps = np.searchsorted(course.steps, [where[fit] for fit in course.fit[rows].tolist()])
        there = bits[np.arange(len(rows)), np.minimum(steps, len(course.steps) - 1)]
        at_turn, after = mean_exposure(there, ids), mean_exposure(bits[:, -1] - there, ids)
    interval = _bootstrap(course.steps, bits, ids, seed)
    return Peak(
        inserted=level,
        canaries=len(rows),
        highest=float(mean[best]),
        step=int(course.steps[best]),
        step_interval=interval,
        at_turn=at_turn,
        at_end=mean_exposure(bits[:, -1], ids),
        after_turn=after,
        share_at_turn=at_turn[0] / float(mean[best]) if mean[best] > 0 else np.nan,
        order=_order(interval, list(where.values())),
        bound=bool(course.saturated[rows, best].any()),
        p_value=combined_p_value(course.p_value[rows, -1], ids),
    )


def _order(interval: tuple[int, int], lowest: list[int]) -> str:
    if not lowest:
        return ""
    if interval[1] < min(lowest):
        return "before"
    return "after" if interval[0] > max(lowest) else "open"


def _bootstrap(
    steps: NDArray[np.int64], bits: Array, secret: NDArray[Any], seed: int
) -> tuple[int, int]:
    """2.5 % and 97.5 % quantiles of the step of the highest mean, secrets drawn again."""
    generator = np.random.default_rng(seed)
    names, which = np.unique(secret, return_inverse=True)
    members = [np.flatnonzero(which == one) for one in range(len(names))]
    found = []
    for _ in range(_DRAWS):
        again = generator.integers(len(names), size=len(names))
        mean = _column_means(bits[np.concatenate([members[one] for one in again])])
        if not np.isnan(mean).all():
            found.append(int(steps[np.nanargmax(mean)]))
    low, high = np.quantile(found, (0.025, 0.975), method="inverted_cdf")
    return int(low), int(high)


def _column_means(bits: Array) -> Array:
    """Mean over the canaries that are known at a step; NaN where none is."""
    known = ~np.isnan(bits)
    count = known.sum(axis=0)
    total = np.where(known, bits, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
