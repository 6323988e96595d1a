"""(n, p)-discoverable extraction: how often a model must be asked before a secret comes out.

Hayes et al. (2024), Measuring memorization through probabilistic discoverable extraction.
"""

import math

from byrote import checks
from byrote.errors import InvalidInput


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
    n = checks.integer("n", n, at_least=1)
    once = 2.0 ** -_checked(bits)
    return 1.0 if once == 1 else -math.expm1(n * math.log1p(-once))


def samples_to_discover(bits: float, p: float) -> float:
    """The least n at which a completion comes up in n samples with probability ``p`` or more.

    Parameters
    ----------
    bits
        Its log-perplexity after the prefix that the attacker gives.
    p
        Between 0 and 1, both excluded.

    Returns
    -------
    A whole number; infinite where the model excludes the completion.

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
    p = checks.fraction("p", p)
    once = 2.0 ** -_checked(bits)
    if once == 1:
        return 1.0
    each = math.log1p(-once)
    return float(math.ceil(math.log1p(-p) / each)) if each else math.inf


def _checked(bits: float) -> float:
    number = checks.real(bits)
    if not number >= 0:  # NaN is not, either
        got = checks.shown(bits)
        raise InvalidInput(f"bits must be a log-perplexity of at least 0; got {got}")
    return number
