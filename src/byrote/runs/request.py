"""A request for a run, with the preflight: model, records, plan and settings."""

import time
import traceback
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from byrote import checks
from byrote.data.canary_records import CanaryRecords
from byrote.data.records import Records
from byrote.data.text_records import TextRecords
from byrote.errors import InvalidInput
from byrote.models import contract
from byrote.models.auto_values import needs_pilot, resolved_values, with_values
from byrote.models.weights import check_keepable
from byrote.plans import Context, Design, Plan
from byrote.runs.determinism import controlled
from byrote.runs.executors.registry import check_executor, in_process, open_pool
from byrote.runs.files import file_exists
from byrote.runs.forecast import Costs, Planned
from byrote.runs.job import KEEP_MODELS, job_of
from byrote.runs.kinds.registry import Kind, kind_of
from byrote.runs.manifest import DataPart, Manifest, ModelPart, PlanPart
from byrote.runs.resolve_auto import pilot_fits
from byrote.runs.run_folder import RunFolder
from byrote.runs.worker import load_libraries


@dataclass(frozen=True)
class Settings:
    """Settings of a run; only seed and threads determine its numbers."""

    seed: int = 0
    threads: int = 1
    workers: int = 1
    executor: str | Executor = "auto"
    debug: bool = False
    keep_models: str = "none"

    def __post_init__(self) -> None:
        check_executor(self.executor, self.workers, self.threads)
        checks.choice("keep_models", self.keep_models, KEEP_MODELS)
        object.__setattr__(self, "debug", checks.flag("debug", self.debug))
        for name, least in (("seed", 0), ("threads", 1), ("workers", 1)):
            value = checks.integer(name, getattr(self, name), at_least=least)
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Request:
    """A request for a run.

    ``looks``: sizes of the plan at which the run is looked at and may stop; ``stop_when``: the
    question that it then must have answered.
    """

    model: Any
    records: Records | TextRecords | CanaryRecords
    plan: Plan
    settings: Settings
    track: Sequence[int] = ()
    looks: tuple[int, ...] = ()
    stop_when: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "track", checks.epochs("track", self.track))

    @property
    def keeps(self) -> bool:
        """Whether models are kept, the release model among them."""
        return self.settings.keep_models != "none"

    def keeps_fit(self, run: RunFolder, fit: int) -> bool:
        """Whether the weights of a fit are kept; once kept, they are replaced with the fit."""
        keep = self.settings.keep_models
        released = keep == "release" and fit == run.design.release
        return keep == "all" or released or file_exists(run.paths.model(fit))

    @cached_property
    def kind(self) -> Kind:
        """The kind of run for these records."""
        return kind_of(self.records, self.model)

    def context(self) -> Context:
        """Return what the plan is drawn from."""
        records, places = self.records, self.kind.places
        return Context(
            len(records), self.settings.seed, records.ids, records.labels, places, records.order
        )

    def draw(self, after: Design | None = None) -> Design:
        """Draw the plan's design, extending the design ``after``."""
        design = self.plan.draw(self.context(), after)
        return replace(design, looks=len(self.looks) or 1)

    def most_fits(self, design: Design) -> int:
        """Return the fits of the complete plan, of which a design may be only the first look."""
        looks = PlanPart.of(self.plan, design, self.looks).looks
        return looks[-1] if looks else design.fits

    def manifest(self, design: Design, settled: Mapping[str, Any] | None = None) -> Manifest:
        """Describe this run with a given design."""
        manifest = Manifest(
            seed=self.settings.seed,
            threads=self.settings.threads,
            track=tuple(self.track),
            stop_when=self.stop_when,
            settled=dict(settled or {}),
            plan=PlanPart.of(self.plan, design, self.looks),
            model=ModelPart.of(self.model),
            data=DataPart.of(self.records),
        )
        manifest.check_size()
        return manifest

    def check(self) -> None:
        """Reject invalid input as far as possible without a folder and without training."""
        contract.check_model(self.model)
        contract.check_track(self.model, self.track)
        if self.keeps:
            check_keepable(self.model, self.settings.keep_models)
        self.kind.check(self.model)

    def preflight(self, design: Design) -> int:
        """Train and score on growing parts of the records, in this process; return the size needed.

        A model that rejects few records gets more. If it rejects those too, it is tried on made-up
        records: if they fail in the same way, the text of the error can be shown, because it quotes
        no private record. Otherwise only type and place of the error are shown.
        """
        self._check_reports(design)
        problem: BaseException | None = None
        for size, part in self.kind.parts(design, self.settings.seed):
            problem = self._problem_with(part)
            if problem is None:
                return size
        if problem is None:  # a model that is not tried
            return len(design.training_rows(0))
        made_up = self.kind.made_up(design, self.settings.seed)
        made_up_problem = None if made_up is None else self._problem_with(made_up)
        raise InvalidInput(self._refusal(problem, made_up_problem))

    def _problem_with(self, part: Any) -> BaseException | None:
        seed, threads = self.settings.seed % 2**32, self.settings.threads
        try:
            with controlled(seed, threads, needs_torch=False), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they come again with the fits
                self.kind.try_fit(
                    self.model, part, track=bool(self.track), keep=self.keeps, threads=threads
                )
        except (Exception, SystemExit) as error:  # a user's model may raise anything
            return error
        return None

    def _refusal(self, problem: BaseException, made_up_problem: BaseException | None) -> str:
        name, noun = type(self.model).__name__, self.kind.noun
        if self.settings.debug or isinstance(problem, self.kind.safe_errors):
            return f"model: {name} refuses {noun}: {_one_line(problem)}"
        if made_up_problem is not None and type(made_up_problem) is type(problem):
            text = _one_line(made_up_problem)
            return f"model: {name} cannot be trained, not even on made-up records: {text}"
        last = traceback.extract_tb(problem.__traceback__)[-1]
        return (
            f"model: {name} refuses {noun}: {type(problem).__name__} at"
            f" {Path(last.filename).name}:{last.lineno} (its text may quote them; --debug shows it)"
        )

    def forecast(self, started: float | None = None) -> Costs:
        """Forecast time, memory and disk of the run from pilot fits; ``started`` as below."""
        return self.kind.forecast(self.planned(started))

    def planned(self, started: float | None = None) -> Planned:
        """Do all that a run does before its first fit, but for its folder, and time it.

        ``started``: ``time.perf_counter()`` when the command began (default: now).
        """
        started = time.perf_counter() if started is None else started
        self.check()
        design, settings = self.draw(), self.settings
        smallest = self.preflight(design)
        alone = in_process(settings.executor, settings.workers)
        if not alone:
            with open_pool(settings.executor, settings.workers, settings.threads) as pool:
                pool.submit(load_libraries, self.model).result()
        return Planned(
            model=self.model,
            plan=self.plan,
            design=design,
            smallest=smallest,
            seed=settings.seed,
            threads=settings.threads,
            workers=1 if alone else settings.workers,
            keep_models=settings.keep_models,
            track=tuple(self.track),
            reports=self.reports(design) if self.track else None,
            before=len(pilot_fits(design)) if self._needs_pilot(design) else 0,
            overhead=time.perf_counter() - started,
        )

    def _needs_pilot(self, design: Design) -> bool:
        if not needs_pilot(self.model):
            return False
        values = resolved_values(self.model, self.records.x.shape, design.fits)
        return needs_pilot(with_values(self.model, values))

    def reports(self, design: Design, fit: int = 0) -> int | None:
        """Return how often the model reports in a fit; None if unknown in advance."""
        count, epochs = getattr(self.model, "reports", None), contract.epochs(self.model)
        if epochs is not None or not callable(count):
            return epochs
        job = job_of(design, fit, self.settings.seed)
        return int(count(self.kind.content(self.kind.shared).training(self.model, job)))

    def _check_reports(self, design: Design) -> None:
        """Reject tracked epochs after the last report; later fits may report once less."""
        last = self.reports(design) if self.track else None
        if last is not None and max(self.track) > last:
            raise InvalidInput(
                f"track must lie within the {last} reports of {type(self.model).__name__};"
                f" got {max(self.track)}"
            )


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, InvalidInput) else f"{type(error).__name__}: {text}"
