"""Records as the rows of an array: each is trained on or held out, and has a score."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.data.records import is_pixels
from byrote.errors import InvalidInput, TrainingDiverged
from byrote.models import contract
from byrote.models.auto_values import resolved_values, with_values
from byrote.models.weights import BadWeights, weights_of, with_weights
from byrote.plans import Context, Design
from byrote.plans.pilot_plan import pilot_fits, pilot_plan, pilot_rows
from byrote.runs.epoch_recorder import EpochRecorder, EpochScorer
from byrote.runs.executors.pool import InProcess
from byrote.runs.forecast import Costs, Planned, doubling, extrapolated, run_pilots
from byrote.runs.job import BadLogProb, Content, Job, Outcome, Scored, Task, checked, job_of
from byrote.runs.kinds.pilot import Pilot, table_of, timed_fit
from byrote.runs.paths import RunPaths
from byrote.runs.record_files import RecordFile, names_file
from byrote.runs.resolve_auto import resolve_by_fits
from byrote.runs.sharing import InMemory, readonly
from byrote.runs.worker import peak_memory

LOSS_ROWS = 2000  # held-out records on which each epoch's loss is measured, at most
_FEW = 64
_LONG_ENOUGH = 5.0  # seconds of a pilot fit: noise falls with the number of records
_BYTES_PER_VALUE, _BYTES_PER_FIT = 9, 4500  # of a fit's file, measured


@dataclass(frozen=True, eq=False)
class ArrayContent:
    """The (n, ...) array of all records, as a fit uses it."""

    x: NDArray[Any]

    def __len__(self) -> int:
        return len(self.x)

    def values(self, rows: NDArray[np.integer] | None) -> Any:
        """Return the records in these rows, or all."""
        return self.x if rows is None else self.x[rows]

    def log_determinant(self, rows: NDArray[np.integer] | None) -> Any:  # noqa: ARG002
        """Return what is to be added to log-densities of values: 0, as they are the records."""
        return 0.0

    def training(self, model: Any, job: Job) -> Any:
        """Return the rows that are not held out."""
        return contract.as_input(model, self.values(job.training_rows()))

    def scored(self, model: Any, job: Job, *, mid_training: bool = False) -> Scored:  # noqa: ARG002
        """Score the counted rows by ``score_samples``, with the model's own diagnostics.

        They are read-only: a model that writes into its input would change what it scores next.
        """
        x = readonly(contract.as_input(model, self.values(job.counted)))
        log_prob = checked(model.score_samples(x), len(x)) + self.log_determinant(job.counted)
        return Scored(log_prob, contract.diagnostics(model, len(x)))

    def loss(self, model: Any, job: Job) -> float:
        """Compute the model's loss on held-out records, in nats per record."""
        held_out = loss_rows(job)
        if not contract.has_loss(model) or not len(held_out):
            return float("nan")
        loss = float(model.loss(contract.as_input(model, self.values(held_out))))
        return loss - float(np.mean(self.log_determinant(held_out)))

    def facts(self, model: Any, job: Job) -> Mapping[str, Any]:  # noqa: ARG002
        """Return nothing: the model's own facts are all."""
        return {}


def loss_rows(job: Job) -> NDArray[np.uint32]:
    """Return the held-out rows of a fit, or a random subset of ``LOSS_ROWS`` of them."""
    if len(job.held_out) <= LOSS_ROWS:
        return job.held_out
    generator = np.random.default_rng(job.evaluation_seed)
    chosen = generator.choice(len(job.held_out), LOSS_ROWS, replace=False)
    return job.held_out[np.sort(chosen)]


@dataclass(frozen=True, kw_only=True)
class Forecast(Costs):
    """Costs of a run that scores records.

    release: whether there is also a fit on all records. compiled: whether the run will be compiled,
    unlike its pilot.
    """

    pilot_records: int
    pilot_fits: int
    release: bool = False
    compiled: bool = False


@dataclass(frozen=True, eq=False)
class Arrays:
    """A run on records that are rows of an array."""

    records: Any
    content: ClassVar[type[Content]] = ArrayContent
    noun = "the records"
    safe_errors: ClassVar[tuple[type[BaseException], ...]] = (
        BadLogProb, BadWeights, TrainingDiverged,
    )  # fmt: skip
    places = 0

    @property
    def shared(self) -> NDArray[Any]:
        """The records."""
        return self.records.x

    def check(self, model: Any) -> None:
        """Reject a language model, and records that any other model rejects."""
        if contract.takes_texts(model):
            raise InvalidInput(
                f"model must take numbers; {type(model).__name__} takes texts, whose memorization"
                " byrote.score_exposure measures (byrote expose)"
            )
        contract.check_input(model, self._values)

    def parts(self, design: Design, seed: int) -> Iterator[tuple[int, Any]]:
        """Yield random records, 64 and twice as many up to those of the first fit.

        Some models need more than a few: a mixture, one for each component.
        """
        most = len(design.training_rows(0))
        for count in doubling(min(_FEW, most), most):
            generator = seeds.generator(seed, seeds.Purpose.REHEARSAL)
            yield count, self._taken(self._some(generator, count))

    def made_up(self, design: Design, seed: int) -> Any:
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
        part: Any,
        *,
        track: bool,
        keep: bool,
        threads: int,  # noqa: ARG002
    ) -> None:
        """Train on all of the part and score 64 of it; score in the middle too if tracked."""
        copy = contract.seeded_clone(model, training=0, noise=0)
        content: Any = self.content(readonly(part))
        count = len(content)
        few = np.arange(min(_FEW, count), dtype=np.uint32)
        job = Job(0, count, few[:0], few, training_seed=0, evaluation_seed=0, noise_seed=0)
        scorer = EpochScorer(copy, content, job, {1}) if track else None
        contract.fit(copy, content.training(copy, job), EpochRecorder(scorer))
        content.scored(copy, job)
        if track and contract.has_loss(copy):
            content.loss(copy, replace(job, held_out=few))
        if keep:
            with_weights(contract.seeded_clone(model, training=0, noise=0), weights_of(copy))

    def forecast(self, planned: Planned) -> Forecast:
        """Fit random parts, twice the last one, as the plan would."""
        return self.costs(planned, self.pilot(planned))

    def pilot(self, planned: Planned, growth: Pilot | None = None) -> Pilot:
        """Carry out a few fits like those of the plan, on as many records as another pilot used.

        Without another, on as many as take long enough.
        """

        def fit(rows: NDArray[np.intp]) -> tuple[float, tuple[NDArray[np.intp], Design, Outcome]]:
            design = self._pilot_design(planned, rows)
            taken, outcome = self._pilot_fit(planned, rows, design, 0)
            return taken, (rows, design, outcome)

        if growth is None:
            share = len(planned.design.training_rows(0)) / planned.design.n
            smallest = min(planned.design.n, round(planned.smallest / share) + 1)
            sizes = doubling(smallest, planned.design.n)
            parts = {len(rows): rows for rows in (self._pilot_rows(planned, k) for k in sizes)}
            times, (rows, design, first) = run_pilots(
                parts, lambda size: fit(parts[size]), _LONG_ENOUGH
            )
            seconds = [times[-1][1]]
        else:
            taken, (rows, design, first) = fit(self._pilot_rows(planned, growth.records))
            times, seconds = growth.times, [taken]
        if planned.before:
            planned = replace(planned, model=self._resolved(planned, rows, design))
            seconds[0], first = self._pilot_fit(planned, rows, design, 0)
        outcomes = {0: first}
        for number in pilot_fits(design)[1:]:
            taken, outcomes[number] = self._pilot_fit(planned, rows, design, number)
            seconds.append(taken)
        typical = float(np.median(seconds)) / times[-1][1]
        times = [(size, typical * taken) for size, taken in times]
        return Pilot(table_of(design, outcomes), times, first, peak_memory())

    def costs(self, planned: Planned, pilot: Pilot) -> Forecast:
        """Extrapolate a pilot to the run."""
        design, records = planned.design, self.records
        per_fit = extrapolated(pilot.times, design.n)
        process = pilot.memory  # holds all records already, as a worker holds its own
        converted = contract.input_bytes(planned.model, records.x)
        workers = planned.processes * (process + converted - records.x.nbytes)
        settled = resolved_values(planned.model, records.x.shape, design.fits)
        return Forecast(
            fits=design.fits,
            pilot_records=pilot.records,
            pilot_fits=pilot.fits,
            seconds_per_fit=per_fit,
            seconds=planned.total(per_fit),
            memory=process + (workers or converted),
            disk=_disk(planned, pilot.outcome),
            release=planned.keeps,
            compiled=bool(settled.get("compile")),
            overhead=planned.overhead,
        )

    def files(self, paths: RunPaths) -> Sequence[RecordFile]:
        """Return the file of ids and labels."""
        return (names_file(paths, self.records),)

    @property
    def _values(self) -> Any:
        """The records as the model gets them."""
        return self.records.x

    def _taken(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        """Return what workers would share of some of the records."""
        return np.asarray(self.shared[rows])

    def _some(self, generator: np.random.Generator, count: int) -> NDArray[np.intp]:
        return np.sort(generator.choice(len(self.records), count, replace=False))

    def _pilot_rows(self, planned: Planned, size: int) -> NDArray[np.intp]:
        generator = seeds.generator(planned.seed, seeds.Purpose.REHEARSAL, 1)
        return pilot_rows(planned.plan, len(self.records), size, generator)

    def _pilot_design(self, planned: Planned, rows: NDArray[np.intp]) -> Design:
        records = self.records
        labels = None if records.labels is None else records.labels[rows]
        plan = pilot_plan(planned.plan, planned.design, rows)
        return plan.draw(Context(len(rows), planned.seed, records.ids[rows], labels))

    def _pilot_fit(
        self, planned: Planned, rows: NDArray[np.intp], design: Design, fit: int
    ) -> tuple[float, Outcome]:
        """Carry out a fit on some of the records; return its seconds and its outcome."""
        task = replace(self._pilot_task(planned, rows), track=planned.track)
        job = replace(job_of(design, fit, planned.seed), keep_weights=planned.keeps)
        return timed_fit(task, job, design)

    def _resolved(self, planned: Planned, rows: NDArray[np.intp], design: Design) -> Any:
        """Return the model with what two pilot fits resolve for the run."""
        task = self._pilot_task(planned, rows)
        values = resolve_by_fits(InProcess(), task, design, planned.seed, planned.design.fits)
        return with_values(planned.model, values)

    def _pilot_task(self, planned: Planned, rows: NDArray[np.intp]) -> Task:
        return Task(planned.model, InMemory(self._taken(rows)), self.content, planned.threads)


def _disk(planned: Planned, outcome: Outcome) -> int:
    design = planned.design
    counted = sum(len(design.counted_rows(fit)) for fit in range(design.fits))
    epochs = len({*planned.track, contract.epochs(planned.model)})  # the last is always scored
    values = counted * epochs * (_BYTES_PER_VALUE + 4 * len(outcome.diagnostics))
    weights = sum(array.nbytes for array in (outcome.weights or {}).values())
    return values + _BYTES_PER_FIT * design.fits + planned.models * weights
