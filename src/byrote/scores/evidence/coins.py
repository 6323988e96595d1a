"""Which of a run's inclusions are independent fair coins, and what each fit says of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.fits.table import Table
from byrote.plans import IN

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
SHARE, LEAST = 0.1, 100  # of the coins are guessed; at least so many, or all

_NO_COINS = {
    "kfold": "every record is held out exactly once in a repeat: folds are no independent coins",
    "leave-one-out": "each record is held out alone: there are no coins",
    "subset": "subsets have a fixed size: inclusions are no independent coins",
    "splitter": "a splitter's parts have fixed sizes: inclusions are no independent coins",
    "membership": "a matrix of memberships is not known to be tossed by independent fair coins",
}
_PAIRS = "exactly half of the probes are in each fit of a pair: inclusions are no independent coins"
_INSTEAD = "byrote.Probes(…, coins=True), --plan probes --coins, has them"


@dataclass(frozen=True)
class Coins:
    """Coins whose guesses count together, and a score for each, higher where it looks like "in".

    scores, included: (k,). fits: how many fits they belong to. told: what the scores are.
    """

    scores: Array
    included: Flags
    fits: int
    told: str

    @property
    def guesses(self) -> int:
        """How many to guess if nothing else is asked for: settled by their number alone."""
        k = len(self.scores)
        return min(k, max(LEAST, int(SHARE * k)))


def coins_of(spec: Mapping[str, Any], table: Table) -> Coins | str:
    """The coins of a plan that has some, or the reason why it has none.

    With coins across fits all of them count together, and scores may compare fits: the outputs of
    all fits are one mechanism of all coins, and to turn one coin changes the output of one fit.
    Balanced probes are coins within a fit alone: what other fits say of a record tells how often it
    was in there, and so whether it is in here. Only the first fit is audited, by what it says.
    """
    if spec["kind"] != "probes":
        return f"{_NO_COINS.get(spec['kind'], _NO_COINS['membership'])}; {_INSTEAD}"
    if spec.get("pairs"):
        return f"{_PAIRS}; {_INSTEAD}"
    there = np.flatnonzero(table.counting())
    values, included = table.log_prob[there], table.roles()[there] == IN
    if spec.get("coins") and len(there) > 1:
        told = "log-likelihood less its mean over the fits, whoever trained on it"
        return Coins(centred(values).ravel(), included.ravel(), len(there), told)
    return Coins(values[0], included[0], 1, f"log-likelihood in fit {there[0]}")


def centred(values: Array) -> Array:
    """Log-likelihoods, (F, m), less the mean of their record, then less the mean of their fit.

    No label is used. A density of zero stays -inf where the record has other values; what is not
    known (NaN) becomes 0.

    Examples
    --------
    >>> centred(np.array([[1.0, 5.0, -np.inf], [3.0, 5.0, 2.0]])).round(2).tolist()
    [[-0.5, 0.5, -inf], [0.67, -0.33, -0.33]]
    """
    finite = np.isfinite(values)
    rest = np.where(finite, values, 0.0)
    for axis in (0, 1):
        count = np.maximum(finite.sum(axis=axis, keepdims=True), 1)
        rest = np.where(finite, rest - rest.sum(axis=axis, keepdims=True) / count, 0.0)
    return np.where(np.isneginf(values) & finite.any(axis=0), -np.inf, rest)
