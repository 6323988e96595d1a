"""The handle for a run: its files and results, each read or computed once."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data import Records, TextRecords
from byrote.data.sources import as_records
from byrote.data.text_records import as_arrays
from byrote.errors import IncompleteRun
from byrote.plans import Design
from byrote.runs import kept_model
from byrote.runs.manifest import Manifest
from byrote.runs.paths import RunPaths
from byrote.runs.record_files import checked_records, load_records
from byrote.runs.run_folder import RunFolder
from byrote.runs.table import Table
from byrote.scores.exposure.exposure_result import ExposureResult, exposure_of_run
from byrote.scores.exposure.trajectory import exposure_trajectory_of_run
from byrote.scores.memorization.evaluation import Evaluation, Test, evaluate
from byrote.scores.memorization.memorization_result import MemorizationResult, memorization_of_run
from byrote.scores.memorization.trajectory import trajectory_of_run
from byrote.scores.once import once
from byrote.scores.privacy import from_run
from byrote.scores.privacy.evidence import PrivacyEvidence
from byrote.scores.privacy.guarantee import guarantee_of
from byrote.scores.privacy.membership import MembershipInference
from byrote.scores.stored import StoredResults


def open_run(run: "str | Path | Run", records: Any = None) -> "Run":
    """Open a run folder; an open run is returned as it is.

    ``records``: those of a run from memory (an array, a data frame, ``Records``), where needed.

    Raises
    ------
    InvalidInput
        If the folder holds no run, or symbolic links, or records are not those of the run.
    CorruptFile, CannotRead
        If the description, the plan or the record ids are damaged, or cannot be read.
    """
    if not isinstance(run, Run):
        run = Run(RunFolder.open(RunPaths(checks.path("run", run))))
    if records is None:
        return run
    return Run(run.folder, checked_records(as_records(records), run.manifest))


class Run(StoredResults):
    """An open run folder.

    Files are read and results computed on first use, and once: open the folder again to see fits
    added since. ``epoch`` is a tracked epoch of training (default: the last); ``partial`` accepts a
    run with missing fits.

    Methods raise IncompleteRun if fits or tracked epochs are missing (with ``partial``: if no fit
    is finished), CorruptFile if a file is damaged or another run's, and InvalidInput if an argument
    is invalid or the run has no such result.

    Examples
    --------
    >>> import byrote, numpy as np, tempfile
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(60, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plan, path = byrote.Probes(20, fits=8), folder + "/run"
    ...     _ = byrote.score_memorization(KernelDensity(bandwidth=0.1), x, plan=plan, out=path)
    ...     run = byrote.open_run(path)
    ...     scores, attack = run.memorization(), run.membership()
    >>> int((scores.n_in > 0).sum()), attack.auc
    (20, 1.0)
    """

    def __init__(self, folder: RunFolder, records: Records | TextRecords | None = None) -> None:
        self.folder, self._records = folder, records

    def __repr__(self) -> str:
        plan, model = self.manifest.plan.spec["kind"], self.manifest.model.name.rpartition(".")[2]
        done = self.design.fits - len(self.missing)
        return f"Run({str(self.path)!r}: {done} of {self.design.fits} fits of {model}, {plan})"

    @property
    def path(self) -> Path:
        """Path of the folder."""
        return self.folder.paths.root

    @property
    def manifest(self) -> Manifest:
        """Model, data, plan, seed and versions: the content of run.json."""
        return self.folder.manifest

    @property
    def design(self) -> Design:
        """Which fit trains on which records."""
        return self.folder.design

    @property
    def has_canaries(self) -> bool:
        """Whether the run has canaries, and so exposures instead of scores."""
        return self.design.inserts

    @cached_property
    def missing(self) -> tuple[int, ...]:
        """Numbers of the unfinished fits."""
        return tuple(self.folder.missing())

    @cached_property
    def finished(self) -> tuple[int, ...]:
        """Numbers of the finished fits."""
        return tuple(sorted({*range(self.design.fits)} - {*self.missing}))

    @cached_property
    def incomplete(self) -> str:
        """Missing fits and tracked epochs in one sentence; empty if the run is complete."""
        untracked = self.folder.untracked(self.manifest.track)
        if not self.missing and not untracked:
            return ""
        return self.folder.complaint(self.missing, untracked)

    @cached_property
    def facts(self) -> tuple[dict[str, Any], ...]:
        """Losses, seconds, memory, versions and processor of each finished fit."""
        return tuple(self.folder.facts(fit) for fit in self.finished)

    def fact(self, name: str) -> NDArray[np.float64]:
        """Return the numeric fact ``name`` of each finished fit, (F,); NaN where not recorded."""
        values = [fact.get(name) for fact in self.facts]
        return np.array([np.nan if value is None else value for value in values], dtype=float)

    @cached_property
    def guarantee(self) -> dict[str, Any] | None:
        """The differential-privacy guarantee of the finished fits; None if they record none."""
        return guarantee_of(self.folder, self.finished)

    # -- results ----------------------------------------------------------------------------------

    def table(self, *, partial: bool = False) -> Table:
        """Return the log-likelihoods by fit and record, after training."""
        if not checks.flag("partial", partial) and self.incomplete:
            raise IncompleteRun(self.incomplete)
        return self._table_of_finished

    @cached_property
    def _table_of_finished(self) -> Table:
        return self.folder.table(partial=True)

    def _known_table(self, epoch: int | None = None, *, partial: bool = False) -> Table:
        """The table after training or a tracked epoch, refused if it has no fit that counts."""
        if epoch is None:
            table = self.table(partial=partial)
        else:
            epoch = checks.integer("epoch", epoch, at_least=0)
            table = self.folder.table(epoch=epoch, partial=checks.flag("partial", partial))
        if not table.counting().any():
            raise IncompleteRun(self.folder.complaint(table.missing))
        return table

    @cached_property
    def evaluation(self) -> Evaluation:
        """Scores and errors of the scored records, from the finished fits."""
        return evaluate(self.table(partial=True), self.manifest.seed)

    @once
    def memorization(
        self, epoch: int | None = None, *, test: Test = "moderated", partial: bool = False
    ) -> MemorizationResult:
        """Compute the memorization scores; ``test`` as for ``score_memorization``."""
        self.folder.check_no_canaries()
        table = self._known_table(epoch, partial=partial)
        evaluation = self.evaluation if epoch is None else evaluate(table, self.manifest.seed)
        return memorization_of_run(self.folder, table, evaluation.by(test), epoch)

    @once
    def exposure(
        self, epoch: int | None = None, *, method: str = "auto", partial: bool = False
    ) -> ExposureResult:
        """Compute the exposures of the canaries from the log-likelihoods, without training.

        Parameters
        ----------
        method
            "rank": by the ranks found in the model during the run; "sampled" or "skew_normal": by
            the reference candidates; "auto": the best of these for each canary, exact ranks first.
        """
        self.folder.check_canaries()
        table = self._known_table(epoch, partial=partial)
        return exposure_of_run(self.folder, table, epoch=epoch, method=method)

    @once
    def trajectory(self, *, method: str = "auto", partial: bool = False) -> Any:
        """Compute scores, or exposures, and losses at every scored epoch of training.

        Returns a ``Trajectory``; for a run with canaries, an ``ExposureOverTraining``, with
        ``method`` as for ``exposure``. Without tracking, scores are those after the last epoch.
        """
        if self.has_canaries:
            last = self.exposure(method=method, partial=partial)
            return exposure_trajectory_of_run(self.folder, last, method, partial=partial)
        return trajectory_of_run(self.folder, partial=partial)

    @once
    def membership(self, attack: str = "lira", *, partial: bool = False) -> MembershipInference:
        """Infer which fits trained on which records, as an attacker would.

        For a run with canaries, distinguish inserted secrets from controls and reference
        candidates. ``attack``: "lira" or "loss", as for ``infer_membership``.
        """
        return from_run.membership_of(self.folder, self._known_table(partial=partial), attack)

    @once
    def epsilon(
        self,
        *,
        significance: float = 0.05,
        delta: float | None = None,
        guesses: int | None = None,
        record: Any = None,
        partial: bool = False,
    ) -> PrivacyEvidence:
        """Bound the privacy loss from below, and compare it with the model's guarantee.

        Returns all bounds and attacks that the log-likelihoods allow, with the reasons for the
        others (docs/privacy.md).

        Parameters
        ----------
        significance
            Probability with which a bound may exceed the true epsilon.
        delta
            Delta of the claim (default: the guarantee's, or 0).
        guesses
            Number of guesses of the one-run audits, fixed in advance (default: a tenth of the
            coins, but at least 100 or all).
        record
            Id of the record for Clopper and Pearson's bound, fixed in advance (default: drawn by
            the run's seed).
        """
        table = self._known_table(partial=partial)
        claim = from_run.claim_of(self.folder, table, significance, delta, guesses, record)
        if self.has_canaries:
            exposure = self.exposure(partial=partial).exposure
            return from_run.evidence_of_canaries(self.folder, table, exposure, claim)
        return from_run.evidence_of_records(self.folder, table, claim)

    @cached_property
    def records(self) -> Records | TextRecords:
        """The records of the run, loaded again; InvalidInput if they changed."""
        return self._records or load_records(self.folder.paths, self.manifest)

    def model(self, fit: int | None = None, *, model: Any = None) -> Any:
        """Load a model that the run keeps, as it was after training.

        The model of a fit (``keep_models="all"``), or the release model, trained on all records. A
        class of your own must be passed unfitted as ``model``, since files do not choose what is
        imported. The fit's own seed determines randomness in ``score_samples`` and ``sample``.
        RunMismatch: ``model`` differs from the run's class or parameters.
        """
        return kept_model.load(self.folder, fit, model)

    def sample(self, n: int, *, seed: int = 0, fit: int | None = None, model: Any = None) -> Any:
        """Draw n records from a model that the run keeps (see ``model``).

        Those of a table are a data frame, others an array ``(n, *shape)``. The seed fixes them.
        """
        return kept_model.sample(self.folder, n, seed, fit, model, lambda: as_arrays(self.records))
