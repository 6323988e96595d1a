"""The result of a comparison: every run, and how it differs from the first."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.columnar import Tabular
from byrote.display import Displayed
from byrote.scores.exposure.levels import Level
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.stats.estimate import Estimate

Array = NDArray[np.float64]
CROSSINGS = ("neither", "both", "newly", "no longer")  # memorized here, in terms of the baseline


@dataclass(frozen=True)
class EvidenceSummary:
    """The numbers of ``Run.epsilon`` in a comparison, for all that a run audits.

    Attributes
    ----------
    auc
        Area under the curve of each attack ("lira", "loss"); NaN with the reason where it failed.
    epsilon
        The headline lower bound; NaN with the reason.
    method, delta, significance
        Its method, delta and significance.
    guarantee
        The guarantee that the training records: epsilon, delta and more; None if it records none.
    contradicted
        Whether the proven epsilon exceeds the guaranteed one.
    """

    auc: Mapping[str, Estimate] = field(default_factory=dict)
    epsilon: Estimate = field(default_factory=lambda: Estimate(float("nan")))
    method: str = ""
    delta: float = float("nan")
    significance: float = float("nan")
    guarantee: Mapping[str, Any] | None = None
    contradicted: bool = False


@dataclass(frozen=True)
class ComparedRun:
    """One run of a comparison, on its own.

    Attributes
    ----------
    name, path
        Its name, and its folder.
    description
        Model, plan, data and seed.
    differs
        Parameters of its model that differ: (the baseline's, its own).
    evidence
        Membership inference and epsilon.
    """

    name: str
    path: str
    description: Mapping[str, Any]
    differs: Mapping[str, tuple[Any, Any]]
    evidence: EvidenceSummary


@dataclass(frozen=True)
class ComparedScores(ComparedRun):
    """A run with scores; all numbers are those of the matched records, in nats.

    held_out, in_training: mean log p of records. quantiles: statistics of each estimator, as in the
    summary. mean: of each estimator over records; only mean_log's has an interval. scored: number
    of scored records; significant: number memorized, None without p-values.
    """

    held_out: Estimate
    in_training: Estimate
    quantiles: Mapping[str, Mapping[str, float]]
    mean: Mapping[str, Estimate]
    scored: int
    significant: int | None


@dataclass(frozen=True)
class ComparedExposures(ComparedRun):
    """A run with exposures; all numbers are those of the matched canaries.

    test_loss: nats per token of the held-out text, over fits. levels: exposure by number of
    insertions. maximum: bits, log2 of the number of candidates.
    """

    test_loss: Estimate
    levels: tuple[Level, ...]
    maximum: float

    @property
    def perplexity(self) -> Estimate:
        """Perplexity per token of the held-out text."""
        loss = self.test_loss
        low, value, high = np.exp([loss.low, loss.value, loss.high]).tolist()
        return Estimate(value, low, high, reason=loss.reason)


@dataclass(frozen=True, eq=False)
class ScoreChange(Tabular):
    """A run's scores minus the baseline's, for m records, in nats.

    Attributes
    ----------
    name
        Name of the run.
    paired
        Whether fits are paired, with the same records in and out and the same seeds. Otherwise
        variances add.
    held_out
        Difference of mean held-out log p: negative if the run loses likelihood.
    mean
        Per estimator, difference of the means over records; only mean_log's has an interval.
    ids
        (m,) ids of the records.
    difference, standard_error
        (m,) per estimator; jackknife.
    interval
        (m, 2) 95 % interval of mean_log's difference.
    p_value, q_value
        (m,) Student's two-sided p of "mean_log is the same", Benjamini-Hochberg over the records.
    crossing
        (m,) index in ``CROSSINGS``: memorized (q <= 0.05) in neither, both, only here, only in the
        baseline; -1 where either has no q-value.
    reason
        Why records have no interval; empty if some have one.
    """

    name: str
    paired: bool
    held_out: Estimate
    mean: Mapping[str, Estimate]
    ids: NDArray[Any]
    baseline: Mapping[str, Array]
    difference: Mapping[str, Array]
    standard_error: Mapping[str, Array]
    interval: Array
    p_value: Array
    q_value: Array
    crossing: NDArray[np.int8]
    reason: str = ""

    def count(self, crossing: str) -> int:
        """Count the records memorized in "neither", "both", "newly" or "no longer"."""
        return int(np.count_nonzero(self.crossing == CROSSINGS.index(crossing)))

    @property
    def less(self) -> int:
        """Number of records memorized less than in the baseline, at a 5 % false discovery rate."""
        return self._changed(-1)

    @property
    def more(self) -> int:
        """Number of records memorized more than in the baseline."""
        return self._changed(+1)

    def _changed(self, sign: int) -> int:
        change = self.difference["mean_log"]
        return int(np.count_nonzero((self.q_value <= SIGNIFICANCE) & (np.sign(change) == sign)))

    def order(self) -> NDArray[np.intp]:
        """Return row indices by decreasing absolute difference in mean_log, omitting NaN.

        Ties keep row order.
        """
        known = np.flatnonzero(~np.isnan(self.difference["mean_log"]))
        size = np.abs(self.difference["mean_log"][known])
        return known[np.argsort(-size, kind="stable")]

    def columns(self) -> dict[str, Any]:
        """Return the records' numbers as columns by name."""
        columns: dict[str, Any] = {"id": self.ids}
        for name, values in self.difference.items():
            columns[f"baseline_{name}"] = self.baseline[name]
            columns[name] = self.baseline[name] + values
            columns[f"difference_{name}"] = values
            columns[f"standard_error_{name}"] = self.standard_error[name]
        columns["low"], columns["high"] = self.interval.T
        columns["p_value"], columns["q_value"] = self.p_value, self.q_value
        columns["memorized"] = [("", *CROSSINGS)[place + 1] for place in self.crossing]
        return columns

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data, omitting single records."""
        counts = None if (self.crossing < 0).all() else {c: self.count(c) for c in CROSSINGS}
        return {
            "name": self.name,
            "paired": self.paired,
            "held_out": asdict(self.held_out),
            "mean": {name: asdict(found) for name, found in self.mean.items()},
            "memorized": counts,
            "less": self.less,
            "more": self.more,
            "reason": self.reason,
        }


@dataclass(frozen=True, eq=False)
class ExposureChange(Tabular):
    """A run's exposures minus the baseline's, in bits, for canaries inserted equally often.

    Attributes
    ----------
    test_loss
        Difference, nats per token, paired by fit.
    levels
        By number of insertions: mean difference, paired by canary and fit.
    ids, fit, inserted, baseline, difference
        (m,) of each pair.
    bound
        (m,) "at least" or "at most" where a difference is only a bound, "unknown" between bounds.
    """

    name: str
    test_loss: Estimate
    levels: Mapping[int, Estimate]
    ids: NDArray[Any]
    fit: NDArray[np.int64]
    inserted: NDArray[np.int64]
    baseline: Array
    difference: Array
    bound: NDArray[np.str_]

    def order(self) -> NDArray[np.intp]:
        """Return row indices by decreasing absolute difference, omitting NaN; ties by row."""
        known = np.flatnonzero(~np.isnan(self.difference))
        return known[np.argsort(-np.abs(self.difference[known]), kind="stable")]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return each canary of each fit, as columns by name."""
        names = ("fit", "inserted", "baseline", "difference", "bound")
        return {"id": self.ids, **{name: getattr(self, name) for name in names}}

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data, omitting single canaries."""
        return {
            "name": self.name,
            "test_loss": asdict(self.test_loss),
            "levels": {level: asdict(found) for level, found in self.levels.items()},
        }


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Displayed):
    """Runs side by side, with differences from the first, the baseline.

    Attributes
    ----------
    kind
        "scores" or "exposure".
    match
        "same" or "ids".
    runs
        ``ComparedScores`` or ``ComparedExposures`` of every run, the baseline first.
    changes
        ``ScoreChange`` or ``ExposureChange`` of every other run.
    matched, of
        Number of records (canaries) in all runs, and in each run.
    missing
        Missing fits of each run that has some.

    Examples
    --------
    See ``byrote.compare``.
    """

    kind: str
    match: str
    runs: tuple[ComparedRun, ...]
    changes: tuple[ScoreChange, ...] | tuple[ExposureChange, ...]
    matched: int
    of: tuple[int, ...]
    missing: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        names = ", ".join(run.name for run in self.runs)
        return f"Comparison({self.kind} of {names}; {self.matched:,} matched)"

    @property
    def baseline(self) -> ComparedRun:
        """The first run."""
        return self.runs[0]
