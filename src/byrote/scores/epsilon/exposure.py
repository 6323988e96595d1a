"""What differential privacy promises about the exposure of a canary."""

from dataclasses import dataclass
from math import log2

import numpy as np

from byrote import checks
from byrote.columnar import PlainData
from byrote.errors import InvalidInput
from byrote.stats import private_exposure


@dataclass(frozen=True)
class ExposureBound(PlainData):
    """Bounds on the exposure of a secret that was drawn uniformly from its space.

    Attributes
    ----------
    epsilon, delta, insertions
        What each training window is promised, and how many windows hold the canary.
    group_epsilon, group_delta
        The same for all insertions together: ``c epsilon, delta sum_{j < c} e^{j epsilon}``.
    space_size
        Number of secrets |R|; None where unknown.
    mean_bits
        The expected exposure is at most this.

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
        """The probability of an exposure of at least ``bits`` is at most this."""
        return private_exposure.tail(
            checks.not_negative("bits", bits), self.group_epsilon, self.group_delta
        )


def exposure_bound(
    *, epsilon: float, delta: float = 0.0, insertions: int = 1, space_size: int | None = None
) -> ExposureBound:
    """How exposed a canary can become under (epsilon, delta)-differential privacy.

    ``P(exposure >= t) <= e^epsilon 2^-t + delta``, since without the canary the rank of a secret
    drawn uniformly is uniform. Hence the mean: ``(1 - e^-epsilon) log2(1 + e^epsilon) + 1 / ln 2``
    for delta = 0, ``(epsilon + 1) / ln 2 + delta log2 |R|`` otherwise, and never more than
    log2 |R|. The unit of privacy is the training window: a canary that straddles two counts twice.

    Parameters
    ----------
    epsilon
        At least 0, nats, for one training window.
    delta
        At least 0, below 1. With a delta the mean needs ``space_size``.
    insertions
        How many windows hold the canary.
    space_size
        |R|, at least 2.

    Raises
    ------
    InvalidInput
        If an argument is out of its range, or delta comes without ``space_size``.

    Examples
    --------
    >>> import byrote
    >>> round(byrote.exposure_bound(epsilon=0.65).mean_bits, 4)
    2.1805
    """
    epsilon, delta = checks.not_negative("epsilon", epsilon), checks.share("delta", delta)
    insertions = checks.integer("insertions", insertions, at_least=1)
    if space_size is not None:
        space_size = checks.size("space_size", space_size, at_least=2)
    elif delta:
        raise InvalidInput("space_size must be given with a delta, which may cost log2 |R| bits")
    whole = private_exposure.grouped(epsilon, delta, insertions)
    bits = np.inf if space_size is None else log2(space_size)
    mean = private_exposure.mean(*whole, bits)
    return ExposureBound(epsilon, delta, insertions, *whole, space_size, mean)
