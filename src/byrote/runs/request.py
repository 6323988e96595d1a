"""What is asked of a run folder: a model, records and a plan, and how to carry them out."""

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
from byrote.runs.executors import check_executor
from byrote.runs.forecast import Costs, Planned
from byrote.runs.job import KEEP_MODELS, job_of
from byrote.runs.kinds import Kind, kind_of
from byrote.runs.manifest import Manifest
from byrote.runs.preflight import preflight
from byrote.runs.reading import is_there
from byrote.runs.run_folder import RunFolder


@dataclass(frozen=True)
class Settings:
    """How a run is carried out; seed and threads decide its numbers, the others do not."""

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
    """What is asked of a run folder."""

    model: Any
    records: Records | CanaryRecords
    plan: Plan
    settings: Settings
    track: Sequence[int] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "track", checks.epochs("track", self.track))

    @property
    def keeps(self) -> bool:
        """Whether any model is to be kept, and so the release model."""
        return self.settings.keep_models != "none"

    def keeps_fit(self, run: RunFolder, fit: int) -> bool:
        """Whether the weights of a fit are kept; once kept, they are made again with the fit."""
        asked = self.settings.keep_models
        released = asked == "release" and fit == run.design.release
        return asked == "all" or released or is_there(run.paths.model(fit))

    @cached_property
    def kind(self) -> Kind:
        """The kind of run that the records make."""
        return kind_of(self.records)

    def context(self) -> Context:
        """Return what the plan may look at."""
        records, places = self.records, self.kind.places
        return Context(len(records), self.settings.seed, records.ids, records.labels, places)

    def manifest(self, design: Design, settled: Mapping[str, Any] | None = None) -> Manifest:
        """The manifest of this run with a given design."""
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
        """Refuse what can be refused without a folder and without training."""
        contract.check_model(self.model)
        contract.check_track(self.model, self.track)
        if self.keeps:
            check_keepable(self.model, self.settings.keep_models)
        self.kind.check(self.model)

    def preflight(self, design: Design) -> int:
        """Refuse what the model itself refuses; return how many records or characters it took."""
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
        """Forecast time, memory and disk of the run from a short pilot.

        Raises
        ------
        InvalidInput
            For all that a run would refuse.
        """
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
        """How often the model will report in a fit; None if it does not say."""
        own, known = getattr(self.model, "reports", None), contract.epochs(self.model)
        if known is not None or not callable(own):
            return known
        job = job_of(design, fit, self.settings.seed)
        return int(own(self.kind.content(self.records.x).training(self.model, job)))

    def _check_reports(self, design: Design) -> None:
        """Refuse to track what never comes; other fits than the first may report once less."""
        last = self.reports(design) if self.track else None
        if last is not None and max(self.track) > last:
            raise InvalidInput(
                f"track must lie within the {last} reports of {type(self.model).__name__};"
                f" got {max(self.track)}"
            )
