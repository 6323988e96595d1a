"""(n, p)-discoverable extraction: how often a model must be asked before a secret comes out.

Hayes et al. (2024), Measuring memorization through probabilistic discoverable extraction.
"""

import math

from byrote import checks
from byrote.errors import InvalidInput

_MOST = 1 << 1023  # samples, of which a float holds any number


def discovery_probability(bits: float, n: int) -> float:
    """Probability that a completion comes up in ``n`` independent samples: ``1 - (1 - 2^-bits)^n``.

    Parameters
    ----------
    bits
        Its log-perplexity after the prefix that the attacker gives.
    n
        How many samples.

    Raises
    ------
    InvalidInput
        If ``bits`` is negative or NaN, or ``n`` is no whole number of at least 1.

    Examples
    --------
    >>> discovery_probability(1.0, 2)
    0.75
    """
    return _probability(_checked(bits), checks.integer("n", n, at_least=1))


def samples_to_discover(bits: float, p: float) -> float:
    """The least n at which a completion comes up in n samples with probability ``p`` or more.

    The inverse of ``discovery_probability``, whose rounding decides where n is in doubt.

    Parameters
    ----------
    bits
        Its log-perplexity after the prefix that the attacker gives.
    p
        Between 0 and 1, both excluded.

    Returns
    -------
    A whole number; infinite where the model excludes the completion, or a float cannot hold it.

    Raises
    ------
    InvalidInput
        If ``bits`` is negative or NaN, or ``p`` is not between 0 and 1.

    Examples
    --------
    >>> import math
    >>> [int(samples_to_discover(-math.log2(0.001), p)) for p in (0.1, 0.5, 0.9)]
    [106, 693, 2302]
    """
    p, bits = checks.fraction("p", p), _checked(bits)
    if _probability(bits, _MOST) < p:
        return math.inf
    few, enough = 0, 1
    while _probability(bits, enough) < p:
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if _probability(bits, middle) >= p else (middle, enough)
    return float(enough)


def _probability(bits: float, n: int) -> float:
    """Never falls as n rises, and is the same for an n and for its nearest float."""
    return -math.expm1(float(min(n, _MOST)) * _log_of_missing(bits))


def _log_of_missing(bits: float) -> float:
    """Log of the probability that one sample is another completion."""
    if bits == 0:
        return -math.inf
    return math.log(-math.expm1(-bits * math.log(2))) if bits < 1 else math.log1p(-(2.0**-bits))


def _checked(bits: float) -> float:
    number = checks.real(bits)
    if not number >= 0:  # NaN is not, either
        got = checks.shown(bits)
        raise InvalidInput(f"bits must be a log-perplexity of at least 0; got {got}")
    return number
