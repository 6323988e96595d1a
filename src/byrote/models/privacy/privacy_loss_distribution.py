"""Epsilon of many steps of the sampled Gaussian mechanism, by composing privacy losses numerically.

A step sees N(0, noise^2) without a record, Q, and (1 - q) N(0, noise^2) + q N(1, noise^2) with it,
P. The privacy loss is log P/Q under P for a record removed, log Q/P under Q for one added; both
pairs dominate, and so do their products over steps (Zhu, Dong & Wang 2022). With S the sum of the
losses, delta(epsilon) = E[(1 - exp(epsilon - S))+], of the worse of the two.

The result is an upper bound, except for rounding:

- A loss between two points of a grid is split between them so that the probabilities under P and
  under Q stay (Doroshenko et al. 2022): merging the two is a post-processing, so privacy can only
  look worse, by a variance of the square of a cell at most.
- Losses beyond the grid are infinite; sums beyond the window of the Fourier transform count as
  infinite too, by Chernoff's bound; what wraps around is added.
- The distribution is tilted by exp(lambda S), so that sums near epsilon are the likely ones. The
  transform's error is then relative to delta, however small, and is added.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import log_ndtr, ndtri_exp

Array = NDArray[np.float64]
_FINENESS = 512  # points of the grid, times the square root of the number of steps
_FEWEST, _MOST = 1 << 16, 1 << 20
_LOG_TRUNCATED = -12.0  # log of the share of delta spent on truncation
_NODES = 1001  # of the quadrature that determines tilt and window
_TILTS = np.exp(np.arange(-8.0, 21.0))  # times the largest sum: beyond, rounding matters
_EPS = float(np.finfo(np.float64).eps)


def epsilon_of_steps(noise: float, q: float, steps: int, delta: float) -> float:
    """Compute an upper bound on epsilon, at most about 0.1 % too large.

    ``noise``, its standard deviation in units of a record's largest contribution, must be at least
    1e-6; a record is in a step with probability ``q``, independently; any ``delta`` above 0.

    Examples
    --------
    >>> round(epsilon_of_steps(1.0, 1.0, 1, 1e-5), 3)  # of the Gaussian mechanism: 4.3772
    4.377
    """
    mechanism = _Mechanism(noise, q, steps, float(np.log(delta)))
    return max(_epsilon(mechanism, removed=removed) for removed in (True, False))


@dataclass(frozen=True)
class _Mechanism:
    noise: float
    q: float
    steps: int
    log_delta: float

    @cached_property
    def reach(self) -> float:
        """Standard deviations within which each step's noise lies, except for a share of delta."""
        return -float(ndtri_exp(self.log_delta + _LOG_TRUNCATED - np.log(self.steps)))

    def loss(self, x: Array) -> Array:
        exponent = (x - 0.5) / self.noise**2
        if self.q == 1:
            return exponent
        small = np.log1p(self.q * np.expm1(np.minimum(exponent, 1.0)))
        large = np.logaddexp(np.log1p(-self.q), exponent + np.log(self.q))
        return np.where(exponent < 1, small, large)

    def observation(self, loss: Array) -> Array:
        """The inverse of ``loss``; minus infinity where every loss is larger."""
        if self.q == 1:
            return loss * self.noise**2 + 0.5
        with np.errstate(divide="ignore"):
            small = np.log1p(np.maximum(np.expm1(np.minimum(loss, 1.0)) / self.q, -1.0))
        large = np.maximum(loss, 1.0)
        large = large + np.log1p(-(1 - self.q) * np.exp(-large)) - np.log(self.q)
        return np.where(loss < 1, small, large) * self.noise**2 + 0.5

    def rough(self, *, removed: bool) -> tuple[Array, Array]:
        """Privacy losses of a step and the logs of their probabilities, by quadrature."""
        farther = min(1 / self.noise, self.reach)  # losses there are large, if improbable
        out, out_weight = _normal(-self.reach, self.reach + farther)
        if not removed:
            return -self.loss(self.noise * out), out_weight
        within, weight = _normal(-self.reach, self.reach)
        if self.q == 1:
            return self.loss(1 + self.noise * within), weight
        places = np.concatenate([self.noise * out, 1 + self.noise * within])
        weights = [np.log1p(-self.q) + out_weight, np.log(self.q) + weight]
        return self.loss(places), np.concatenate(weights)


@dataclass(frozen=True)
class _Window:
    """The grid of sums: ``points`` multiples of ``cell``, up to ``high`` or above.

    tilt: of the distribution. top_tilt: of Chernoff's bound on the sums beyond the window. floor:
    the loss of a step to which lower ones may be raised.
    """

    tilt: float
    top_tilt: float
    cell: float
    high: float
    points: int
    floor: float

    def last(self, mechanism: _Mechanism, grid: "_Grid") -> int:
        """Index of the last point, beyond which sums are rare enough to be cut off."""
        rare = mechanism.steps * grid.cumulant(self.top_tilt) - mechanism.log_delta - _LOG_TRUNCATED
        return int(np.ceil(max(self.high, rare / self.top_tilt) / self.cell)) + 1


@dataclass(frozen=True)
class _Grid:
    """Losses of a step as multiples of a cell, from ``first``, and logs of their probabilities."""

    cell: float
    first: int
    log_mass: Array
    log_infinite: float

    @property
    def losses(self) -> Array:
        return np.asarray(self.cell * np.arange(self.first, self.first + len(self.log_mass)))

    def cumulant(self, tilt: float) -> float:
        return _log_sum(self.log_mass + tilt * self.losses)


def _epsilon(mechanism: _Mechanism, *, removed: bool) -> float:
    window = _window(mechanism, *mechanism.rough(removed=removed))
    grid = _grid(mechanism, window, removed=removed)
    last = window.last(mechanism, grid)
    low, high = (window.cell * end for end in (last - window.points + 1, last))
    log_delta = _log_delta(mechanism, grid, window, last)
    low = max(0.0, low)
    if high <= 0 or log_delta(low) <= mechanism.log_delta:
        return low
    # At the upper end there are only the two shares of delta that are cut off.
    root = brentq(lambda epsilon: log_delta(epsilon) - mechanism.log_delta, low, high, rtol=1e-10)
    return float(root) * (1 + 1e-9)


def _window(mechanism: _Mechanism, losses: Array, weight: Array) -> _Window:
    tilts = _TILTS / (mechanism.steps * np.abs(losses).max())

    def cumulant(tilt: float) -> float:
        return mechanism.steps * _log_sum(weight + tilt * losses)

    def renyi(tilt: float) -> float:  # the least is epsilon by Renyi's divergences
        shape = np.log1p(tilt) + tilt * np.log1p(1 / tilt)
        return (cumulant(tilt) - mechanism.log_delta - shape) / tilt

    def end(tilt: float) -> float:
        return (cumulant(tilt) - mechanism.log_delta - _LOG_TRUNCATED) / tilt

    tilt, top_tilt = _least(renyi, tilts), _least(end, tilts)
    here = cumulant(tilt)

    def shift(by: float) -> float:  # tilted sums are rarely beyond it, on the side of the sign
        return (cumulant(tilt + by) - here - _LOG_TRUNCATED) / by

    high = max(end(top_tilt), shift(_least(shift, tilts)))
    low = shift(-_least(lambda by: -shift(-by), tilts))
    low = min(low, max(renyi(tilt), 0.0) / 2)
    points = 1 << int(
        np.ceil(np.log2(np.clip(_FINENESS * np.sqrt(mechanism.steps), _FEWEST, _MOST)))
    )
    cell = max(high - low, 1e-8 * abs(high)) / (points - 4)
    order = np.argsort(losses)  # all that is below the floor counts as if it were there
    raised = np.logaddexp.accumulate(weight[order]) + tilt * losses[order]
    index = np.searchsorted(
        raised, here / mechanism.steps + _LOG_TRUNCATED - np.log(mechanism.steps)
    )
    floor = float(losses[order][min(int(index), len(losses) - 1)])
    return _Window(tilt, top_tilt, cell, high, points, floor)


def _least(function: Callable[[float], float], tilts: Array) -> float:
    """Return the tilt that minimizes a unimodal function."""
    index = int(np.argmin([function(tilt) for tilt in tilts]))
    ends = np.log(tilts[[max(index - 1, 0), min(index + 1, len(tilts) - 1)]])
    minimum = minimize_scalar(
        lambda log: function(float(np.exp(log))), bounds=tuple(ends), method="bounded"
    )
    return float(np.exp(minimum.x))


def _normal(low: float, high: float) -> tuple[Array, Array]:
    z = np.linspace(low, high, _NODES)
    weight = -(z**2) / 2
    return z, weight - _log_sum(weight)


def _log_sum(logs: Array) -> float:
    most = logs.max()
    return float(most + np.log(np.exp(logs - most).sum()))


def _grid(mechanism: _Mechanism, window: _Window, *, removed: bool) -> _Grid:
    """Split the losses of a step between points of the grid."""
    noise, q, cell = mechanism.noise, mechanism.q, window.cell
    low, high = mechanism.loss(np.array([-mechanism.reach * noise, 1 + mechanism.reach * noise]))
    low, high = (max(low, window.floor), high) if removed else (low, min(high, -window.floor))
    first = np.floor(low / cell)
    number = np.arange(first, max(np.ceil(high / cell), first + 1) + 1)
    x = mechanism.observation(number * cell)
    with np.errstate(divide="ignore", invalid="ignore"):
        out, out_error = _log_masses(x / noise)
        within, within_error = _log_masses((x - 1) / noise)
        with_record = _mixed(q, out, within)
        ratio = np.clip(with_record - out, number[:-1] * cell, number[1:] * cell)
    error = out_error + within_error
    beyond = log_ndtr(-x[-1] / noise), log_ndtr(-(x[-1] - 1) / noise)
    before = log_ndtr(x[0] / noise), log_ndtr((x[0] - 1) / noise)
    if removed:
        mass, cut, infinite = with_record, _mixed(q, *before), _mixed(q, *beyond)
        above = ratio + error - number[:-1] * cell
    else:
        mass, cut, infinite = out[::-1], beyond[0], before[0]
        above = (number[1:] * cell - ratio + error)[::-1]
        number = -number[::-1]
    share = np.clip(np.expm1(-np.clip(above, 0, cell)) / np.expm1(-cell), 0, 1)
    with np.errstate(divide="ignore"):
        lower = np.append(mass + np.log1p(-share), -np.inf)
        upper = np.append(-np.inf, mass + np.log(share))
    both = np.logaddexp(lower, upper)
    both[0] = np.logaddexp(both[0], cut)  # lower losses count as the lowest
    return _Grid(cell, int(number[0]), both, float(infinite))


def _mixed(q: float, out: Array, within: Array) -> Array:
    """Logs of probabilities under P, from those without and with the record in the step."""
    return within if q == 1 else np.logaddexp(np.log1p(-q) + out, np.log(q) + within)


def _log_masses(z: Array) -> tuple[Array, Array]:
    """Logs of a normal variable's probabilities between increasing points, with error bounds."""
    low, high = z[:-1], z[1:]
    low, high = np.where(low > 0, -high, low), np.where(low > 0, -low, high)
    top = log_ndtr(high)
    gap = top - log_ndtr(low)
    error = 8 * _EPS * (1 + np.abs(top)) / np.maximum(gap, _EPS)
    return top + np.log(-np.expm1(-gap)), np.where(np.isfinite(top), error, 0.0)


def _log_delta(
    mechanism: _Mechanism, grid: _Grid, window: _Window, last: int
) -> Callable[[float], float]:
    """Log of delta as a function of epsilon, an upper bound from the window's lower end on."""
    steps, tilt, points = mechanism.steps, window.tilt, window.points
    cumulant = grid.cumulant(tilt)
    tilted = np.exp(grid.log_mass + tilt * grid.losses - cumulant)
    numbers = np.arange(grid.first, grid.first + len(tilted))
    folded = np.bincount(numbers % points, tilted, minlength=points)
    powers = np.fft.rfft(folded) ** steps
    rounding = 16 * _EPS * steps * float(np.abs(powers).mean())
    sums = np.maximum(np.fft.irfft(powers, points), 0) + rounding
    at = window.cell * (last - (last - np.arange(points)) % points)
    beyond = np.logaddexp(
        steps * grid.cumulant(window.top_tilt) - window.top_tilt * window.cell * last,
        np.log(steps) + grid.log_infinite,
    )

    def log_delta(epsilon: float) -> float:
        above = at > epsilon
        excess = at[above] - epsilon
        total = float(sums[above] @ (np.exp(-tilt * excess) * -np.expm1(-excess)))
        main = steps * cumulant - tilt * epsilon + np.log(max(total, 1e-300))
        return float(np.logaddexp(main, beyond))

    return log_delta
