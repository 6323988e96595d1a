"""Where mean exposure peaks in the course of training, and where the test loss is lowest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.scores.exposure.levels import mean_exposure
from byrote.scores.exposure.trajectory import ExposureOverTraining
from byrote.stats.estimate import Estimate
from byrote.stats.multiple_testing import combined_p_value

Array = NDArray[np.float64]
_RESAMPLES = 2000


@dataclass(frozen=True)
class Peak:
    """The exposure, in bits, of canaries that were inserted equally often, over training.

    Attributes
    ----------
    inserted, canaries
        How often; how many, counted in every fit.
    highest, step, step_interval
        The highest mean exposure, the first step that has it, and a bootstrap interval (95 %) of
        that step over canaries and fits.
    at_turn, at_end
        Mean exposure where the fit's test loss is lowest, and after training.
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
    at_turn: Estimate
    at_end: Estimate
    after_turn: Estimate
    share_at_turn: float
    order: str
    bound: bool
    p_value: float


def turns(trajectory: ExposureOverTraining) -> tuple[int, ...]:
    """Return the step of the lowest test loss in each fit that has test losses."""
    losses = trajectory.test_loss
    known = ~np.isnan(losses).all(axis=1)
    return tuple(int(trajectory.loss_steps[np.nanargmin(row)]) for row in losses[known])


def peaks(trajectory: ExposureOverTraining, seed: int = 0) -> tuple[Peak, ...]:
    """Return the peak of each level of insertion, rising."""
    lowest, fits = turns(trajectory), np.unique(trajectory.fit)
    turn = dict(zip(fits.tolist(), lowest, strict=True)) if len(lowest) == len(fits) else {}
    return tuple(_peak(trajectory, int(n), turn, seed) for n in np.unique(trajectory.inserted))


def _peak(trajectory: ExposureOverTraining, level: int, turn: dict[int, int], seed: int) -> Peak:
    rows = np.flatnonzero(trajectory.inserted == level)
    bits, ids = trajectory.bits[rows], trajectory.ids[rows]
    mean = column_means(bits)
    best = int(np.nanargmax(mean))
    at_turn = after_turn = Estimate(float("nan"))
    if turn:
        steps = [turn[fit] for fit in trajectory.fit[rows].tolist()]
        columns = np.searchsorted(trajectory.steps, steps)
        there = bits[np.arange(len(rows)), np.minimum(columns, len(trajectory.steps) - 1)]
        at_turn = mean_exposure(there, ids)
        after_turn = mean_exposure(bits[:, -1] - there, ids)
    interval = _bootstrap(trajectory.steps, bits, ids, seed)
    return Peak(
        inserted=level,
        canaries=len(rows),
        highest=float(mean[best]),
        step=int(trajectory.steps[best]),
        step_interval=interval,
        at_turn=at_turn,
        at_end=mean_exposure(bits[:, -1], ids),
        after_turn=after_turn,
        share_at_turn=at_turn.value / float(mean[best]) if mean[best] > 0 else np.nan,
        order=_order(interval, list(turn.values())),
        bound=bool(trajectory.saturated[rows, best].any()),
        p_value=combined_p_value(trajectory.p_value[rows, -1], ids),
    )


def _order(interval: tuple[int, int], lowest: Sequence[int]) -> str:
    if not lowest:
        return ""
    if interval[1] < min(lowest):
        return "before"
    return "after" if interval[0] > max(lowest) else "open"


def _bootstrap(
    steps: NDArray[np.int64], bits: Array, secrets: NDArray[Any], seed: int
) -> tuple[int, int]:
    """Return 2.5 % and 97.5 % quantiles of the step of the highest mean, secrets resampled."""
    generator = np.random.default_rng(seed)
    names, which = np.unique(secrets, return_inverse=True)
    members = [np.flatnonzero(which == place) for place in range(len(names))]
    highest = []
    for _ in range(_RESAMPLES):
        resample = generator.integers(len(names), size=len(names))
        mean = column_means(bits[np.concatenate([members[place] for place in resample])])
        if not np.isnan(mean).all():
            highest.append(int(steps[np.nanargmax(mean)]))
    low, high = np.quantile(highest, (0.025, 0.975), method="inverted_cdf")
    return int(low), int(high)


def column_means(values: Array) -> Array:
    """Return the mean of each column over what is not NaN; NaN where all is."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
