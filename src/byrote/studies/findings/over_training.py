"""Exposure over training: its peaks by epoch next to the test loss, and the effect of batches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote import figures
from byrote.report.figures.exposure_marks import mean_known
from byrote.report.figures.exposure_training import curves_of
from byrote.report.format import insertions, number, p_value, with_interval
from byrote.scores.exposure.levels import mean_exposure
from byrote.scores.exposure.trajectory import ExposureOverTraining
from byrote.stats.estimate import Estimate
from byrote.stats.multiple_testing import combined_p_value
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import Findings, as_data, combine, mean_of
from byrote.studies.findings.read_effect import batches_seen, effects_of_reading

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
_RESAMPLES = 2000
_SIGNIFICANT = 0.01  # p-value below which exposure differs from chance


@dataclass(frozen=True)
class Peak:
    """Highest mean exposure, over training, of canaries inserted equally often; bits.

    order: "before" if the interval of the step ends before the first fit's lowest test loss,
    "after" if it begins after the last one's, else "open"; "" without test losses.
    """

    inserted: int
    canaries: int  # in all fits
    highest: float
    step: int  # the first with the highest mean
    step_interval: tuple[int, int]  # 95 %, bootstrap over canaries and fits
    at_turn: Estimate  # where the fit's test loss is lowest
    at_end: Estimate
    after_turn: Estimate  # change from there to the end
    share_at_turn: float  # at_turn over highest
    order: str
    bound: bool  # whether lower bounds are among the exposures of that step
    p_value: float  # Fisher's, of "no canary was trained on", after training


def turns(trajectory: ExposureOverTraining) -> tuple[int, ...]:
    """Return the step of the lowest test loss in each fit that has test losses."""
    losses = trajectory.test_loss
    known = ~np.isnan(losses).all(axis=1)
    return tuple(int(trajectory.loss_steps[np.nanargmin(row)]) for row in losses[known])


def peaks(trajectory: ExposureOverTraining, seed: int = 0) -> tuple[Peak, ...]:
    """Return the peak of each level of insertion, lowest level first."""
    lowest, fits = turns(trajectory), np.unique(trajectory.fit)
    turn = dict(zip(fits.tolist(), lowest, strict=True)) if len(lowest) == len(fits) else {}
    return tuple(_peak(trajectory, int(n), turn, seed) for n in np.unique(trajectory.inserted))


def _peak(trajectory: ExposureOverTraining, level: int, turn: dict[int, int], seed: int) -> Peak:
    rows = np.flatnonzero(trajectory.inserted == level)
    bits, ids = trajectory.bits[rows], trajectory.ids[rows]
    mean = mean_known(bits)
    best = int(np.nanargmax(mean))
    at_turn = after_turn = Estimate(float("nan"))
    if turn:
        steps = [turn[fit] for fit in trajectory.fit[rows].tolist()]
        columns = np.searchsorted(trajectory.steps, steps)
        there = bits[np.arange(len(rows)), np.minimum(columns, len(trajectory.steps) - 1)]
        at_turn = mean_exposure(there, ids, maximum=trajectory.maximum[rows])
        after_turn = mean_exposure(bits[:, -1] - there, ids)
    interval = _bootstrap(trajectory.steps, bits, ids, seed)
    return Peak(
        inserted=level,
        canaries=len(rows),
        highest=float(mean[best]),
        step=int(trajectory.steps[best]),
        step_interval=interval,
        at_turn=at_turn,
        at_end=mean_exposure(bits[:, -1], ids, maximum=trajectory.maximum[rows]),
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
    """Return the 95 % interval of the step of the highest mean, resampling secrets."""
    generator = np.random.default_rng(seed)
    names, which = np.unique(secrets, return_inverse=True)
    members = [np.flatnonzero(which == place) for place in range(len(names))]
    highest = []
    for _ in range(_RESAMPLES):
        resample = generator.integers(len(names), size=len(names))
        mean = mean_known(bits[np.concatenate([members[place] for place in resample])])
        if not np.isnan(mean).all():
            highest.append(int(steps[np.nanargmax(mean)]))
    low, high = np.quantile(highest, (0.025, 0.975), method="inverted_cdf")
    return int(low), int(high)


# -- the finding ----------------------------------------------------------------------------------


def exposure_over_training(runs: Sequence[StudyRun]) -> Findings:
    """Report exposure over training of runs measured after every epoch, or after some batches."""
    return combine([_over_training(run) for run in runs])


def _over_training(run: StudyRun) -> Findings:
    trajectory: ExposureOverTraining = run.run.trajectory(partial=True)
    by_epoch = trajectory.unit == "epoch"
    rows, remarks, data = _by_epoch(trajectory) if by_epoch else effects_of_reading(run)
    return Findings(
        tables=((f"Exposure in bits, {run.title}", rows),),
        remarks=(*remarks, _cost(run.title, trajectory)),
        figures={f"exposure-{run.name}": _figure(run, trajectory)},
        data={run.name: {"unit": trajectory.unit, "cost": trajectory.cost, **data}},
    )


def _by_epoch(
    trajectory: ExposureOverTraining,
) -> tuple[list[tuple[str, ...]], list[str], dict[str, Any]]:
    levels, lowest, last = peaks(trajectory), turns(trajectory), int(trajectory.steps[-1])
    head = ("inserted", "canaries", "exposure at the lowest test loss", "highest mean",
            "first at epoch [95 %]", "at the end")  # fmt: skip
    remarks = [_turn(lowest, last), *(_peaked(peak, last) for peak in levels if peak.inserted)]
    data = {"lowest_test_loss": list(lowest), "peaks": [as_data(peak) for peak in levels]}
    return [head, *map(_peak_row, levels)], remarks, data


def _peak_row(peak: Peak) -> tuple[str, ...]:
    low, high = peak.step_interval
    return (
        insertions(peak.inserted),
        f"{peak.canaries}",
        with_interval(peak.at_turn),
        f"{'≥ ' if peak.bound else ''}{number(peak.highest)}",
        f"{peak.step} [{low}, {high}]",
        with_interval(peak.at_end),
    )


def _turn(lowest: tuple[int, ...], last: int) -> str:
    if not lowest:
        return "The test loss is unknown: no text was held out."
    epochs = sorted(set(lowest))
    where = f"epoch {epochs[0]}" if len(epochs) == 1 else f"epochs {', '.join(map(str, epochs))}"
    if epochs[-1] == last:
        return (
            f"The test loss is lowest at {where} of {last}: it still fell when training ended, so"
            " over-fitting is not observed."
        )
    of_fits = "in every fit" if len(epochs) == 1 else "depending on the fit"
    return f"The test loss is lowest at {where} of {last}, {of_fits}; then models over-fit."


def _peaked(peak: Peak, last: int) -> str:
    who, (low, high) = f"Canaries {insertions(peak.inserted)}", peak.step_interval
    if not peak.p_value < _SIGNIFICANT:
        return (
            f"{who}: after training their exposure is not significantly different from chance"
            f" (p {p_value(peak.p_value)})."
        )
    bound = "at least " if peak.bound else ""
    peaked = (
        f"{who}: mean exposure is highest, {bound}{number(peak.highest)} bits, first at epoch"
        f" {peak.step} (95 % interval {low} to {high}, over canaries and fits)"
    )
    if not peak.order:
        return f"{peaked}."
    return (
        f"{peaked}, {_ORDERS[peak.order]}. At the lowest test loss it is"
        f" {with_interval(peak.at_turn)} bits, {peak.share_at_turn:.0%} of the highest; from there"
        f" to epoch {last} it changes by {with_interval(peak.after_turn)} bits."
    )


_ORDERS = {
    "before": "before the test loss is lowest in any fit",
    "after": "after the test loss is lowest in every fit",
    "open": "not significantly different from where the test loss is lowest",
}


def _cost(title: str, trajectory: ExposureOverTraining) -> str:
    cost, count = trajectory.cost, len(trajectory.steps)
    share = "an unknown share" if np.isnan(cost) else f"{cost:.0%}"
    seconds = mean_of(trajectory.tracking_seconds).value / max(1, count)
    return (
        f"Cost of tracking ({title}): {count:,} measurements took {share} of the time of a fit,"
        f" {number(seconds)} seconds each with the test loss; they do not change the models."
    )


def _figure(run: StudyRun, trajectory: ExposureOverTraining) -> "Figure":
    curves = curves_of(trajectory)
    if trajectory.unit != "epoch":
        curves = replace(curves, seen=batches_seen(run))
    return figures.exposure_over_training(curves)
