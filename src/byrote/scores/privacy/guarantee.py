"""Differential-privacy guarantees: what they imply, and which a run records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np

from byrote import checks
from byrote.columnar import PlainData
from byrote.errors import InvalidInput
from byrote.models.privacy.dp import ADD_REMOVE, REPLACEMENT, DPGuarantee
from byrote.runs.run_folder import RunFolder
from byrote.stats import exposure as formulas
from byrote.stats import gaussian_dp

UNREADABLE = "its fits' facts named privacy hold no epsilon of at least 0 with a delta below 1"


def gaussian_delta(mu: float, epsilon: float) -> float:
    """Compute the smallest delta for which mu-Gaussian differential privacy is (epsilon, delta).

    ``delta(epsilon) = Phi(-epsilon/mu + mu/2) - e^epsilon Phi(-epsilon/mu - mu/2)`` (Balle & Wang
    2018; Dong, Roth & Su 2022, corollary 1).

    Parameters
    ----------
    mu
        At least 0: sensitivity over standard deviation of a Gaussian mechanism.
    epsilon
        At least 0, nats.

    Raises
    ------
    InvalidInput
        If a number is negative or not finite.

    Examples
    --------
    >>> import byrote
    >>> round(byrote.privacy.gaussian_delta(mu=1.0, epsilon=1.0), 6)
    0.126937
    """
    return gaussian_dp.delta_of(
        checks.not_negative("mu", mu), checks.not_negative("epsilon", epsilon)
    )


def gaussian_epsilon(mu: float, delta: float) -> float:
    """Compute the smallest epsilon for which mu-Gaussian differential privacy is (epsilon, delta).

    In nats; the inverse of ``gaussian_delta``. Infinite for delta = 0, unless mu = 0.

    Parameters
    ----------
    mu
        At least 0.
    delta
        At least 0, below 1.

    Raises
    ------
    InvalidInput
        If an argument is out of range.

    Examples
    --------
    >>> import byrote
    >>> round(byrote.privacy.gaussian_epsilon(mu=1.0, delta=1e-5), 4)
    4.3772
    """
    return gaussian_dp.epsilon_of(checks.not_negative("mu", mu), checks.share("delta", delta))


@dataclass(frozen=True)
class ExposureBound(PlainData):
    """Upper bounds on the exposure of a secret drawn uniformly from its space.

    Attributes
    ----------
    epsilon, delta, insertions
        Guarantee for one training window; number of windows that contain the canary.
    group_epsilon, group_delta
        Guarantee for all insertions together: ``c epsilon, delta sum_{j < c} e^{j epsilon}``.
    space_size
        Number of candidates, ``|R|``; None if unknown.
    mean_bits
        Upper bound on the expected exposure.

    Examples
    --------
    >>> bound = exposure_bound(epsilon=1.0)
    >>> round(bound.mean_bits, 4), round(bound.tail(10), 6)
    (2.6403, 0.002655)
    """

    epsilon: float
    delta: float
    insertions: int
    group_epsilon: float
    group_delta: float
    space_size: int | None
    mean_bits: float

    def tail(self, bits: float) -> float:
        """Bound the probability of an exposure of at least ``bits`` from above."""
        return formulas.dp_tail_bound(
            checks.not_negative("bits", bits), self.group_epsilon, self.group_delta
        )


def exposure_bound(
    *, epsilon: float, delta: float = 0.0, insertions: int = 1, space_size: int | None = None
) -> ExposureBound:
    """Bound the exposure of a canary under (epsilon, delta)-differential privacy.

    ``P(exposure >= t) <= e^epsilon 2^-t + delta``, since without the canary the rank of a secret
    drawn uniformly is uniform. Hence the mean: ``(1 - e^-epsilon) log2(1 + e^epsilon) + 1 / ln 2``
    for delta = 0, ``(epsilon + 1) / ln 2 + delta log2 |R|`` otherwise, and never more than
    ``log2 |R|``. The unit of privacy is the training window: a canary that spans two counts twice.

    Parameters
    ----------
    epsilon
        At least 0, nats, for one training window.
    delta
        At least 0, below 1. With a delta the mean needs ``space_size``.
    insertions
        Number of windows that contain the canary.
    space_size
        Number of candidates, ``|R|``, at least 2.

    Raises
    ------
    InvalidInput
        If an argument is out of its range, or delta is given without ``space_size``.

    Examples
    --------
    >>> import byrote
    >>> round(byrote.privacy.exposure_bound(epsilon=0.65).mean_bits, 4)
    2.1805
    """
    epsilon, delta = checks.not_negative("epsilon", epsilon), checks.share("delta", delta)
    insertions = checks.integer("insertions", insertions, at_least=1)
    if space_size is not None:
        space_size = checks.size("space_size", space_size, at_least=2)
    elif delta:
        raise InvalidInput(
            "space_size must be given with a delta, whose cost is up to log2 |R| bits; got None"
        )
    group = formulas.group_privacy(epsilon, delta, insertions)
    bits = np.inf if space_size is None else log2(space_size)
    mean = formulas.dp_mean_bound(*group, bits)
    return ExposureBound(epsilon, delta, insertions, *group, space_size, mean)


def guarantee_of(run: RunFolder, fits: Sequence[int]) -> dict[str, Any] | None:
    """Return the guarantee of the fit with the largest epsilon; None if no fit records one.

    ``delta`` is the largest of any fit: every fit satisfies it. ``epsilon`` is infinite where it is
    null, and where some fits have no guarantee; ``fits`` is how many have one,
    ``smallest_epsilon`` the smallest of any fit, if they differ.
    """
    facts = [run.facts(fit).get("privacy") for fit in fits]
    guarantees = [_read(fact) for fact in facts if fact is not None]
    if not guarantees:
        return None
    guarantees.sort(key=lambda guarantee: guarantee.epsilon)
    smallest, largest = guarantees[0], guarantees[-1]
    delta = max(guarantee.delta for guarantee in guarantees)
    result = {**largest.to_facts(), "epsilon": largest.epsilon, "delta": delta}
    result["fits"] = len(guarantees)
    if smallest.epsilon < largest.epsilon:
        result["smallest_epsilon"] = smallest.epsilon
    if len(guarantees) < len(fits):
        label = f"{len(fits) - len(guarantees)} of {len(fits)} fits record no guarantee"
        result.update(epsilon=np.inf, label=label)
    return result


def allowed(guarantee: Mapping[str, Any] | None, delta: float, relation: str) -> float:
    """Return the epsilon guaranteed at a delta for such neighbours, or NaN without a guarantee.

    What holds for adding or removing a record holds twice over for replacing one, as for a group of
    two. A guarantee at a delta implies one at every larger delta, and none at a smaller.
    """
    if guarantee is None:
        return float("nan")
    typed = DPGuarantee.from_facts(guarantee)
    epsilon, guaranteed_delta = typed.epsilon, typed.delta
    if typed.relation == REPLACEMENT and relation == ADD_REMOVE:
        epsilon = np.nan if typed.epsilon_add_remove is None else typed.epsilon_add_remove
    elif typed.relation != relation:
        epsilon, guaranteed_delta = formulas.group_privacy(epsilon, guaranteed_delta, 2)
    return float(epsilon) if guaranteed_delta <= delta else float("nan")


def windows(guarantee: Mapping[str, Any] | None, longest: int) -> int:
    """Count the units of a guarantee that one copy of a secret of this length touches at most.

    Examples
    --------
    >>> facts = {"epsilon": 1.0, "delta": 1e-6, "unit": "window of 50 characters", "window": 50}
    >>> windows(facts, 10), windows({"epsilon": 1.0, "delta": 1e-6}, 10)
    (2, 1)
    """
    return 1 if guarantee is None else DPGuarantee.from_facts(guarantee).units_touched(longest)


def _read(facts: Any) -> DPGuarantee:
    try:
        return DPGuarantee.from_facts(facts)
    except InvalidInput:
        return DPGuarantee(epsilon=np.inf, delta=0.0, label=UNREADABLE)
