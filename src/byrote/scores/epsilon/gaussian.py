"""Gaussian differential privacy in terms of (epsilon, delta)."""

from byrote import checks
from byrote.stats import gaussian_dp


def gaussian_delta(mu: float, epsilon: float) -> float:
    """The least delta for which mu-Gaussian differential privacy gives (epsilon, delta).

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
    >>> round(byrote.gaussian_delta(mu=1.0, epsilon=1.0), 6)
    0.126937
    """
    return gaussian_dp.delta_of(
        checks.not_negative("mu", mu), checks.not_negative("epsilon", epsilon)
    )


def gaussian_epsilon(mu: float, delta: float) -> float:
    """The least epsilon for which mu-Gaussian differential privacy gives (epsilon, delta), nats.

    The inverse of ``gaussian_delta``. Infinite for delta = 0, unless mu = 0.

    Parameters
    ----------
    mu
        At least 0.
    delta
        At least 0, below 1.

    Raises
    ------
    InvalidInput
        If an argument is out of its range.

    Examples
    --------
    >>> import byrote
    >>> round(byrote.gaussian_epsilon(mu=1.0, delta=1e-5), 4)
    4.3772
    """
    return gaussian_dp.epsilon_of(checks.not_negative("mu", mu), checks.share("delta", delta))
