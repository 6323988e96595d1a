"""Execute the runs of a study one after the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.canary_records import CanaryRecords
from byrote.data.text_records import TextRecords
from byrote.errors import IncompleteRun
from byrote.models import registry
from byrote.plans import Grouped
from byrote.runs.execute import run_fits
from byrote.runs.files import make_folder
from byrote.runs.paths import RunPaths
from byrote.runs.progress import Progress, Silent
from byrote.runs.request import Request, Settings
from byrote.runs.table import Table
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.levels import mean_exposure
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.moderated import moderated_test
from byrote.scores.recitation.counterfactual import CounterfactualRecitation
from byrote.scores.recitation.recitation import Recitation
from byrote.scores.recitation.recite import recite
from byrote.scores.recitation.recite_run import counterfactual
from byrote.scores.run import Run
from byrote.stats.estimate import Estimate
from byrote.stats.multiple_testing import q_values
from byrote.studies.audited_records import Planned
from byrote.studies.requests import StudyData
from byrote.studies.study import ScaledStudy


@dataclass(frozen=True, eq=False)
class StudyRun:
    """A run of a study with finished fits, as declared and requested."""

    scaled: ScaledStudy
    declared: Any
    request: Request
    run: Run

    @property
    def name(self) -> str:
        """Name of the run in the study."""
        return str(self.declared.name)

    @property
    def title(self) -> str:
        """Title of the run."""
        return str(self.declared.title)

    def total_seconds(self) -> float:
        """Return the time of all finished fits, in seconds."""
        return float(np.nansum(self.run.fact("seconds")))

    def median_seconds(self) -> float:
        """Return the median time of a fit, in seconds; NaN if unknown."""
        seconds = self.run.fact("seconds")
        known = seconds[~np.isnan(seconds)]
        return float(np.median(known)) if len(known) else float("nan")

    def facts(self, name: str) -> list[dict[str, Any]]:
        """Return the facts of this name that the models of the finished fits report."""
        return [facts[name] for facts in self.run.facts if facts.get(name)]

    # -- of records ----------------------------------------------------------------------------

    @property
    def memorization(self) -> MemorizationResult:
        """Scores from the finished fits."""
        return self.run.memorization(partial=True)

    @property
    def significant(self) -> int | None:
        """Number of records memorized at a false discovery rate of 5 %."""
        return self.memorization.summary().significant

    def probe_rows(self) -> NDArray[np.intp]:
        """Return the rows of the scored records, in the order of the table."""
        return np.asarray(self.run.table(partial=True).rows, np.intp)

    def probe_ids(self) -> NDArray[Any]:
        """Return the ids of the scored records."""
        return self.memorization.ids[self.probe_rows()]

    def probe_scores(self, name: str) -> NDArray[np.float64]:
        """Return one column of the scores of the scored records, such as "score" or "q_value"."""
        return np.asarray(getattr(self.memorization, name)[self.probe_rows()])

    # -- of texts ------------------------------------------------------------------------------

    @property
    def texts(self) -> TextRecords:
        """The texts."""
        assert isinstance(self.request.records, TextRecords)  # noqa: S101 (a run's on texts)
        return self.request.records

    @cached_property
    def text_rows(self) -> NDArray[np.intp]:
        """Rows of the texts, each once: of copies the first."""
        plan = self.request.plan
        if not isinstance(plan, Grouped):
            return np.arange(len(self.texts))
        return np.asarray(np.unique(plan.groups, return_index=True)[1])

    @cached_property
    def planted_rows(self) -> NDArray[np.intp]:
        """Rows of the first copies of the planted texts."""
        labels = np.asarray(self.request.records.labels)
        return self.text_rows[labels[self.text_rows] > 0]

    @property
    def copies(self) -> NDArray[np.intp]:
        """Number of copies of each planted text."""
        return np.asarray(self.request.records.labels)[self.planted_rows]

    @cached_property
    def planted_table(self) -> Table:
        """Log-likelihoods of the planted texts, each once, beside those of texts in every fit.

        The latter, as bystanders, make fits of different quality comparable.
        """
        table = self.run.table(partial=True)
        once = np.isin(table.rows, self.planted_rows)
        others = self.texts.take(np.flatnonzero(np.asarray(self.request.records.labels) == 0))
        bystanders = np.full((table.design.fits, len(others)), np.nan)
        for fit, model in zip(self.run.finished, self.models, strict=True):
            bystanders[fit] = model.score_samples(others.texts)
        return replace(
            table,
            rows=table.rows[once],
            log_prob=table.log_prob[:, once],
            bystanders=bystanders,
        )

    @cached_property
    def planted_q_values(self) -> NDArray[np.float64]:
        """q-values of the planted texts, (t,), each tested once whatever its copies."""
        return q_values(moderated_test(self.planted_table, self.run.manifest.seed).p_value)

    @cached_property
    def recitation(self) -> CounterfactualRecitation:
        """What the finished fits recite of the texts, in training and held out.

        Where some texts are planted, of these.
        """
        rows = self._recited_rows
        trained = [self.run.design.trained_on(fit) for fit in self.run.finished]
        recitations = [self._recite(model) for model in self.models]
        return counterfactual(recitations, np.stack(trained)[:, rows])

    @cached_property
    def recitation_before(self) -> Recitation:
        """What the pretrained model recites of the same texts, before the fine-tuning."""
        return self._recite(registry.ready(f"hf:{self.request.model.path}", {}))

    @property
    def _recited_rows(self) -> NDArray[np.intp]:
        return self.planted_rows if isinstance(self.request.plan, Grouped) else self.text_rows

    def _recite(self, model: Any) -> Recitation:
        lengths, texts = self.declared, self.texts.take(self._recited_rows)
        return recite(model, texts, prefix=lengths.prefix, suffix=lengths.suffix)

    @cached_property
    def models(self) -> list[Any]:
        """The kept models of the finished fits."""
        return [self.run.model(fit, model=self.request.model) for fit in self.run.finished]

    @property
    def weights(self) -> int:
        """Number of weights of a model."""
        return sum(np.size(array) for array in self.models[0].get_weights().values())

    # -- of canaries ---------------------------------------------------------------------------

    @property
    def records(self) -> CanaryRecords:
        """The canaries and the text."""
        assert isinstance(self.request.records, CanaryRecords)  # noqa: S101 (an exposure run's)
        return self.request.records

    @property
    def exposures(self) -> ExposureResult:
        """Exposure after training, from the finished fits."""
        return self.run.exposure(partial=True)

    def level_rows(self, inserted: int) -> NDArray[np.intp]:
        """Return the rows of the first pattern's canaries with this number of insertions."""
        exposures = self.exposures
        return np.flatnonzero((exposures.pattern == 0) & (exposures.inserted == inserted))

    def mean_exposure(self, rows: NDArray[np.intp]) -> Estimate:
        """Estimate the mean exposure of some rows, in bits, with its interval over secrets."""
        exposure = self.exposures.exposure
        chosen = exposure.take(rows)
        return mean_exposure(chosen.bits, chosen.ids, chosen.saturated, maximum=chosen.maximum)

    @cached_property
    def released_model(self) -> Any:
        """The kept model, of the first fit."""
        return self.run.model(self.run.design.release)


def execute(
    data: StudyData,
    settings: Settings,
    out: Path,
    *,
    progress: Callable[[], Progress] = Silent,
    announce: Callable[[str], None] | None = None,
) -> tuple[StudyRun, ...]:
    """Execute the missing fits of a study, run by run, and return the runs with finished fits.

    A run that depends on others is skipped if fits of theirs are missing. The run of a study of
    scores is in ``out`` itself, each run of other studies in a folder within it.

    Parameters
    ----------
    announce
        Called with the name of each run before it starts.

    Raises
    ------
    InvalidInput
        If a request cannot be executed (all known ones are checked before the first run), or the
        folder has a symbolic link.
    RunMismatch
        If a folder holds another run.
    """
    requests = data.requests(settings)
    for planned in requests.values():
        if isinstance(planned, Request):
            planned.check()
            planned.plan.draw(planned.context())
    within = data.scaled.study.kind != "scores"
    if within:
        make_folder(out)  # readable by its owner only, as the run folders
        RunPaths(out).check()
    finished: dict[str, StudyRun] = {}
    for declared in data.scaled.runs:
        if announce is not None:
            announce(declared.name)
        request = _request(requests[declared.name], out, finished)
        if request is not None:
            run = Run(run_fits(request, out / declared.name if within else out, progress()))
            if run.finished:
                finished[declared.name] = StudyRun(data.scaled, declared, request, run)
    return tuple(finished.values())


def _request(planned: Planned, out: Path, finished: Mapping[str, StudyRun]) -> Request | None:
    if isinstance(planned, Request):
        return planned
    try:
        return planned(out, {name: run.run for name, run in finished.items()})
    except IncompleteRun:
        return None
