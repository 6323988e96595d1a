"""Records that a model reads itself: a fit gets their rows and ids, and scores them by id."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.errors import InvalidInput
from byrote.models import contract
from byrote.models.assignment import Assignment, ProgramFailed
from byrote.plans import Design
from byrote.runs.forecast import Planned
from byrote.runs.job import BadLogProb, Content, Job, Scored, Workplace, checked
from byrote.runs.kinds.arrays import Arrays, Forecast
from byrote.runs.kinds.pilot import Pilot
from byrote.runs.temporary import temporary_folder

_FEW = 64


@dataclass(frozen=True, eq=False)
class AssignedContent:
    """The (n,) ids of all records, which a fit's assignment names."""

    ids: NDArray[Any]

    def training(self, model: Any, job: Job) -> Assignment:  # noqa: ARG002
        """Return what the fit trains on and scores, in an empty folder of its own."""
        place = job.workplace
        assert place is not None  # noqa: S101 (execution gives one to each)
        place.work.mkdir(mode=0o700, parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=place.work))  # a killed start's program may still write
        included = np.ones(job.n, dtype=np.uint8)
        included[job.held_out] = 0
        score = np.arange(job.n) if job.counted is None else job.counted
        return Assignment(
            job.training_rows(), score, self.ids, included, **{**vars(place), "work": work}
        )

    def scored(self, model: Any, job: Job, *, mid_training: bool = False) -> Scored:  # noqa: ARG002
        """Return the log-likelihoods that the fit's program wrote."""
        count = job.n if job.counted is None else len(job.counted)
        return Scored(checked(model.score_samples(None), count))

    def loss(self, model: Any, job: Job) -> float:  # noqa: ARG002
        """Return NaN: a program is not followed in its course."""
        return float("nan")

    def facts(self, model: Any, job: Job) -> Mapping[str, Any]:  # noqa: ARG002
        """Return nothing: the model's own facts are all."""
        return {}


@dataclass(frozen=True, eq=False)
class Assigned(Arrays):
    """A run on records that the model reads itself."""

    content: ClassVar[type[Content]] = AssignedContent
    safe_errors: ClassVar[tuple[type[BaseException], ...]] = (
        BadLogProb, ProgramFailed, InvalidInput,
    )  # fmt: skip

    @property
    def shared(self) -> NDArray[Any]:
        """The ids."""
        return self.records.ids

    def check(self, model: Any) -> None:
        """Let the model check what it is asked for."""
        check = getattr(model, "check_assignment", None)
        if callable(check):
            check(self.records.options)

    def parts(self, design: Design, seed: int) -> Iterator[tuple[int, Any]]:
        """Yield a small assignment: 64 random records to train on, and as many to score."""
        generator = seeds.generator(seed, seeds.Purpose.REHEARSAL)
        rows = design.training_rows(0)
        few = np.sort(generator.choice(rows, min(_FEW, len(rows)), replace=False))
        others = np.setdiff1d(np.arange(design.n, dtype=np.uint32), few.astype(np.uint32))
        score = np.sort(generator.permutation(design.n)[:_FEW]).astype(np.uint32)
        yield len(rows), Job(0, design.n, others, score, 0, 0, 0)

    def made_up(self, design: Design, seed: int) -> None:
        """Return None: the program reads the records themselves."""

    def try_fit(
        self,
        model: Any,
        part: Job,
        *,
        track: bool,  # noqa: ARG002
        keep: bool,  # noqa: ARG002
        threads: int,  # noqa: ARG002
    ) -> None:
        """Run the program once, unless it is not to be tried; keep its log if it fails."""
        if not getattr(model, "rehearse", True):
            return
        with temporary_folder() as folder, _log_of_failure() as log:
            place = Workplace(folder, log, Path.cwd(), rehearsal=True)
            job = replace(part, workplace=place)
            content = AssignedContent(self.shared)
            copy = contract.seeded_clone(model, training=0, noise=0)
            copy.fit(content.training(copy, job))
            content.scored(copy, job)

    def forecast(self, planned: Planned) -> NoReturn:  # noqa: ARG002
        """Refuse: a trial on few records shows nothing of a program's costs and noise."""
        raise InvalidInput(
            "a program's costs and noise show in whole fits alone: run the plan with a few (--fits"
            " 4), see byrote show, and extend the run"
        )

    def pilot(self, planned: Planned, growth: Pilot | None = None) -> NoReturn:  # noqa: ARG002
        """Refuse, as ``forecast`` does."""
        self.forecast(planned)

    def costs(self, planned: Planned, pilot: Pilot) -> Forecast:  # noqa: ARG002
        """Refuse, as ``forecast`` does."""
        self.forecast(planned)


@contextmanager
def _log_of_failure() -> Iterator[Path]:
    """Make a temporary file that is removed after a success."""
    descriptor, name = tempfile.mkstemp(prefix="byrote-rehearsal-", suffix=".log")
    os.close(descriptor)
    yield Path(name)
    Path(name).unlink()
