"""The skew-normal curve behind an extrapolated exposure, with the verdict on it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class SkewNormalFit:
    """A skew-normal distribution fitted to the log-perplexities of reference candidates (bits).

    Attributes
    ----------
    location, scale, shape
        Azzalini's parameters: density 2/scale · φ(z) · Φ(shape · z) with z = (x − location)/scale.
    covariance
        (3, 3) covariance of the estimates of mean, log standard deviation and skewness; NaN where
        there is none.
    n
        Number of references.
    log_likelihood
        Nats, of all references.
    ks, ks_p_value
        Kolmogorov-Smirnov distance and its p-value, which takes the curve as given, not fitted.
    quantile_errors
        By lower tail ("0.01", "0.001", "0.0001", those of at least ten references): bits by which
        the curve's exposure is too high at the reference of that rank.
    accepted
        Whether the curve may be extrapolated.
    reason
        Why not; "" where it may.
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

    def to_dict(self) -> dict[str, Any]:
        """The fit as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "SkewNormalFit":
        """The inverse of ``to_dict``."""
        covariance = tuple(tuple(row) for row in data["covariance"])
        return cls(**{**data, "covariance": covariance})
