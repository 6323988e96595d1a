"""max_q999: the value that at most 0.1 % of the records' scores exceed."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from byrote.models.registry import approximations
from byrote.scores.gate.threshold import GatedRun, Measured, ThresholdKind
from byrote.scores.memorization.diagnostics import collect_diagnostics
from byrote.scores.memorization.evaluation import zero_spread
from byrote.stats.hypergeometric import order_limits
from byrote.stats.multiple_testing import exceeded_by_at_least, exceeded_by_fewer_than

Array = NDArray[np.float64]
UNIT = "nats"
BEYOND = 0.001  # share of the records that may exceed the 0.999 quantile
ESTIMATOR = "mean_log"


def measure(gated: GatedRun, asked: float) -> Measured:
    """Measure the 0.999 quantile of ``mean_log``, with an interval for its true values.

    ``mean_log`` has mean zero without memorization, the least noise of the three, and the only
    t-interval with nominal coverage. Among thousands of noisy scores the highest are high by
    chance, so the ends come from every record's own limits: see docs/gate.md.
    """
    if gated.run.has_canaries:
        return Measured.missing(UNIT, "canaries have exposures, no scores")
    limits = _Limits(gated)
    drawn, population = gated.sample
    known = int(np.count_nonzero(~np.isnan(limits.estimate)))
    if not known:
        return Measured.missing(UNIT, "no record was scored both in and out of training")
    allowed = int(np.floor(BEYOND * population + 1e-9))
    # Sampling records is an error, too: it takes half of each tail.
    part = gated.tail if drawn == population else gated.tail / 2
    few, many = order_limits(allowed, sample=drawn, population=population, significance=part)
    return Measured(
        found=_quantile(limits.estimate[~np.isnan(limits.estimate)]),
        low=exceeded_by_at_least(limits.lower, drawn, many, part),
        high=exceeded_by_fewer_than(limits.upper, drawn, few, part),
        unit=UNIT,
        covers=f"0.999 quantile of {ESTIMATOR} of {gated.scored_records}; the interval allows for"
        f" the noise of retraining{_blind(allowed)}",
        records=limits.above(gated, asked),
        doubts=_doubts(gated, limits, few, known),
        detail={
            "estimator": ESTIMATOR,
            "records": drawn,
            "unscored": drawn - known,
            "allowed_beyond": allowed,
            "median_standard_error": _median(limits.error),
        },
    )


def _blind(allowed: int) -> str:
    if not allowed:
        return ""
    noun = "record" if allowed == 1 else "records"
    return (
        f". It cannot see {allowed:,} {noun} above it, however far: --max-score limits every record"
    )


class _Limits:
    """One-sided limits of every record's true score; infinite without a standard error."""

    def __init__(self, gated: GatedRun) -> None:
        self.evaluation = evaluation = gated.run.evaluation
        self.estimate = evaluation.estimate[ESTIMATOR]
        self.error = evaluation.standard_error[ESTIMATOR]
        self.endless = np.isposinf(self.estimate)
        enough = gated.degrees > 0
        self.known = np.isfinite(self.estimate) & np.isfinite(self.error) & enough
        # Student's quantile is looked up once per degrees of freedom, which are few.
        degrees = np.where(enough, gated.degrees, np.nan)
        self.degrees, self.place = np.unique(degrees, return_inverse=True)

    def lower(self, tail: float) -> Array:
        """A density of zero outside training has no error, but a p-value."""
        low = np.where(np.isfinite(reach := self._reach(tail)), self.estimate - reach, -np.inf)
        if self.endless.any():
            low[self.endless & (self.evaluation.p_value <= tail)] = np.inf
        return low

    def above(self, gated: GatedRun, asked: float) -> tuple[str, ...]:
        """Return the ids of records whose own lower limit is above the threshold."""
        low = self.lower(gated.tail / max(1, len(self.estimate)))
        above = np.flatnonzero(low > asked)
        return gated.ids(above[np.argsort(-low[above], kind="stable")])

    def upper(self, tail: float) -> Array:
        """Upper limits; infinite where unknown."""
        reach = self._reach(tail)
        return np.where(np.isfinite(reach), self.estimate + reach, np.inf)

    def _reach(self, tail: float) -> Array:
        quantile = -stdtrit(self.degrees, tail)[self.place]
        with np.errstate(invalid="ignore"):
            reach = np.where(self.error == 0, 0.0, quantile * self.error)
        return np.where(self.known & ~zero_spread(self.evaluation, tail), reach, np.nan)


def _doubts(gated: GatedRun, limits: _Limits, few: int, known: int) -> tuple[str, ...]:
    doubts = []
    drawn, population = gated.sample
    if np.isnan(limits.error).all():
        doubts.append("too few repeats or fits: scores have no standard errors")
    if few == 0:
        doubts.append(
            f"too few records: {drawn:,} drawn at random of {population:,} cannot bound their"
            " 0.999 quantile from above"
        )
    if known < drawn:
        doubts.append(f"{drawn - known:,} of {drawn:,} records have no score")
    diagnostics = collect_diagnostics(gated.run.folder, gated.table).summary
    if diagnostics is not None and diagnostics.poor:
        doubts.append("log-likelihoods rest on few importance samples: more draws help")
    model = gated.run.manifest.model
    if approximations(model.name, model.parameters, gated.run.design.n):
        doubts.append("log-likelihoods are not exact: byrote show explains why, and what helps")
    return tuple(doubts)


def _quantile(values: Array) -> float:
    """Smallest value that at most 0.1 % of these exceed."""
    place = len(values) - 1 - int(np.floor(BEYOND * len(values) + 1e-9))
    return float(np.partition(values, place)[place])


def _median(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")


MAX_Q999 = ThresholdKind("max_q999", 0.0, np.inf, "nats, a number of at least 0", measure)
