"""When a secret is memorized: exposure by epoch beside the test loss, and by batch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote import figures
from byrote.report.format import number, p_value
from byrote.scores.exposure.trajectory import ExposureOverTraining
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import (
    Findings,
    as_data,
    combine,
    mean_of,
    times,
    with_interval,
)
from byrote.studies.findings.peaks import Peak, column_means, peaks, turns
from byrote.studies.findings.read_effect import (
    ReadEffect,
    batches_per_epoch,
    batches_read,
    read_effects,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIGNIFICANT = 0.01  # p-value below which exposure differs from chance


def exposure_over_training(runs: Sequence[StudyRun]) -> Findings:
    """Follow exposure in runs that were measured after every epoch, or after some batches."""
    return combine([_followed(run) for run in runs])


def _followed(run: StudyRun) -> Findings:
    trajectory: ExposureOverTraining = run.run.trajectory(partial=True)
    by_epoch = trajectory.unit == "epoch"
    rows, remarks, data = _by_epoch(trajectory) if by_epoch else _by_batch(run)
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
        times(peak.inserted),
        f"{peak.canaries}",
        with_interval(peak.at_turn),
        f"{'≥ ' if peak.bound else ''}{number(peak.highest)}",
        f"{peak.step} [{low}, {high}]",
        with_interval(peak.at_end),
    )


def _turn(lowest: tuple[int, ...], last: int) -> str:
    """Return where the fits begin to over-fit."""
    if not lowest:
        return "There is no test loss: no text was set apart."
    epochs = sorted(set(lowest))
    where = f"epoch {epochs[0]}" if len(epochs) == 1 else f"epochs {', '.join(map(str, epochs))}"
    if epochs[-1] == last:
        return (
            f"The test loss is lowest at {where} of {last}: it still fell when training ended, and"
            " nothing can be said of over-fitting."
        )
    of_fits = "in every fit" if len(epochs) == 1 else "in one fit or another"
    return f"The test loss is lowest at {where} of {last}, {of_fits}; from there on it over-fits."


def _peaked(peak: Peak, last: int) -> str:
    """Return whether exposure peaks before, at or after the lowest test loss."""
    who, (low, high) = f"Canaries {times(peak.inserted)}", peak.step_interval
    if not peak.p_value < _SIGNIFICANT:
        return (
            f"{who}: after training their exposure is not told from chance"
            f" (p {p_value(peak.p_value)}); their course is no course of memorization."
        )
    bound = "at least " if peak.bound else ""
    peaked = (
        f"{who}: mean exposure is first at its highest, {bound}{number(peak.highest)} bits, at"
        f" epoch {peak.step} (95 % from {low} to {high}, over canaries and fits)"
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
    "open": "which cannot be told from where the test loss is lowest",
}


def _by_batch(run: StudyRun) -> tuple[list[tuple[str, ...]], list[str], dict[str, Any]]:
    effects = read_effects(run)
    head = ("inserted", "canaries", "after the first epoch", "change when read",
            "change until read again")  # fmt: skip
    remarks = [_read(effect) for effect in effects if effect.inserted]
    return [head, *map(_read_row, effects)], remarks, {"readings": list(map(as_data, effects))}


def _read_row(effect: ReadEffect) -> tuple[str, ...]:
    means = (effect.after_first, effect.spike, effect.decay)
    return (times(effect.inserted), f"{effect.canaries}", *map(with_interval, means))


def _read(effect: ReadEffect) -> str:
    return (
        f"Canaries {times(effect.inserted)}: from the measurement before an epoch reads them to the"
        f" one after, exposure changes by {with_interval(effect.spike)} bits on average (from the"
        f" second epoch on); until they are read again, by {with_interval(effect.decay)} bits."
        f" After the first epoch it is {with_interval(effect.after_first)} bits."
    )


def _cost(title: str, trajectory: ExposureOverTraining) -> str:
    cost, count = trajectory.cost, len(trajectory.steps)
    share = "an unknown share" if np.isnan(cost) else f"{cost:.0%}"
    seconds = mean_of(trajectory.tracking_seconds).value / max(1, count)
    return (
        f"Following it ({title}): {count:,} measurements took {share} of the time of a fit,"
        f" {number(seconds)} seconds each with the test loss; the models are the same with and"
        " without."
    )


def _figure(run: StudyRun, trajectory: ExposureOverTraining) -> "Figure":
    maximum = np.unique(trajectory.maximum[~np.isnan(trajectory.maximum)])
    return figures.exposure_over_training(
        figures.ExposureTrajectory(
            steps=trajectory.steps,
            bits=trajectory.bits,
            insertions=trajectory.inserted,
            saturated=trajectory.saturated,
            maximum=float(maximum[0]) if len(maximum) == 1 else None,
            seen=None if trajectory.unit == "epoch" else _batches_seen(run),
            loss_steps=trajectory.loss_steps,
            train_loss=column_means(trajectory.train_loss),
            test_loss=column_means(trajectory.test_loss),
            unit=trajectory.unit,
        )
    )


def _batches_seen(run: StudyRun) -> NDArray[np.int64]:
    """Return the batches of all epochs that read a canary in the first fit."""
    fit = run.run.finished[0]
    read = np.unique(np.concatenate(batches_read(run, fit)))
    starts = batches_per_epoch(run, fit) * np.arange(run.declared.epochs)
    return (starts[:, None] + read).ravel()
