"""One handle for a run: what its folder holds and what follows from it, each read once."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data import Records
from byrote.errors import InvalidInput
from byrote.fits import kept_model
from byrote.fits.manifest import Manifest
from byrote.fits.paths import RunPaths
from byrote.fits.reading import is_there
from byrote.fits.record_files import load_records
from byrote.fits.run_folder import RunFolder
from byrote.fits.table import Table
from byrote.plans import Design
from byrote.scores.exposure.exposure_result import ExposureResult, exposure_of_run
from byrote.scores.exposure.trajectory import exposure_trajectory_of_run
from byrote.scores.memorization.evaluation import Evaluation, evaluate
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.score_memorization import memorization_of_run
from byrote.scores.memorization.trajectory import trajectory_of_run
from byrote.scores.neighbors.near_duplicates import NearDuplicates
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.scores.privacy.evidence import PrivacyEvidence
from byrote.scores.privacy.from_run import evidence_of, membership_of
from byrote.scores.privacy.guarantee import guarantee_of
from byrote.scores.privacy.membership import MembershipInference

Result = TypeVar("Result")
Stored = TypeVar("Stored", NeighborResult, NearDuplicates)


def open_run(run: "str | Path | Run") -> "Run":
    """Open a run folder.

    A run that is open is returned as it is.

    Raises
    ------
    InvalidInput
        If the folder holds no run, or a symbolic link.
    CorruptFile, CannotRead
        If the description, the plan or the names of the records are damaged, or cannot be read.
    """
    if isinstance(run, Run):
        return run
    return Run(RunFolder.open(RunPaths(checks.path("run", run))))


class Run:
    """An open run folder.

    Files are read and results computed when they are first needed, and once: open the folder again
    to see fits that were added since. ``epoch`` is a tracked epoch of training (default: the last);
    ``partial`` accepts a run of which fits are missing.

    Methods raise IncompleteRun if fits or tracked epochs are missing (with ``partial``: if no fit
    is finished), CorruptFile if a file is damaged or another run's, and InvalidInput if an argument
    cannot be used or the run has nothing of the kind.

    Examples
    --------
    >>> import byrote, numpy as np, tempfile
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(60, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plan, path = byrote.Probes(20, fits=8), folder + "/run"
    ...     model = KernelDensity(bandwidth=0.1)
    ...     _ = byrote.score_memorization(model, x, plan=plan, out=path)
    ...     run = byrote.open_run(path)
    ...     scores, attack = run.memorization(), run.membership()
    >>> int((scores.n_in > 0).sum()), attack.auc
    (20, 1.0)
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._results: dict[Any, Any] = {}

    def __repr__(self) -> str:
        plan, model = self.manifest.plan.spec["kind"], self.manifest.model.name.rpartition(".")[2]
        done = self.design.fits - len(self.missing)
        return f"Run({str(self.path)!r}: {done} of {self.design.fits} fits of {model}, {plan})"

    # -- what the run is --------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The folder."""
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
        """Whether canaries were planted: the run then has exposures instead of scores."""
        return self.design.inserts

    @cached_property
    def missing(self) -> tuple[int, ...]:
        """Fits that are not finished."""
        return tuple(self.folder.missing())

    @cached_property
    def finished(self) -> tuple[int, ...]:
        """Fits that are finished."""
        return tuple(sorted({*range(self.design.fits)} - {*self.missing}))

    @cached_property
    def incomplete(self) -> str:
        """Which fits or tracked epochs are missing, in one sentence; empty if none is."""
        untracked = self.folder.untracked(self.manifest.track)
        if not self.missing and not untracked:
            return ""
        return self.folder.complaint(self.missing, untracked)

    @cached_property
    def facts(self) -> tuple[dict[str, Any], ...]:
        """Of each finished fit: losses, seconds, memory, versions, processor."""
        return tuple(self.folder.facts(fit) for fit in self.finished)

    def fact(self, name: str) -> NDArray[np.float64]:
        """(F,) one number of each finished fit; NaN where it is unknown."""
        values = [fact.get(name) for fact in self.facts]
        return np.array([np.nan if value is None else value for value in values], dtype=float)

    @cached_property
    def guarantee(self) -> dict[str, Any] | None:
        """The differential-privacy guarantee of the finished fits; None if they record none."""
        return guarantee_of(self.folder, self.finished)

    # -- what its log-likelihoods say -------------------------------------------------------------

    def table(self, *, partial: bool = False) -> Table:
        """Log-likelihoods by fit and record, after training."""
        return self._once(("table", partial), lambda: self.folder.table(partial=partial))

    @cached_property
    def evaluation(self) -> Evaluation:
        """Scores with their errors, by scored record, from the fits that are finished."""
        return evaluate(self.table(partial=True))

    def memorization(
        self, epoch: int | None = None, *, partial: bool = False
    ) -> MemorizationResult:
        """Compute the memorization scores from the log-likelihoods, without training."""
        key = ("memorization", epoch, partial)
        return self._once(key, lambda: memorization_of_run(self.folder, epoch, partial=partial))

    def exposure(
        self, epoch: int | None = None, *, method: str = "auto", partial: bool = False
    ) -> ExposureResult:
        """Compute the exposures of the canaries from the log-likelihoods, without training.

        Parameters
        ----------
        method
            "rank": from the ranks found in the model during the run; "sampled" or "skew_normal":
            from the reference candidates; "auto": the best of them for each canary, an exact rank
            first.
        """
        return self._once(
            ("exposure", epoch, method, partial),
            lambda: exposure_of_run(self.folder, epoch=epoch, method=method, partial=partial),
        )

    def trajectory(self, *, method: str = "auto", partial: bool = False) -> Any:
        """Compute scores, or exposures, and losses at every scored epoch of training.

        A ``Trajectory``; of a run with canaries, an ``ExposureOverTraining``.

        A run that was not tracked has those after the last epoch, and the losses of all.
        ``method``: for canaries, as for ``exposure``.
        """
        if self.has_canaries:
            return self._once(
                ("trajectory", method, partial),
                lambda: exposure_trajectory_of_run(self.folder, method=method, partial=partial),
            )
        scores = lambda: trajectory_of_run(self.folder, partial=partial)  # noqa: E731
        return self._once(("trajectory", partial), scores)

    def membership(self, attack: str = "lira", *, partial: bool = False) -> MembershipInference:
        """Infer which fits trained on which records, as an attacker would.

        With canaries: tell inserted secrets from controls and reference candidates, which were
        drawn alike and never inserted.

        ``attack``: "lira" or "loss", as for ``infer_membership``.
        """
        key = ("membership", attack, partial)
        return self._once(key, lambda: membership_of(self.folder, attack, partial=partial))

    def epsilon(
        self,
        *,
        significance: float = 0.05,
        delta: float | None = None,
        guesses: int | None = None,
        record: Any = None,
        partial: bool = False,
    ) -> PrivacyEvidence:
        """Bound the privacy loss from below, and compare it with what the model guarantees.

        Every bound that the log-likelihoods allow, or why there is none (docs/privacy.md), and
        memorization, exposure, membership inference and epsilon side by side.

        Parameters
        ----------
        significance
            Probability with which a bound may exceed the true epsilon.
        delta
            Delta of the claim (default: that of the guarantee, or 0).
        guesses
            Number of guesses of the one-run audits, fixed before looking (default: a tenth of the
            coins, but at least 100 or all).
        record
            Id of the record whose independent trials Clopper and Pearson's bound counts, chosen
            before looking (default: drawn by the run's seed).

        """
        asked: dict[str, Any] = {"significance": significance, "delta": delta, "guesses": guesses}
        asked |= {"record": record, "partial": partial}
        key = ("epsilon", *asked.values())
        return self._once(key, lambda: evidence_of(self.folder, **asked))

    # -- what other commands left in the folder ---------------------------------------------------

    def neighbors(self) -> NeighborResult:
        """Load the nearest-neighbour tests that ``byrote neighbors --validation`` made."""
        result = self._beside_scores(self.folder.paths.neighbors, NeighborResult.load)
        if result is None:
            raise InvalidInput("byrote neighbors was not run")
        return result

    def near_duplicates(self) -> NearDuplicates | None:
        """Load the near-duplicates that ``byrote neighbors`` found; None if it was not run."""
        return self._beside_scores(self.folder.paths.near_duplicates, NearDuplicates.load)

    def _beside_scores(self, path: Path, load: Callable[[Path], Stored]) -> Stored | None:
        """More repeats since then change the scores, and neither distances nor copies."""
        if not is_there(path):
            return None
        result = self._once((path,), lambda: load(path))
        if result.description.get("run_id") != self.manifest.run_id:
            raise InvalidInput(f"{path} belongs to another run; byrote neighbors replaces it")
        return replace(result, score=self.memorization(partial=True).score)

    @cached_property
    def records(self) -> Records:
        """The records that the run was made from, loaded again; InvalidInput if they changed."""
        return load_records(self.folder.paths, self.manifest)

    # -- its models -------------------------------------------------------------------------------

    def model(self, fit: int | None = None, *, model: Any = None) -> Any:
        """Load a model that the run keeps, as it was after training.

        That of a fit (``keep_models="all"``), or the release model, trained on all records. A class
        of your own must be passed unfitted, as ``model``: no file chooses what is imported. Chance
        in ``score_samples`` and ``sample`` comes from the fit's own seed. RunMismatch: ``model`` is
        not of the run's class and parameters.
        """
        return kept_model.load(self.folder, fit, model)

    def sample(
        self, n: int, *, seed: int = 0, fit: int | None = None, model: Any = None
    ) -> NDArray[Any]:
        """Draw (n, *shape) records from a model that the run keeps; ``fit``, ``model`` as for it.

        The seed decides the samples, also of a model that draws from a global generator. The first
        of many are not the same as few.
        """
        return kept_model.sample(self.folder, n, seed=seed, fit=fit, model=model)

    def _once(self, key: tuple[Any, ...], compute: Callable[[], Result]) -> Result:
        typed = (key, *map(type, key))  # True is not 1
        try:
            return cast("Result", self._results[typed])
        except KeyError:
            self._results[typed] = compute()
            return cast("Result", self._results[typed])
        except TypeError:  # an argument that is not hashable, which is refused
            return compute()
