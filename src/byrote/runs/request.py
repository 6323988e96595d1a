"""A request for a run: model, records, plan and settings."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from byrote import checks
from byrote.data.canary_records import CanaryRecords
from byrote.data.records import Records
from byrote.errors import InvalidInput
from byrote.models import contract
from byrote.models.weights import check_keepable
from byrote.plans import Context, Design, Plan
from byrote.runs.executors.registry import check_executor
from byrote.runs.files import file_exists
from byrote.runs.forecast import Costs, Planned
from byrote.runs.job import KEEP_MODELS, job_of
from byrote.runs.kinds.registry import Kind, kind_of
from byrote.runs.manifest import Manifest
from byrote.runs.preflight import preflight
from byrote.runs.run_folder import RunFolder


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
    """A request for a run."""

    model: Any
    records: Records | CanaryRecords
    plan: Plan
    settings: Settings
    track: Sequence[int] = ()

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
        return kind_of(self.records)

    def context(self) -> Context:
        """Return what the plan is drawn from."""
        records, places = self.records, self.kind.places
        return Context(len(records), self.settings.seed, records.ids, records.labels, places)

    def manifest(self, design: Design, settled: Mapping[str, Any] | None = None) -> Manifest:
        """Describe this run with a given design."""
        return Manifest.of(
            self.plan,
            design,
            self.model,
            self.records,
            seed=self.settings.seed,
            threads=self.settings.threads,
            track=tuple(self.track),
            settled=settled,
        )

    def check(self) -> None:
        """Reject invalid input as far as possible without a folder and without training."""
        contract.check_model(self.model)
        contract.check_track(self.model, self.track)
        if self.keeps:
            check_keepable(self.model, self.settings.keep_models)
        self.kind.check(self.model)

    def preflight(self, design: Design) -> int:
        """Reject what the model rejects in a trial fit; return the size of data that it needs."""
        self._check_reports(design)
        return preflight(
            self.kind,
            self.model,
            design,
            seed=self.settings.seed,
            threads=self.settings.threads,
            track=bool(self.track),
            keep=self.keeps,
            show=self.settings.debug,
        )

    def forecast(self) -> Costs:
        """Forecast time, memory and disk of the run from pilot fits, after all checks of a run."""
        self.check()
        design, settings = self.plan.draw(self.context()), self.settings
        planned = Planned(
            model=self.model,
            design=design,
            smallest=self.preflight(design),
            seed=settings.seed,
            threads=settings.threads,
            workers=settings.workers,
            keep_models=settings.keep_models,
            track=tuple(self.track),
            reports=self.reports(design) if self.track else None,
        )
        return self.kind.forecast(planned)

    def reports(self, design: Design, fit: int = 0) -> int | None:
        """Return how often the model reports in a fit; None if unknown in advance."""
        count, epochs = getattr(self.model, "reports", None), contract.epochs(self.model)
        if epochs is not None or not callable(count):
            return epochs
        job = job_of(design, fit, self.settings.seed)
        return int(count(self.kind.content(self.records.x).training(self.model, job)))

    def _check_reports(self, design: Design) -> None:
        """Reject tracked epochs after the last report; later fits may report once less."""
        last = self.reports(design) if self.track else None
        if last is not None and max(self.track) > last:
            raise InvalidInput(
                f"track must lie within the {last} reports of {type(self.model).__name__};"
                f" got {max(self.track)}"
            )
