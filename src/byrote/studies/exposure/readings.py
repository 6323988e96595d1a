"""Which batches read a canary, and what happens to its exposure then and afterwards."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.fits.job import job_of
from byrote.fits.texts import TextContent
from byrote.models.language.char_lstm.windows import Cut, as_one
from byrote.scores.exposure.levels import mean_exposure
from byrote.scores.exposure.trajectory import ExposureOverTraining
from byrote.studies.exposure.carried import Carried
from byrote.studies.findings import mean_of

Array = NDArray[np.float64]
Mean = tuple[float, float, float]


@dataclass(frozen=True)
class Readings:
    """Canaries inserted equally often, in a text that every epoch reads in the same order. Bits.

    Attributes
    ----------
    inserted, canaries
        How often; how many, counted in every fit.
    after_first
        Mean exposure at the last measurement within the first epoch, with its 95 % interval.
    spike
        Mean change from the measurement before an epoch's first reading to the one after its last,
        over the epochs from the second on, and then over canaries.
    decay
        Mean change from there to the measurement before the next epoch's first reading.
    """

    inserted: int
    canaries: int
    after_first: Mean
    spike: Mean
    decay: Mean


def batches_read(one: Carried, fit: int) -> list[NDArray[np.int64]]:
    """For each canary the batches of an epoch, from 1, in which a copy of it ends.

    Only of a model that reads the text in its order, as it says (``shuffle=False``).
    """
    model, records = one.request.model, one.records
    job = job_of(one.run.design, fit, one.request.settings.seed, keep_weights=False)
    text = as_one(TextContent(records.x).training(model, job))
    cut = Cut(model.batch_size, model.window)
    found = []
    for row in range(records.canaries):
        line = records.patterns[records.pattern[row]].prefix + records.completions[row] + "\n"
        ends = np.array([start + len(line) - 2 for start in _starts(text, line)], dtype=np.int64)
        found.append(np.unique(ends % cut.length(len(text)) // cut.window) + 1)
    return found


def epoch_of_batches(one: Carried, fit: int) -> int:
    """Batches of an epoch."""
    job = job_of(one.run.design, fit, one.request.settings.seed, keep_weights=False)
    texts = TextContent(one.records.x).training(one.request.model, job)
    return int(one.request.model.batches(texts))


def readings(one: Carried) -> tuple[Readings, ...]:
    """Of each level of insertion, rising; of controls only what they are after an epoch."""
    course = one.course
    first, spikes, decays = (np.full(len(course.fit), np.nan) for _ in range(3))
    for fit in np.unique(course.fit).tolist():
        rows = np.flatnonzero(course.fit == fit)
        length, read = epoch_of_batches(one, fit), batches_read(one, fit)
        within = np.flatnonzero(course.steps <= length)
        if len(within):
            first[rows] = course.bits[rows, within[-1]]
        for row, batches in zip(rows, read, strict=True):
            begun = length * np.arange(1, one.configuration.epochs)
            spikes[row], decays[row] = _changes(
                course.steps, course.bits[row], batches, begun, length
            )
    levels = np.unique(course.inserted).tolist()
    return tuple(_level(course, level, first, spikes, decays) for level in levels)


def _level(
    course: ExposureOverTraining, level: int, first: Array, spikes: Array, decays: Array
) -> Readings:
    which = course.inserted == level
    after, spike, decay = (
        mean_exposure(each[which], course.ids[which]) for each in (first, spikes, decays)
    )
    return Readings(level, int(which.sum()), after, spike, decay)


def _changes(
    steps: NDArray[np.int64],
    bits: NDArray[np.float64],
    batches: NDArray[np.int64],
    begun: NDArray[np.int64],
    length: int,
) -> tuple[float, float]:
    """Mean change of one canary when read, and until it is read again.

    begun: how many batches are done when each of the epochs in question begins.
    """
    if not len(batches):
        return np.nan, np.nan
    spikes, decays = [], []
    for start in begun.tolist():
        before = _last_before(steps, start + int(batches[0]))
        after = int(np.searchsorted(steps, start + int(batches[-1])))
        later = _last_before(steps, start + length + int(batches[0]))
        if before >= 0 and after < len(steps):
            spikes.append(bits[after] - bits[before])
            if later > after:
                decays.append(bits[later] - bits[after])
    return mean_of(spikes)[0], mean_of(decays)[0]


def _last_before(steps: NDArray[np.int64], batch: int) -> int:
    """The last measurement before a batch; -1 if there is none."""
    return int(np.searchsorted(steps, batch)) - 1


def _starts(text: str, line: str) -> list[int]:
    """Where a line stands."""
    found, start = [], text.find(line)
    while start >= 0:
        found.append(start)
        start = text.find(line, start + 1)
    return found
