"""The effect of reading a canary on its exposure: the change when read, and afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.models.language.char_lstm.windows import Cut, join_texts
from byrote.report.format import insertions, with_interval
from byrote.runs.job import job_of
from byrote.runs.kinds.canaries import TextContent
from byrote.scores.exposure.levels import mean_exposure
from byrote.scores.exposure.trajectory import ExposureOverTraining
from byrote.stats.estimate import Estimate
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import as_data, mean_of

Array = NDArray[np.float64]
Steps = NDArray[np.int64]


@dataclass(frozen=True)
class ReadEffect:
    """Mean changes of the exposure of canaries inserted equally often; bits.

    spike: from the measurement before an epoch first reads a canary to the one after its last
    reading, from the second epoch on. decay: from there to the measurement before the next reading.
    """

    inserted: int
    canaries: int  # in all fits
    after_first: Estimate  # exposure at the last measurement within the first epoch
    spike: Estimate
    decay: Estimate


def read_effects(run: StudyRun) -> tuple[ReadEffect, ...]:
    """Return the effect at each level of insertion; of controls only ``after_first``."""
    trajectory: ExposureOverTraining = run.run.trajectory(partial=True)
    first, spikes, decays = (np.full(len(trajectory.fit), np.nan) for _ in range(3))
    for fit in np.unique(trajectory.fit).tolist():
        rows = np.flatnonzero(trajectory.fit == fit)
        length, read = batches_per_epoch(run, fit), batches_read(run, fit)
        within = np.flatnonzero(trajectory.steps <= length)
        if len(within):
            first[rows] = trajectory.bits[rows, within[-1]]
        starts = length * np.arange(1, run.declared.epochs)
        for row, batches in zip(rows, read, strict=True):
            bits = trajectory.bits[row]
            spikes[row], decays[row] = changes(trajectory.steps, bits, batches, starts, length)
    return tuple(_levels(trajectory, first, spikes, decays))


def _levels(trajectory: ExposureOverTraining, *columns: Array) -> Iterator[ReadEffect]:
    for level in np.unique(trajectory.inserted).tolist():
        rows = trajectory.inserted == level
        means = [mean_exposure(column[rows], trajectory.ids[rows]) for column in columns]
        yield ReadEffect(level, int(rows.sum()), *means)


def batches_read(run: StudyRun, fit: int) -> list[Steps]:
    """Return, for each canary, the batches of an epoch, from 1, in which a copy of it ends.

    Requires a model that reads the text in order (``shuffle=False``).
    """
    model, records = run.request.model, run.records
    text = join_texts(_training_texts(run, fit))
    cut = Cut(model.batch_size, model.window)
    batches = []
    for row in range(records.canaries):
        line = records.patterns[records.pattern[row]].prefix + records.completions[row] + "\n"
        ends = np.array([start + len(line) - 2 for start in _occurrences(text, line)], np.int64)
        batches.append(np.unique(ends % cut.length(len(text)) // cut.window) + 1)
    return batches


def batches_per_epoch(run: StudyRun, fit: int) -> int:
    """Return the number of batches in an epoch."""
    return int(run.request.model.batches(_training_texts(run, fit)))


def _training_texts(run: StudyRun, fit: int) -> list[str]:
    job = job_of(run.run.design, fit, run.request.settings.seed, keep_weights=False)
    return TextContent(run.records.x).training(run.request.model, job)


def _occurrences(text: str, line: str) -> Iterator[int]:
    start = text.find(line)
    while start >= 0:
        yield start
        start = text.find(line, start + 1)


def changes(
    steps: Steps, bits: Array, batches: Steps, starts: Steps, length: int
) -> tuple[float, float]:
    """Return the mean change of one canary when it is read, and until it is read again.

    starts: number of batches before each epoch. length: number of batches in an epoch.
    """
    if not len(batches):
        return np.nan, np.nan
    spikes, decays = [], []
    for start in starts.tolist():
        before = _last_before(steps, start + int(batches[0]))
        after = int(np.searchsorted(steps, start + int(batches[-1])))
        later = _last_before(steps, start + length + int(batches[0]))
        if before >= 0 and after < len(steps):
            spikes.append(bits[after] - bits[before])
            if later > after:
                decays.append(bits[later] - bits[after])
    return mean_of(spikes).value, mean_of(decays).value


def _last_before(steps: Steps, batch: int) -> int:
    """Return the place of the last measurement before a batch, or -1."""
    return int(np.searchsorted(steps, batch)) - 1


def batches_seen(run: StudyRun) -> NDArray[np.int64]:
    """Return the batches of all epochs that read a canary in the first fit."""
    fit = run.run.finished[0]
    read = np.unique(np.concatenate(batches_read(run, fit)))
    starts = batches_per_epoch(run, fit) * np.arange(run.declared.epochs)
    return (starts[:, None] + read).ravel()


# -- the table ------------------------------------------------------------------------------------


def effects_of_reading(
    run: StudyRun,
) -> tuple[list[tuple[str, ...]], list[str], dict[str, Any]]:
    """Return table, remarks and data on the effect of reading a canary, by level of insertion."""
    effects = read_effects(run)
    head = ("inserted", "canaries", "after the first epoch", "change when read",
            "change until read again")  # fmt: skip
    remarks = [_read(effect) for effect in effects if effect.inserted]
    return [head, *map(_read_row, effects)], remarks, {"read_effects": list(map(as_data, effects))}


def _read_row(effect: ReadEffect) -> tuple[str, ...]:
    means = (effect.after_first, effect.spike, effect.decay)
    return (insertions(effect.inserted), f"{effect.canaries}", *map(with_interval, means))


def _read(effect: ReadEffect) -> str:
    return (
        f"Canaries {insertions(effect.inserted)}: when an epoch reads them, exposure changes by"
        f" {with_interval(effect.spike)} bits on average (from the second epoch on); until they are"
        f" read again, by {with_interval(effect.decay)} bits. After the first epoch it is"
        f" {with_interval(effect.after_first)} bits."
    )
