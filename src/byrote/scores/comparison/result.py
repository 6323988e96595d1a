"""The result of a comparison: every run, and how it differs from the first."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.scores.comparison.evidence import Evidence
from byrote.scores.exposure.levels import Level
from byrote.scores.memorization.summary import SIGNIFICANCE
from byrote.stats.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
CROSSINGS = ("neither", "both", "newly", "no longer")  # memorized here, in terms of the baseline


@dataclass(frozen=True)
class RunSide:
    """One run by itself.

    Attributes
    ----------
    name, store
        What it is called, and its folder.
    description
        What it was: model, plan, data, seed.
    differs
        What tells its model from the baseline's, by parameter: (the baseline's, its own).
    evidence
        Membership inference and epsilon.
    """

    name: str
    store: str
    description: Mapping[str, Any]
    differs: Mapping[str, tuple[Any, Any]]
    evidence: Evidence


@dataclass(frozen=True)
class ScoredSide(RunSide):
    """A run with scores; all numbers are of the records that are compared. Nats.

    held_out, in_training: mean log p of records. quantiles: per estimator those of the summary.
    mean: of each estimator over records; the interval is mean_log's alone. scored: records;
    significant: of them memorized, None without p-values.
    """

    held_out: Estimate
    in_training: Estimate
    quantiles: Mapping[str, Mapping[str, float]]
    mean: Mapping[str, Estimate]
    scored: int
    significant: int | None


@dataclass(frozen=True)
class ExposedSide(RunSide):
    """An exposure run; all numbers are of the canaries that are compared.

    test_loss: nats per token of the text set apart, over fits. levels: exposure by insertions.
    maximum: bits, log2 of the number of candidates.
    """

    test_loss: Estimate
    levels: tuple[Level, ...]
    maximum: float

    @property
    def perplexity(self) -> Estimate:
        """Of the text set apart, per token."""
        found = self.test_loss
        low, value, high = np.exp([found.low, found.value, found.high]).tolist()
        return Estimate(value, low, high, reason=found.reason)


@dataclass(frozen=True, eq=False)
class ScoreChange:
    """A run's scores minus the baseline's, of m records. Nats.

    Attributes
    ----------
    name
        Of the run.
    paired
        Whether fits pair: the same records in and out, the same seeds. Otherwise variances add.
    held_out
        Difference of mean held-out log p: below 0 is what the run costs.
    mean
        Per estimator, difference of the means over records; the interval is mean_log's alone.
    ids
        (m,) the records.
    difference, standard_error
        (m,) per estimator; jackknife.
    interval
        (m, 2) 95 % interval of mean_log's difference.
    p_value, q_value
        (m,) Student's two-sided p of "mean_log is the same", Benjamini-Hochberg over the records.
    crossing
        (m,) place in ``CROSSINGS``: memorized (q <= 0.05) in neither, both, only here, only in the
        baseline; -1 where either has no q-value.
    reason
        Why records have no interval; empty if some have.
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
        """How many records are memorized in "neither", "both", "newly" or "no longer"."""
        return int(np.count_nonzero(self.crossing == CROSSINGS.index(crossing)))

    @property
    def less(self) -> int:
        """Records memorized less than in the baseline, at a 5 % false discovery rate."""
        return self._changed(-1)

    @property
    def more(self) -> int:
        """Records memorized more."""
        return self._changed(+1)

    def _changed(self, sign: int) -> int:
        change = self.difference["mean_log"]
        return int(np.count_nonzero((self.q_value <= SIGNIFICANCE) & (np.sign(change) == sign)))

    def order(self) -> NDArray[np.intp]:
        """Places by falling size of mean_log's difference, unknown ones left out; ties by place."""
        known = np.flatnonzero(~np.isnan(self.difference["mean_log"]))
        size = np.abs(self.difference["mean_log"][known])
        return known[np.argsort(-size, kind="stable")]

    def to_frame(self) -> "pd.DataFrame":
        """One row per record."""
        import pandas as pd  # noqa: PLC0415 (slow to load)

        columns: dict[str, Any] = {"id": self.ids}
        for name, values in self.difference.items():
            columns[f"baseline_{name}"] = self.baseline[name]
            columns[name] = self.baseline[name] + values
            columns[f"difference_{name}"] = values
            columns[f"standard_error_{name}"] = self.standard_error[name]
        columns["low"], columns["high"] = self.interval.T
        columns["p_value"], columns["q_value"] = self.p_value, self.q_value
        columns["memorized"] = [("", *CROSSINGS)[place + 1] for place in self.crossing]
        return pd.DataFrame(columns)

    def to_dict(self) -> dict[str, Any]:
        """Without the single records."""
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
class ExposureChange:
    """A run's exposures minus the baseline's, of canaries inserted equally often in a fit. Bits.

    Attributes
    ----------
    test_loss
        Difference, nats per token, paired by fit.
    levels
        By how often the canaries are inserted: mean difference, paired by canary and fit.
    ids, fit, inserted, baseline, difference
        (m,) the pairs.
    bound
        (m,) "at least" or "at most" where a difference is only that, "unknown" between two bounds.
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
        """Places by falling size of the difference, unknown ones left out; ties by place."""
        known = np.flatnonzero(~np.isnan(self.difference))
        return known[np.argsort(-np.abs(self.difference[known]), kind="stable")]

    def to_frame(self) -> "pd.DataFrame":
        """One row per canary and fit."""
        import pandas as pd  # noqa: PLC0415 (slow to load)

        names = ("fit", "inserted", "baseline", "difference", "bound")
        return pd.DataFrame({"id": self.ids, **{name: getattr(self, name) for name in names}})

    def to_dict(self) -> dict[str, Any]:
        """Without the single canaries."""
        return {
            "name": self.name,
            "test_loss": asdict(self.test_loss),
            "levels": {level: asdict(found) for level, found in self.levels.items()},
        }


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Runs side by side, and how each differs from the first, the baseline.

    Attributes
    ----------
    kind
        "scores" or "exposure".
    match
        "same" or "ids".
    runs
        ``ScoredSide`` or ``ExposedSide`` of every run, the baseline first.
    changes
        ``ScoreChange`` or ``ExposureChange`` of every other run.
    matched, of
        Records (canaries) that are in all runs, and how many each run has.
    missing
        Fits left out because a run lacks them, by run.

    Examples
    --------
    See ``byrote.compare``.
    """

    kind: str
    match: str
    runs: tuple[RunSide, ...]
    changes: tuple[ScoreChange, ...] | tuple[ExposureChange, ...]
    matched: int
    of: tuple[int, ...]
    missing: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        names = ", ".join(run.name for run in self.runs)
        return f"Comparison({self.kind} of {names}; {self.matched:,} matched)"

    @property
    def baseline(self) -> RunSide:
        """The first run."""
        return self.runs[0]
