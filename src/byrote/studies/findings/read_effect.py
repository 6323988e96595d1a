"""What reading a canary does to its exposure: the change when batches read it, and afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.models.language.char_lstm.windows import Cut, join_texts
from byrote.runs.job import job_of
from byrote.runs.kinds.canaries import TextContent
from byrote.scores.exposure.levels import mean_exposure
from byrote.scores.exposure.trajectory import ExposureOverTraining
from byrote.stats.estimate import Estimate
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import mean_of

Array = NDArray[np.float64]
Steps = NDArray[np.int64]


@dataclass(frozen=True)
class ReadEffect:
    """Canaries inserted equally often, in a text that every epoch reads in the same order. Bits.

    Attributes
    ----------
    inserted, canaries
        How often; how many, counted in every fit.
    after_first
        Mean exposure at the last measurement within the first epoch.
    spike
        Mean change from the measurement before an epoch's first reading to the one after its last,
        over the epochs from the second on, and then over canaries.
    decay
        Mean change from there to the measurement before the next epoch's first reading.
    """

    inserted: int
    canaries: int
    after_first: Estimate
    spike: Estimate
    decay: Estimate


def read_effects(run: StudyRun) -> tuple[ReadEffect, ...]:
    """Return the effect at each level of insertion, rising; of controls only ``after_first``."""
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

    Only for a model that reads the text in its order (``shuffle=False``).
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
    """Return the place of the last measurement before a batch; -1 if there is none."""
    return int(np.searchsorted(steps, batch)) - 1
