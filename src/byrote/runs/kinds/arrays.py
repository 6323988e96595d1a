"""Records as the rows of an array: each is trained on or held out, and has a score."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.data.records import Records, is_pixels
from byrote.errors import InvalidInput, TrainingDiverged
from byrote.models import contract
from byrote.models.weights import BadWeights, weights_of, with_weights
from byrote.plans import Design
from byrote.plans.design import Units, rows
from byrote.runs.epoch_recorder import EpochRecorder, EpochScorer
from byrote.runs.forecast import Costs, Planned, doubling, extrapolated, run_pilots
from byrote.runs.job import BadLogProb, Job, Outcome, Scored, Task, checked
from byrote.runs.paths import RunPaths
from byrote.runs.record_files import RecordFile, names_file
from byrote.runs.sharing import InMemory, readonly
from byrote.runs.worker import peak_memory, run_job

LOSS_ROWS = 2000  # held-out records on which each epoch's loss is measured, at most
_FEW = 64
_BYTES_PER_VALUE, _BYTES_PER_FIT = 9, 4500  # of a fit's file, measured


@dataclass(frozen=True, eq=False)
class ArrayContent:
    """The (n, ...) array of all records, as a fit uses it."""

    x: NDArray[Any]

    def training(self, model: Any, job: Job) -> NDArray[Any]:
        """Return the rows that are not held out."""
        return contract.as_input(model, self.x[job.training_rows()])

    def scored(self, model: Any, job: Job, *, mid_training: bool = False) -> Scored:  # noqa: ARG002
        """Score the counted rows by ``score_samples``, with the model's own diagnostics.

        They are read-only: a model that writes into its input would change what it scores next.
        """
        counted = self.x if job.counted is None else self.x[job.counted]
        x = readonly(contract.as_input(model, counted))
        log_prob = checked(model.score_samples(x), len(x))
        return Scored(log_prob, contract.diagnostics(model, len(x)))

    def loss(self, model: Any, job: Job) -> float:
        """Compute the model's loss on held-out records, in nats per record."""
        held_out = loss_rows(job)
        if not contract.has_loss(model) or not len(held_out):
            return float("nan")
        return float(model.loss(contract.as_input(model, self.x[held_out])))

    def facts(self, model: Any, job: Job) -> Mapping[str, Any]:  # noqa: ARG002
        """Return nothing: the model's own facts are all."""
        return {}


def loss_rows(job: Job) -> NDArray[np.uint32]:
    """Return the held-out rows of a fit, or a random subset of ``LOSS_ROWS`` of them."""
    if len(job.held_out) <= LOSS_ROWS:
        return job.held_out
    generator = np.random.default_rng(job.evaluation_seed)
    return np.sort(generator.choice(job.held_out, LOSS_ROWS, replace=False))


@dataclass(frozen=True, kw_only=True)
class Forecast(Costs):
    """Costs of a run that scores records, and the standard error to expect, nats.

    ``standard_error`` is that of mean_log for a median record, from the difference between two
    pilot fits, with the same seeds where the plan makes pairs. Pilots see fewer records than the
    run will, and noise falls with their number, so it errs on the high side; but the fits of a pair
    have the more in common the fewer steps they take. ``units`` are what the jackknife leaves out;
    ``values_in`` and ``values_out`` the mean numbers of values of a scored record on each side;
    ``release`` is true if there is also a fit on all records. A run that will be ``compiled`` takes
    less time than its pilots, which were not.
    """

    pilot_records: int
    values_in: float
    values_out: float
    standard_error: float
    units: Units = "repeats"
    release: bool = False
    compiled: bool = False


@dataclass(frozen=True, eq=False)
class Arrays:
    """A run on records that are rows of an array."""

    records: Records
    content = ArrayContent
    noun = "the records"
    safe_errors = (BadLogProb, BadWeights, TrainingDiverged)
    places = 0

    def check(self, model: Any) -> None:
        """Reject a language model, and records that any other model rejects."""
        if contract.takes_texts(model):
            raise InvalidInput(
                f"model must take numbers; {type(model).__name__} takes texts, whose memorization"
                " byrote.score_exposure measures (byrote expose)"
            )
        contract.check_input(model, self.records.x)

    def parts(self, design: Design, seed: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield random records, 64 and twice as many up to those of the first fit.

        Some models need more than a few: a mixture, one for each component.
        """
        most = len(design.training_rows(0))
        for count in doubling(min(_FEW, most), most):
            generator = seeds.generator(seed, seeds.Purpose.REHEARSAL)
            yield count, self.records.x[self._some(generator, count)]

    def made_up(self, design: Design, seed: int) -> NDArray[Any]:
        """Draw records of the same shape, type and, roughly, range."""
        most = len(design.training_rows(0))
        generator = seeds.generator(seed, seeds.Purpose.REHEARSAL)
        self._some(generator, most)  # as the last part did
        x, shape = self.records.x, (min(_FEW, most), *self.records.shape)
        if is_pixels(x):
            return generator.integers(0, 256, shape, dtype=np.uint8)
        unit = x.min() >= 0 and x.max() <= 1
        values = generator.random(shape) if unit else generator.standard_normal(shape)
        return values.astype(x.dtype)

    def try_fit(
        self,
        model: Any,
        part: NDArray[Any],
        *,
        track: bool,
        keep: bool,
        threads: int,  # noqa: ARG002
    ) -> None:
        """Train on all of the part and score 64 of it; score in the middle too if tracked."""
        copy = contract.seeded_clone(model, training=0, noise=0)
        few = np.arange(min(_FEW, len(part)), dtype=np.uint32)
        job = Job(0, len(part), few[:0], few, training_seed=0, evaluation_seed=0, noise_seed=0)
        content = ArrayContent(readonly(part))
        scorer = EpochScorer(copy, content, job, {1}) if track else None
        contract.fit(copy, content.training(copy, job), EpochRecorder(scorer))
        content.scored(copy, job)
        if track and contract.has_loss(copy):
            copy.loss(contract.as_input(copy, part[:_FEW]))
        if keep:
            with_weights(contract.seeded_clone(model, training=0, noise=0), weights_of(copy))

    def forecast(self, planned: Planned) -> Forecast:
        """Fit random parts, twice the last one, as the plan would."""
        design, records = planned.design, self.records
        share = len(design.training_rows(0)) / design.n  # of records that a model trains on
        smallest = min(design.n, round(planned.smallest / share) + 1)

        def fit(size: int, number: int = 0) -> tuple[float, Outcome]:
            started = time.perf_counter()
            outcome = self._pilot(planned, _pilot_job(design, size, share, number))
            return time.perf_counter() - started, outcome

        times, first = run_pilots(doubling(smallest, design.n), fit)
        _, second = fit(times[-1][0], 1)
        per_fit = extrapolated(times, design.n)
        seconds, starting = planned.total(per_fit)
        inside, outside = _values_per_record(design)
        process = peak_memory()  # holds all records already, as a worker holds its own
        converted = contract.input_bytes(planned.model, records.x)
        workers = planned.processes * (process + converted - records.x.nbytes)
        settled = contract.resolved_values(planned.model, records.x.shape, design.fits)
        return Forecast(
            fits=design.fits,
            pilot_records=times[-1][0],
            seconds_per_fit=per_fit,
            seconds=seconds,
            memory=process + (workers or converted),
            disk=_disk(planned, first),
            values_in=inside,
            values_out=outside,
            standard_error=_standard_error(design, _noise(first, second), inside, outside),
            units=design.units,
            release=planned.keeps,
            compiled=bool(settled.get("compile")),
            starting=starting,
        )

    def files(self, paths: RunPaths) -> Sequence[RecordFile]:
        """Return the file of ids and labels."""
        return (names_file(paths, self.records),)

    def _some(self, generator: np.random.Generator, count: int) -> NDArray[np.intp]:
        return np.sort(generator.choice(len(self.records), count, replace=False))

    def _pilot(self, planned: Planned, job: Job) -> Outcome:
        """Carry out a job on some records, and score all of them."""
        generator = seeds.generator(planned.seed, seeds.Purpose.REHEARSAL, 1)
        x = self.records.x[self._some(generator, job.n)]
        task = Task(planned.model, InMemory(x), ArrayContent, planned.threads, track=planned.track)
        outcome = run_job(task, replace(job, keep_weights=planned.keeps))
        if outcome.log_prob is None:
            raise InvalidInput(f"model: a pilot fit of {job.n} records failed: {outcome.failure}")
        return outcome


def _pilot_job(design: Design, size: int, share: float, number: int) -> Job:
    """Train on a random share of the records; in a pair, the second fit is the first one's twin."""
    left_out = min(size - 1, round((1 - share) * size))
    if design.units != "pairs":
        held_out = np.random.default_rng(number).choice(size, left_out, replace=False)
        return Job(number, size, rows(held_out), None, number, number, 0)
    shuffled = np.random.default_rng(0).permutation(size)
    left_out = min(left_out, size // 2)
    first, second = rows(shuffled[:left_out]), rows(shuffled[left_out : 2 * left_out])
    return Job(number, size, second if number else first, None, 0, 0, 0, leader_held_out=first)


def _disk(planned: Planned, outcome: Outcome) -> int:
    design = planned.design
    counted = sum(len(design.counted_rows(fit)) for fit in range(design.fits))
    epochs = len({*planned.track, contract.epochs(planned.model)})  # the last is always scored
    values = counted * epochs * (_BYTES_PER_VALUE + 4 * len(outcome.diagnostics))
    weights = sum(array.nbytes for array in (outcome.weights or {}).values())
    return values + _BYTES_PER_FIT * design.fits + planned.models * weights


def _noise(first: Outcome, second: Outcome) -> float:
    """Estimate a record's standard deviation from one fit to another, robustly; nats."""
    with np.errstate(invalid="ignore"):
        difference = np.abs(np.asarray(first.log_prob) - np.asarray(second.log_prob))
    # The quartile of a normal is 0.6745 sd, and a difference of two has sqrt(2) times the sd.
    return float(np.nanmedian(difference) / 0.6745 / np.sqrt(2))


def _standard_error(design: Design, noise: float, inside: float, outside: float) -> float:
    """Estimate the standard error of mean_log; NaN where the run will have none."""
    alone = design.units != "fits" and len(np.unique(design.repeat)) < 2
    return np.nan if alone or not outside else noise * float(np.sqrt(1 / inside + 1 / outside))


def _values_per_record(design: Design) -> tuple[float, float]:
    """Return mean numbers of values in and out, over the scored records."""
    inside = outside = 0
    scored = np.zeros(design.n, dtype=bool)
    for fit in range(design.fits):
        role: NDArray[np.int8] = design.role(fit)
        inside += int((role > 0).sum())
        outside += int((role < 0).sum())
        scored |= role != 0
    return inside / scored.sum(), outside / scored.sum()
