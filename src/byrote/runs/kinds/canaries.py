"""A text with canaries planted in it: a fit trains on the text, and scores completions."""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.attacks.completion_bits import candidate_bits
from byrote.attacks.enumeration import check_size
from byrote.attacks.ranks import find_ranks
from byrote.data.canaries import Canary
from byrote.data.canary_records import CanaryRecords
from byrote.data.corpus import Corpus
from byrote.errors import InvalidInput, TrainingDiverged
from byrote.models import contract
from byrote.models.weights import BadWeights, weights_of, with_weights
from byrote.plans import Design
from byrote.runs.determinism import controlled
from byrote.runs.epoch_recorder import EpochRecorder
from byrote.runs.forecast import Costs, Planned, doubling, extrapolated, run_pilots, timed
from byrote.runs.job import BadLogProb, Job, Scored, Task, checked, job_of
from byrote.runs.kinds.excerpt import FIRST, beginning, epochs_of, quick
from byrote.runs.paths import RunPaths
from byrote.runs.record_files import RecordFile, canaries_file, names_file
from byrote.runs.sharing import InMemory
from byrote.runs.worker import fit_and_score, peak_memory

# Columns of a fit's file for the fields of ``Ranks``, by the end of the column's name.
RANK_COLUMNS = {"": "rank", **{f"_{name}": name for name in ("low", "high", "least", "most")}}
# How a rank was found, by its number in a fit's file.
RANK_METHODS = ("", "search", "enumeration", "model_sampled")
_SAMPLES = 10_000  # of the model, where a search does not reach
_RANK_NAMES = {"exact": "enumeration"}
_MOST = 1 << 17  # characters on which a model is tried before it is refused
_BYTES_PER_VALUE, _BYTES_PER_CANARY, _BYTES_PER_FIT = 10, 30, 5000  # of a fit's file, measured


class TextContent:
    """``CanaryRecords`` as the bytes that workers share.

    Every row is a completion of a pattern, scored by its log-likelihood after the pattern's prefix,
    nats. Canaries also have diagnostics: their rank among all completions, as far as known
    (``rank``, its bounds, and the method).
    """

    def __init__(self, array: NDArray[Any]) -> None:
        self._content = json.loads(array.tobytes())
        self._pattern = np.array(self._content["pattern"])
        self._canary = np.arange(len(self._pattern)) < self._content["canaries"]

    @cached_property
    def _corpus(self) -> Corpus:
        return Corpus(tuple(self._content["documents"]))

    @cached_property
    def _patterns(self) -> list[Canary]:
        return [Canary(**spec) for spec in self._content["patterns"]]

    def training(self, model: Any, job: Job) -> list[str]:  # noqa: ARG002
        """Return the documents, with each copy of each canary as a line of its own."""
        completions = self._content["completions"]
        lines = [
            self._patterns[self._pattern[row]].prefix + completions[row]
            for row in job.training_rows()
        ]
        places = np.empty(0, dtype=np.int64) if job.places is None else job.places
        return self._corpus.with_lines(places, lines)

    def scored(self, model: Any, job: Job, *, mid_training: bool = False) -> Scored:
        """Score all completions, and find the ranks of the canaries.

        In the middle of training the search has a fifth of the queries.
        """
        n = len(self._pattern)
        log_prob = np.empty(n)
        ranks = {f"rank{end}": np.full(n, np.nan) for end in RANK_COLUMNS}
        ranks["rank_method"] = np.zeros(n)
        for number, pattern in enumerate(self._patterns):
            rows = np.flatnonzero(self._pattern == number)
            log_prob[rows] = -np.log(2) * candidate_bits(model, pattern, self._texts(rows))
            if self._content["measurement"]["method"] != "none":
                share = 5 if mid_training else 1
                self._rank(model, pattern, rows[self._canary[rows]], job, ranks, share)
        return Scored(checked(log_prob, n), ranks)

    def _rank(
        self,
        model: Any,
        pattern: Canary,
        rows: NDArray[np.intp],
        job: Job,
        columns: Mapping[str, NDArray[np.float64]],
        share: int,
    ) -> None:
        measurement = self._content["measurement"]
        ranks = find_ranks(
            model,
            pattern,
            self._texts(rows),
            method=_RANK_NAMES.get(measurement["method"], measurement["method"]),
            max_queries=-(-measurement["max_queries"] // share),
            samples=_SAMPLES // share,
            seed=job.evaluation_seed,
        )
        for end, name in RANK_COLUMNS.items():
            columns[f"rank{end}"][rows] = getattr(ranks, name)
        columns["rank_method"][rows] = [RANK_METHODS.index(name) for name in ranks.method]

    def _texts(self, rows: NDArray[np.intp]) -> list[str]:
        return [self._content["completions"][row] for row in rows]

    def loss(self, model: Any, job: Job) -> float:  # noqa: ARG002
        """Compute the model's loss on the held-out text, in nats per token."""
        held_out = self._content["held_out"]
        if not held_out or not contract.has_loss(model):
            return float("nan")
        return float(model.loss(held_out))

    def facts(self, model: Any, job: Job) -> Mapping[str, Any]:
        """Return the test loss after training, nats per token, and the size of the model."""
        loss = self.loss(model, job)
        facts: dict[str, Any] = {"test_loss": loss} if np.isfinite(loss) else {}
        size = getattr(model, "size", None)
        return {**facts, "model": dict(size)} if isinstance(size, Mapping) else facts


@dataclass(frozen=True, kw_only=True)
class ExposureForecast(Costs):
    """Costs of an exposure run.

    ``seconds_per_fit`` are those of ``training`` and of all measuring: ``measuring`` at the end,
    ``passing`` each of ``times`` in the course of training, and ``loss`` for each of ``losses``.
    The model of the pilot has seen little, and what a search takes depends on the model.
    """

    canaries: int
    copies: int
    places: int
    references: int
    pilot_characters: int
    training: float
    measuring: float
    passing: float
    times: int
    loss: float
    losses: int


@dataclass(frozen=True)
class _Pilot:
    """Size of the pilot, and what a whole fit takes: seconds, bytes of weights."""

    characters: int
    training: float
    measuring: float
    passing: float
    loss: float
    weights: int


@dataclass(frozen=True, eq=False)
class Canaries:
    """A run on a text with canaries."""

    records: CanaryRecords
    content = TextContent
    noun = "the text or the canaries"
    safe_errors = (BadLogProb, BadWeights, InvalidInput, TrainingDiverged)

    @property
    def places(self) -> int:
        """Number of lines before which copies can be inserted."""
        return self.records.places

    @property
    def shared(self) -> NDArray[np.uint8]:
        """The text with the canaries, as bytes."""
        return self.records.x

    def check(self, model: Any) -> None:
        """Reject all but language models, and documents that the model rejects."""
        if not contract.takes_texts(model):
            raise InvalidInput(
                f"model must be a language model, with takes_texts; {type(model).__name__} is not"
            )
        if self.records.measurement.method == "exact":
            for pattern in self.records.patterns:
                check_size(pattern)
        contract.check_input(model, self.records.corpus.documents)

    def parts(self, design: Design, seed: int) -> Iterator[tuple[int, CanaryRecords]]:  # noqa: ARG002
        """Yield the beginning of the text: 8,192 characters, then four times as many, twice."""
        size, whole = FIRST, self.records.corpus.characters
        while True:
            yield min(size, whole), beginning(self.records, size)
            if size >= min(_MOST, whole):
                return
            size *= 4

    def made_up(self, design: Design, seed: int) -> None:
        """Return None: made-up text is not similar enough."""

    def try_fit(
        self, model: Any, part: CanaryRecords, *, track: bool, keep: bool, threads: int
    ) -> None:
        """Train for an epoch and score a few candidates; in the middle too if the model can."""
        del track  # whether a model can be followed is tried in any case
        followed = (1,) if contract.takes_on_epoch(model) else ()
        task = Task(quick(model), InMemory(part.x), TextContent, threads, track=followed)
        job = replace(_everything(part), keep_weights=keep)
        outcome = fit_and_score(task, job)
        if outcome.weights is not None:
            with_weights(contract.seeded_clone(quick(model), training=0, noise=0), outcome.weights)

    def forecast(self, planned: Planned) -> ExposureForecast:
        """Extrapolate from a pilot, which trains on growing parts of the text."""
        design, records, pilot = planned.design, self.records, self._pilot(planned)
        followed = len({*planned.track} - {contract.epochs(planned.model)})
        losses = (planned.reports or max(planned.track)) if planned.track else 0
        per_fit = pilot.training + followed * pilot.passing + losses * pilot.loss + pilot.measuring
        rows = len(records) * _BYTES_PER_VALUE + records.canaries * _BYTES_PER_CANARY
        kept = planned.models * pilot.weights
        return ExposureForecast(
            fits=design.fits,
            canaries=records.canaries,
            copies=int(design.included(0).sum()),
            places=records.places,
            references=len(records) - records.canaries,
            pilot_characters=pilot.characters,
            training=pilot.training,
            measuring=pilot.measuring,
            passing=pilot.passing,
            times=followed,
            loss=pilot.loss,
            losses=losses,
            seconds_per_fit=per_fit,
            seconds=planned.total(per_fit),
            memory=peak_memory() * (planned.processes + 1),
            disk=design.fits * ((followed + 1) * rows + _BYTES_PER_FIT) + rows + kept,
            overhead=planned.overhead,
        )

    def _pilot(self, planned: Planned) -> _Pilot:
        """Train for an epoch on growing parts, and measure with the last model."""
        whole = self.records.corpus.characters
        with (
            controlled(planned.seed % 2**32, planned.threads, needs_torch=False),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # they come again with the fits
            train = partial(self._trained, planned)
            times, fitted = run_pilots(doubling(planned.smallest, whole), train)
            content = TextContent(self.records.x)
            job = job_of(planned.design, 0, planned.seed)
            measuring = timed(lambda: content.scored(fitted, job))
            passing = (
                timed(lambda: content.scored(fitted, job, mid_training=True))
                if planned.track
                else 0.0
            )
            loss = timed(lambda: content.loss(fitted, job))
            weights = weights_of(fitted) if planned.keeps else {}
        return _Pilot(
            characters=times[-1][0],
            training=extrapolated(times, whole) * epochs_of(planned.model),
            measuring=measuring,
            passing=passing,
            loss=loss,
            weights=sum(array.nbytes for array in weights.values()),
        )

    def files(self, paths: RunPaths) -> Sequence[RecordFile]:
        """Return the files of ids and labels, and of patterns and secrets."""
        return names_file(paths, self.records), canaries_file(paths, self.records)

    def _trained(self, planned: Planned, size: int) -> tuple[float, Any]:
        """Train for one epoch on a part of the text; return the seconds and the model."""
        seed = seeds.integer(planned.seed, seeds.Purpose.REHEARSAL, 1)
        model = contract.seeded_clone(quick(planned.model), training=seed, noise=seed)
        part = beginning(self.records, size)
        texts: Any = TextContent(part.x).training(model, _everything(part))
        return timed(lambda: contract.fit(model, texts, EpochRecorder())), model


def _everything(part: CanaryRecords) -> Job:
    """Insert nothing, score all."""
    nothing, every = np.empty(0, dtype=np.uint32), np.arange(len(part), dtype=np.uint32)
    return Job(0, len(part), every, None, 0, 0, 0, copies=nothing)
