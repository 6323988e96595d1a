"""What a run could have found: a list without records is not an all-clear."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from byrote.columnar import PlainData
from byrote.plans import IN, OUT
from byrote.runs.table import Table
from byrote.scores.memorization.evaluation import Evaluation
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.stats.moderated_test import VariancePrior
from byrote.stats.negative_control import Control

Array = NDArray[np.float64]

CONTROL_LEVELS = (0.05, 0.01, 0.001)
WIDER = 1.2  # ratio of spreads, held out and in training, from which the test may err
NOISY = 0.95  # quantile of standard errors that a noisy record has
_FEWEST, _SAMPLED = 50, 20_000  # records that show how spreads differ
_FAR = 6.0  # standard deviations of mean_log over records
_EVEN = 2.0  # degrees of the prior below which some records vary far more than most
_HEAVY = 0.1  # ratio of p-values, by the control and by Student, below which tails are heavy


@dataclass(frozen=True)
class Sensitivity(PlainData):
    """What the test of a run could find, and what its negative control showed.

    Attributes
    ----------
    reason
        Why the moderated test cannot be had; empty where it can.
    tested_exactly
        Number of records for which only the exact test can be had: a density of zero, no spread, or
        too few fits on a side.
    control, control_values
        Source of the negative control, "bystanders" or "permuted memberships"; number of its
        p-values.
    control_below
        Share of control p-values of at most 0.05, 0.01 and 0.001, by level.
    detectable, detectable_noisy
        Smallest effect, nats, that the run finds with 80 % power in a typical record, and in a
        noisy one (95th percentile of standard errors), if it is the only one. Infinite if none is
        found, NaN if unknown.
    far_from_normal
        Whether retraining noise is so far from normal that these two say little.
    upper_limit
        Effect, nats, that training has on no record, at 95 % confidence. Infinite if unknown.
    held_out_spread
        How many times as much a record's values vary where it is held out as in training; None if
        unknown. The test takes them to vary alike.
    unexplained
        Row of a record that was not found, as none was, although its whole interval lies far above
        zero and the other records: by 6 of their standard deviations; -1 otherwise.
    """

    reason: str = ""
    tested_exactly: int = 0
    control: str | None = None
    control_values: int = 0
    control_below: Mapping[str, float] = field(default_factory=dict)
    detectable: float = float("nan")
    detectable_noisy: float = float("nan")
    far_from_normal: bool = False
    upper_limit: float = float("inf")
    held_out_spread: float | None = None
    unexplained: int = -1

    @property
    def spreads_differ(self) -> bool:
        """Whether values held out vary so much more that the test may err with few of them."""
        return self.held_out_spread is not None and self.held_out_spread > WIDER


def sensitivity_of(evaluation: Evaluation, q_value: Array) -> Sensitivity:
    """Compute what a run could find; q_value: (r,)."""
    discovery, tested = evaluation.discovery, int(np.count_nonzero(~np.isnan(q_value)))
    unexplained = _unexplained(evaluation, q_value)
    control, prior = discovery.control, discovery.prior
    if control is None or prior is None:
        blind = tested > 0 and evaluation.smallest_p * tested > SIGNIFICANCE
        return Sensitivity(
            reason=discovery.reason,
            tested_exactly=tested,
            detectable=float("inf") if blind else float("nan"),
            detectable_noisy=float("inf") if blind else float("nan"),
            unexplained=unexplained,
        )
    error = evaluation.table.design.per_look(SIGNIFICANCE)
    single = error / tested
    _, high = discovery.limits(error)
    by_moderated = int(np.count_nonzero(~np.isnan(high)))
    return Sensitivity(
        tested_exactly=tested - by_moderated,
        control=discovery.source,
        control_values=len(control),
        control_below={str(level): control.share_below(level) for level in CONTROL_LEVELS},
        detectable=discovery.detectable(single),
        detectable_noisy=discovery.detectable(single, NOISY),
        far_from_normal=far_from_normal(prior, control, single),
        held_out_spread=held_out_spread(evaluation.table),
        upper_limit=float(np.nanmax(high)) if by_moderated == tested else float("inf"),
        unexplained=unexplained,
    )


def held_out_spread(table: Table) -> float | None:
    """Compute how many times as much records' values vary held out as in training.

    Of values less the median deviation of their fit. Every record weighs alike: by the share of its
    squares that are those held out, which has a known mean where values vary alike. None where no
    more values are in training than held out, as the test then hardly errs, or too few of any.
    """
    fits, step = table.counting(), max(1, len(table.rows) // _SAMPLED)
    values, roles = table.log_prob[fits, ::step], table.roles()[fits, ::step]
    known = np.isfinite(values).all(axis=0)
    if known.sum() < _FEWEST:
        return None
    values, roles = values[:, known], roles[:, known]
    values = values - np.median(values - np.median(values, axis=0), axis=1)[:, None]
    squares, degrees = np.zeros((2, 2, values.shape[1]))
    for place, role in enumerate((OUT, IN)):
        side = roles == role
        count = side.sum(axis=0)
        mean = np.sum(values, axis=0, where=side) / np.maximum(count, 1)
        squares[place] = np.sum((values - mean) ** 2, axis=0, where=side)
        degrees[place] = count - 1
    some = (degrees >= 1).all(axis=0) & (squares.sum(axis=0) > 0)
    if some.sum() < _FEWEST or not degrees[0, some].sum() < degrees[1, some].sum():
        return None
    odds = []
    for sides in (squares[:, some], degrees[:, some]):
        share = np.mean(sides[0] / sides.sum(axis=0))
        odds.append(share / (1 - share))
    return float(np.sqrt(odds[0] / odds[1]))


def far_from_normal(prior: VariancePrior, control: Control, level: float) -> bool:
    """Whether noise is so far from normal that detectable effects may be wrong by a quarter.

    ``level``: the p-value that makes a discovery.
    """
    return prior.degrees < _EVEN or heaviness(control, level) < _HEAVY


def heaviness(control: Control, level: float) -> float:
    """Return the p-value of Student's law that the control demands for ``level``, as its share.

    Below 1 where noise has heavier tails than the normal law.
    """
    level = max(level, 2 * control.smallest)
    return float(control.critical(level) / level)


def _unexplained(evaluation: Evaluation, q_value: Array) -> int:
    if (q_value <= SIGNIFICANCE).any():
        return -1
    low = np.where(np.isnan(evaluation.interval[:, 0]), -np.inf, evaluation.interval[:, 0])
    estimate = evaluation.estimate["mean_log"]
    known = estimate[np.isfinite(estimate)]
    if not len(known):
        return -1
    centre = float(np.median(known))
    spread = float(np.median(np.abs(known - centre)) / ndtri(0.75))
    row = int(np.argmax(low))
    if not low[row] > max(0.0, centre + _FAR * spread):
        return -1
    return int(evaluation.table.rows[row])


def needed_discoveries(smallest_p: float, tested: int) -> int:
    """How many of ``tested`` records must reach the smallest p for any to be significant."""
    return max(1, int(np.ceil(smallest_p * tested / SIGNIFICANCE - 1e-9)))
