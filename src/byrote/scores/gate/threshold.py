"""Thresholds of a gate: what was allowed, what was measured, and the verdict."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.columnar import PlainData
from byrote.display import Displayed
from byrote.errors import InvalidInput
from byrote.runs.table import Table
from byrote.scores.run import Run

Verdict = Literal["passed", "failed", "inconclusive"]
UNMEASURED = "not measured"
FORMAT = "byrote-gate-1"
EXIT_CODES: Mapping[Verdict, int] = {"passed": 0, "failed": 3, "inconclusive": 4}
_DESCRIBED = {"run_id", "seed", "plan", "model", "data"}


@dataclass(frozen=True)
class GatedRun:
    """A run, and the error that each end of an interval may make, at all looks together."""

    run: Run
    error: float

    @property
    def tail(self) -> float:
        """The error that each end may make at this look."""
        return self.run.design.per_look(self.error)

    @property
    def table(self) -> Table:
        """Log-likelihoods of the finished fits."""
        return self.run.table(partial=True)

    @cached_property
    def degrees(self) -> NDArray[np.float64]:
        """(r,) lower bounds of the degrees of freedom of mean_log's standard error.

        The number of repeats or pairs less 1. Where sides are jackknifed by fits, that of the
        smaller side less 1: Welch and Satterthwaite's degrees lie between that and more.
        """
        if self.run.design.units == "fits":
            return np.minimum(self.run.evaluation.n_in, self.run.evaluation.n_out) - 1.0
        units = len(np.unique(self.run.design.repeat[self.table.counting()]))
        return np.full(len(self.table.rows), units - 1.0)

    @property
    def sample(self) -> tuple[int, int]:
        """Number of scored records, and of those that they were drawn from (chosen: themselves)."""
        spec = self.run.manifest.plan.spec
        scored = len(self.table.rows)
        random = spec.get("kind") == "probes" and not spec.get("chosen")
        return scored, self.run.design.n if random else scored

    @property
    def scored_records(self) -> str:
        """The records that scores describe, in words."""
        scored, population = self.sample
        if scored < population:
            return f"{population:,} records, from {scored:,} of them drawn at random"
        part = "" if scored == self.run.design.n else f" chosen of {self.run.design.n:,}"
        return f"{scored:,} records{part}"

    def ids(self, places: NDArray[np.intp]) -> tuple[str, ...]:
        """Return the ids of scored records, by their places in the table."""
        return tuple(str(name) for name in self.run.folder.ids[self.table.rows[places]])

    def described(self) -> dict[str, Any]:
        """Return id, model, plan, data and seed of the run."""
        return self.run.manifest.model_dump(mode="json", include=_DESCRIBED)


@dataclass(frozen=True)
class Measured:
    """The measurement for a threshold, before the verdict.

    ``doubts`` are reasons why the threshold cannot be passed, ``disputes`` reasons why it cannot be
    failed: clauses that name what the evidence lacks. ``one_sided`` marks an estimate that is
    itself a lower bound, to which the threshold applies. ``records``: ids above it, highest first.
    """

    found: float = np.nan
    low: float = np.nan
    high: float = np.nan
    unit: str = ""
    covers: str = ""
    doubts: tuple[str, ...] = ()
    disputes: tuple[str, ...] = ()
    one_sided: bool = False
    records: tuple[str, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def missing(cls, unit: str, reason: str, **detail: Any) -> "Measured":
        """Make the measurement of a run that does not allow one."""
        return cls(unit=unit, doubts=(f"{UNMEASURED}: {reason}",), detail=detail)


@dataclass(frozen=True)
class ThresholdKind:
    """A kind of threshold: its range, excluding the end, in numbers and words; its measurement.

    ``percent``: whether a limit may be written as a percentage.
    """

    name: str
    least: float
    most: float
    expected: str
    measure: Callable[..., Measured]
    percent: bool = False

    def limit(self, value: Any) -> float:
        """Check a limit: a number, or a percentage as text."""
        text = self.percent and isinstance(value, str)
        number = checks.parse_share(value) if text else checks.as_float(value)
        if not self.least <= number < self.most:  # NaN neither
            raise InvalidInput(f"{self.name} must be {self.expected}; got {checks.brief(value)}")
        return number


@dataclass(frozen=True)
class Threshold(PlainData):
    """The verdict on one threshold.

    Attributes
    ----------
    name
        "max_exposure", "max_score", "max_significant", "max_q999", "max_epsilon_proven" or
        "max_auc".
    asked
        The largest value allowed, in ``unit``.
    found
        The estimate; NaN if unknown.
    low, high
        Interval at ``level``, for all thresholds of a gate together; NaN if unknown.
    level
        Level at which the intervals of all thresholds hold together.
    unit
        "bits", "share", "nats", "epsilon" or "area".
    verdict
        "passed", "failed" or "inconclusive".
    reason
        Why it is not passed; empty if it is.
    covers
        What was measured, and what the interval is for.
    detail
        The numbers behind it, by name.
    records
        Ids of records or canaries above a threshold that failed, the most extreme first.
    """

    name: str
    asked: float
    found: float
    low: float
    high: float
    level: float
    unit: str
    verdict: Verdict
    reason: str
    covers: str
    detail: Mapping[str, Any]
    records: tuple[str, ...] = ()

    @property
    def interval(self) -> tuple[float, float]:
        """Low and high."""
        return self.low, self.high

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data."""
        plain = super().to_dict()
        plain["interval"] = [plain.pop("low"), plain.pop("high")]
        return plain


def judge(
    name: str, asked: float, measured: Measured, *, level: float, missing: str = ""
) -> Threshold:
    """Decide a threshold: failed if the whole interval is above it, passed if none of it is.

    An incomplete run neither passes nor fails; ``missing`` states what is missing.
    """
    highest = measured.low if measured.one_sided else measured.high
    above, within = measured.low > asked, highest <= asked
    verdict: Verdict = "inconclusive"
    if missing:
        reason = missing
    elif above and not measured.disputes:
        verdict, reason = "failed", "the whole interval is above the threshold"
    elif within and not measured.doubts:
        verdict, reason = "passed", ""
    else:
        reason = _why_inconclusive(measured, above=above, within=within)
    return Threshold(
        name=name,
        asked=asked,
        found=measured.found,
        low=measured.low,
        high=measured.high,
        level=level,
        unit=measured.unit,
        verdict=verdict,
        reason=reason,
        covers=measured.covers,
        detail=measured.detail,
        records=measured.records if verdict == "failed" else (),
    )


def _why_inconclusive(measured: Measured, *, above: bool, within: bool) -> str:
    if above:
        return "; ".join(measured.disputes)
    reasons = list(measured.doubts)
    if not within and not np.isnan(measured.low):
        reasons.append("the interval reaches across the threshold")
    return "; ".join(reasons) or UNMEASURED


@dataclass(frozen=True)
class Gate(Displayed):
    """The verdict on all thresholds that were set.

    Attributes
    ----------
    thresholds
        One each, in the order of ``byrote.check``'s parameters.
    verdict
        "failed" if any threshold failed, "passed" if all passed, else "inconclusive".
    exit_code
        3, 0 or 4, the exit code of ``byrote check``.
    headline
        The verdict in a sentence.
    level
        Level at which the intervals of all thresholds hold together.
    run
        Id, model, plan, data and seed of the run.
    """

    thresholds: tuple[Threshold, ...]
    verdict: Verdict
    exit_code: int
    headline: str
    level: float
    run: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Gate({self.headline})"

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data; the schema is in docs/gate.md."""
        return {
            "format": FORMAT,
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "headline": self.headline,
            "level": self.level,
            "thresholds": [threshold.to_dict() for threshold in self.thresholds],
            "run": dict(self.run),
        }


def gate_of(thresholds: Sequence[Threshold], *, level: float, run: Mapping[str, Any]) -> Gate:
    """Combine thresholds: the only source of verdict, headline and exit code."""
    names = {
        verdict: [option(each.name) for each in thresholds if each.verdict == verdict]
        for verdict in EXIT_CODES
    }
    total = len(thresholds)
    verdict: Verdict = "passed"
    if names["failed"]:
        verdict = "failed"
    elif len(names["passed"]) < total or not thresholds:
        verdict = "inconclusive"
    named = names[verdict]
    count = f"all {total}" if len(named) == total > 1 else f"{len(named)} of {total}"
    noun = "threshold" if total == 1 else "thresholds"
    headline = f"{verdict}: {count} {noun} ({', '.join(named)})"
    if verdict == "failed" and names["inconclusive"]:
        headline += f"; inconclusive: {', '.join(names['inconclusive'])}"
    return Gate(tuple(thresholds), verdict, EXIT_CODES[verdict], headline, level, run)


def option(name: str) -> str:
    """Spell a threshold as on the command line, without leading dashes.

    Examples
    --------
    >>> option("max_epsilon_proven")
    'max-epsilon-proven'
    """
    return name.replace("_", "-")
