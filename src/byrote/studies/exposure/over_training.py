"""When a secret is memorized: exposure by epoch beside the test loss, and by batch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.report import figures
from byrote.report.format import number, p_value
from byrote.studies.exposure.carried import Carried
from byrote.studies.exposure.findings import times
from byrote.studies.exposure.peaks import Peak, peaks, turns
from byrote.studies.exposure.readings import Readings, batches_read, epoch_of_batches, readings
from byrote.studies.findings import Findings, Rows, mean_of, with_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SURE = 0.01  # p-value below which exposure is told from chance


def findings(carried: Sequence[Carried]) -> Findings:
    """Of configurations that were followed by epoch, or by batch."""
    tables: list[tuple[str, Rows]] = []
    remarks, drawn, data = [], {}, {}
    for one in carried:
        course = one.course
        by_epoch = course.unit == "epoch"
        found = _by_epoch(one) if by_epoch else _by_batch(one)
        tables.append(found[0])
        remarks += [*found[1], _cost(one)]
        drawn[f"exposure-{one.name}"] = _drawn(one)
        data[one.name] = {
            "unit": course.unit,
            "cost": course.cost,
            **found[2],
        }
    return Findings(tuple(tables), tuple(remarks), drawn, data)


def _by_epoch(one: Carried) -> tuple[tuple[str, Rows], list[str], dict[str, Any]]:
    course = one.course
    found, lowest, last = peaks(course), turns(course), int(course.steps[-1])
    head = (
        "inserted",
        "canaries",
        "exposure at the lowest test loss",
        "highest mean",
        "first at epoch [95 %]",
        "at the end",
    )
    rows = [head, *(_row(peak) for peak in found)]
    said = [_turned(lowest, last), *(_said(peak, last) for peak in found if peak.inserted)]
    data = {"lowest_test_loss": list(lowest), "peaks": [vars(peak) for peak in found]}
    return (f"Exposure in bits, {one.title}", rows), said, data


def _row(peak: Peak) -> tuple[str, ...]:
    low, high = peak.step_interval
    return (
        times(peak.inserted),
        f"{peak.canaries}",
        with_interval(peak.at_turn),
        f"{'≥ ' if peak.bound else ''}{number(peak.highest)}",
        f"{peak.step} [{low}, {high}]",
        with_interval(peak.at_end),
    )


def _turned(lowest: tuple[int, ...], last: int) -> str:
    """Where the fits begin to over-fit."""
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


def _said(peak: Peak, last: int) -> str:
    """Before, at or after the turn, as it came out."""
    who, (low, high) = f"Canaries {times(peak.inserted)}", peak.step_interval
    if not peak.p_value < _SURE:
        return (
            f"{who}: after training their exposure is not told from chance"
            f" (p {p_value(peak.p_value)}); their course is no course of memorization."
        )
    bound = "at least " if peak.bound else ""
    said = (
        f"{who}: mean exposure is first at its highest, {bound}{number(peak.highest)} bits, at"
        f" epoch {peak.step} (95 % from {low} to {high}, over canaries and fits)"
    )
    if not peak.order:
        return f"{said}."
    return (
        f"{said}, {_ORDERS[peak.order]}. At the lowest test loss it is"
        f" {with_interval(peak.at_turn)} bits, {peak.share_at_turn:.0%} of the highest; from there"
        f" to epoch {last} it changes by {with_interval(peak.after_turn)} bits."
    )


_ORDERS = {
    "before": "before the test loss is lowest in any fit",
    "after": "after the test loss is lowest in every fit",
    "open": "which cannot be told from where the test loss is lowest",
}


def _by_batch(one: Carried) -> tuple[tuple[str, Rows], list[str], dict[str, Any]]:
    found = readings(one)
    head = (
        "inserted",
        "canaries",
        "after the first epoch",
        "change when read",
        "change until read again",
    )
    rows = [head, *(_reading(each) for each in found)]
    said = [_read(each) for each in found if each.inserted]
    data = {"readings": [vars(each) for each in found]}
    return (f"Exposure in bits, {one.title}", rows), said, data


def _reading(found: Readings) -> tuple[str, ...]:
    means = (found.after_first, found.spike, found.decay)
    return (times(found.inserted), f"{found.canaries}", *map(with_interval, means))


def _read(found: Readings) -> str:
    return (
        f"Canaries {times(found.inserted)}: from the measurement before an epoch reads them to the"
        f" one after, exposure changes by {with_interval(found.spike)} bits on average (from the"
        f" second epoch on); until they are read again, by {with_interval(found.decay)} bits."
        f" After the first epoch it is {with_interval(found.after_first)} bits."
    )


def _cost(one: Carried) -> str:
    course = one.course
    share = "an unknown share" if np.isnan(course.cost) else f"{course.cost:.0%}"
    asked = mean_of(course.asking_seconds)[0]
    return (
        f"Following it ({one.title}): {len(course.steps):,} measurements took {share} of the time"
        f" of a fit, {number(asked / max(1, len(course.steps)))} seconds each with the test loss;"
        " the models are the same with and without."
    )


def _drawn(one: Carried) -> "Figure":
    course = one.course
    seen = None if course.unit == "epoch" else _seen(one)
    maximum = np.unique(course.maximum[~np.isnan(course.maximum)])
    return figures.exposure_over_training(
        figures.ExposureCourse(
            steps=course.steps,
            bits=course.bits,
            insertions=course.inserted,
            saturated=course.saturated,
            maximum=float(maximum[0]) if len(maximum) == 1 else None,
            seen=seen,
            loss_steps=course.loss_steps,
            train_loss=_mean(course.train_loss),
            test_loss=_mean(course.test_loss),
            unit=course.unit,
        )
    )


def _seen(one: Carried) -> NDArray[np.int64]:
    """The batches that read a canary in the first fit, of all epochs."""
    fit = one.run.finished[0]
    length = epoch_of_batches(one, fit)
    read = np.unique(np.concatenate(batches_read(one, fit)))
    begun = length * np.arange(one.configuration.epochs)
    return (begun[:, None] + read).ravel()


def _mean(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the fits that know a loss."""
    known = ~np.isnan(losses)
    count = known.sum(axis=0)
    total = np.where(known, losses, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
