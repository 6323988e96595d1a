"""The result of a membership inference attack."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.columnar import PlainData

Interval = tuple[float, float]


@dataclass(frozen=True)
class HitsAtRate(PlainData):
    """How many members an attack finds at a low rate of false alarms.

    Attributes
    ----------
    asked
        The false-positive rate asked for.
    false_positive_rate
        The one at the threshold, at most that.
    true_positive_rate, interval
        Share of members' scores above the threshold, with an interval that allows for the errors of
        both rates.
    reason
        Why all three are NaN; empty if they are not.
    """

    asked: float
    false_positive_rate: float
    true_positive_rate: float
    interval: Interval
    reason: str = ""


@dataclass(frozen=True, eq=False)
class MembershipInference:
    """How well an attack tells members from others.

    Attributes
    ----------
    attack
        "lira" or "loss".
    scores
        (fits, records): higher where the record looks like a member of that fit; nats. NaN where
        it could not be computed.
    included
        (fits, records): the truth.
    auc, interval
        Area under the receiver operating characteristic, over all scores, with its interval.
    hits
        True-positive rates at 0.1 % and 1 % false positives.
    level
        Of the intervals.
    unscored
        Records without any score.
    reason
        Why ``auc`` is NaN; empty if it is not.

    Examples
    --------
    >>> import byrote
    >>> generator = np.random.default_rng(0)
    >>> included = generator.random((20, 300)) < 0.5
    >>> log_prob = generator.normal(size=(20, 300)) + 2 * included
    >>> found = byrote.infer_membership(log_prob, included)
    >>> round(found.auc, 2), found.hits[0].reason
    (0.91, '0.1 % of 300 records is less than one record')
    """

    attack: str
    scores: NDArray[np.float64]
    included: NDArray[np.bool_]
    auc: float
    interval: Interval
    hits: tuple[HitsAtRate, ...]
    level: float
    unscored: int
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data, without the scores of single records."""
        names = ("attack", "auc", "interval", "level", "unscored", "reason")
        fits, records = self.scores.shape
        return {
            "fits": fits,
            "records": records,
            **{name: getattr(self, name) for name in names},
            "hits": [hit.to_dict() for hit in self.hits],
        }
