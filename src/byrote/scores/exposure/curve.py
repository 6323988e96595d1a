"""The skew-normal curve behind an extrapolated exposure, and its goodness of fit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote.columnar import PlainData
from byrote.stats import goodness_of_fit, skew_normal
from byrote.stats.skew_normal_fit import fit, standard_error

Array = NDArray[np.float64]
LEVELS = (1e-2, 1e-3, 1e-4)  # lower tails at which a fit is judged
_KS = 0.02  # the largest distance of a fit that may be extrapolated
_KS_NOISE = 1.0  # over √n: exceeded by 1 % of fits to values that are skew-normal
_BITS = 0.5  # the largest error at a lower quantile


@dataclass(frozen=True)
class SkewNormalFit(PlainData):
    """A skew-normal distribution fitted to the log-perplexities of reference candidates (bits).

    Attributes
    ----------
    location, scale, shape
        Azzalini's parameters: density 2/scale · φ(z) · Φ(shape · z) with z = (x − location)/scale.
    covariance
        (3, 3) covariance of the estimates of mean, log standard deviation and skewness; NaN where
        unknown.
    n
        Number of references.
    log_likelihood
        In nats, of all references.
    ks, ks_p_value
        Kolmogorov-Smirnov distance and its p-value, as if the curve were given, not fitted.
    quantile_errors
        By lower tail ("0.01", "0.001", "0.0001", where it holds at least ten references): bits by
        which the curve's exposure is too high at the reference of that rank.
    accepted
        Whether the curve may be extrapolated.
    reason
        Why it may not; "" otherwise.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> references = np.random.default_rng(0).normal(30, 2, size=100_000)
    >>> exposure = byrote.exposure.estimate_exposure(12.0, references, method="skew_normal")
    >>> curve = exposure.fits[0]
    >>> curve.accepted, curve.ks < 0.005
    (True, True)
    >>> bool(curve.exposure(12.0) == exposure.bits[0])
    True
    """

    location: float
    scale: float
    shape: float
    covariance: tuple[tuple[float, ...], ...]
    n: int
    log_likelihood: float
    ks: float
    ks_p_value: float
    quantile_errors: Mapping[str, float] = field(default_factory=dict)
    accepted: bool = True
    reason: str = ""

    @property
    def parameters(self) -> tuple[float, float, float]:
        """Location, scale, shape."""
        return self.location, self.scale, self.shape

    def density(self, bits: ArrayLike) -> Array:
        """Compute the density of the curve, per bit."""
        return skew_normal.density(bits, *self.parameters)

    def exposure(self, bits: ArrayLike) -> Array:
        """Compute the exposure (bits) of log-perplexities: −log2 of the curve's lower tail."""
        return -skew_normal.log_lower_tail(bits, *self.parameters) / np.log(2)

    def standard_error(self, bits: ArrayLike) -> Array:
        """Compute the standard error of ``exposure`` as references vary (delta method)."""
        at = np.atleast_1d(np.asarray(bits, dtype=np.float64))
        error = standard_error(
            lambda direct: skew_normal.log_lower_tail(at, *direct),
            self.parameters,
            np.array(self.covariance),
        )
        return error.reshape(np.shape(bits)) / np.log(2)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "SkewNormalFit":
        """Restore a fit from what ``to_dict`` returned."""
        covariance = tuple(tuple(row) for row in data["covariance"])
        return cls(**{**data, "covariance": covariance})


def fit_curve(ordered: Array) -> SkewNormalFit:
    """Fit a curve to sorted references, (n,), and decide whether it may be extrapolated."""
    estimate = fit(ordered)
    direct = (estimate.location, estimate.scale, estimate.shape)
    n, lost = len(ordered), not np.isfinite(estimate.location)
    ks, errors = float("nan"), dict[float, float]()
    if not lost:
        ks = goodness_of_fit.ks_distance(ordered, lambda at: skew_normal.lower_tail(at, *direct))
        errors = goodness_of_fit.tail_errors(
            ordered, lambda at: skew_normal.log_lower_tail(at, *direct), LEVELS
        )
    reason = estimate.reason or _misfit(ks, errors, n)
    return SkewNormalFit(
        *direct,
        covariance=tuple(tuple(map(float, row)) for row in estimate.covariance),
        n=n,
        log_likelihood=estimate.log_likelihood,
        ks=ks,
        ks_p_value=float("nan") if lost else goodness_of_fit.ks_p_value(ks, n),
        quantile_errors={f"{level:g}": error for level, error in errors.items()},
        accepted=not reason,
        reason=reason,
    )


def _misfit(ks: float, errors: Mapping[float, float], n: int) -> str:
    """State why a curve must not be extrapolated, or ""; the limits are in docs/exposure.md."""
    allowed = max(_KS, _KS_NOISE / np.sqrt(n))
    if ks > allowed:
        return f"the curve does not fit: Kolmogorov-Smirnov distance {ks:.3f}, above {allowed:.3f}"
    for level, error in errors.items():
        low, high = goodness_of_fit.tail_noise(level, n)
        if not min(-_BITS, low) <= error <= max(_BITS, high):
            return f"the curve does not fit: {error:+.2f} bits off at its lower {level:g} quantile"
    return ""
