"""Numerical composition: never below the truth, whatever the delta, and near it."""

import math
import time

import dp_accounting
import numpy as np
import pytest
from dp_accounting.pld import PLDAccountant
from opacus.accountants import PRVAccountant
from scipy.optimize import brentq
from scipy.special import log_ndtr, logsumexp

from byrote.models.privacy import DP, accountants
from byrote.models.privacy.accountants import calibrate, guarantee_of
from byrote.models.privacy.privacy_loss_distribution import epsilon_of_steps

DELTAS = [0.1, 1e-6, 1e-30, 1e-200]


def log_difference(one, other):
    return one + np.log1p(-np.exp(np.minimum(other - one, -1e-300)))


def epsilon_of_gaussian(mu, delta):
    """The Gaussian mechanism in closed form (Balle & Wang 2018)."""

    def gap(epsilon):
        first = log_ndtr(mu / 2 - epsilon / mu)
        return log_difference(first, epsilon + log_ndtr(-mu / 2 - epsilon / mu)) - math.log(delta)

    return brentq(gap, 0, mu * (mu + 60), rtol=1e-13) if gap(0) > 0 else 0.0


def epsilon_of_one_step(noise, q, delta):
    """One sampled step in closed form: the likeliest set is where the loss is above epsilon."""

    def gap(epsilon, sign):
        x = noise**2 * math.log1p(math.expm1(sign * epsilon) / q) + 0.5
        out = log_ndtr(-sign * x / noise)
        within = np.logaddexp(math.log1p(-q) + out, math.log(q) + log_ndtr(-sign * (x - 1) / noise))
        one, other = (within, out) if sign > 0 else (out, within)
        with np.errstate(divide="ignore"):
            return max(float(log_difference(one, epsilon + other)), -1e9) - math.log(delta)

    removed = brentq(gap, 0, 400, (1,), rtol=1e-12) if gap(0, 1) > 0 else 0.0
    top = -math.log1p(-q) * (1 - 1e-9)  # no loss of an added record is larger
    if gap(0, -1) <= 0:
        return removed
    return max(removed, brentq(gap, 0, top, (-1,), rtol=1e-12) if gap(top, -1) < 0 else top)


def log_delta_by_tilting(noise, q, steps, epsilon, *, removed):
    """By a Fourier transform of the tilted losses, rounded to the nearest points on both sides."""
    x = np.linspace(-14 * noise, 1 + 14 * noise, 60_001)
    loss = np.logaddexp(math.log1p(-q), math.log(q) + (x - 0.5) / noise**2)
    log_p = -(x**2) / (2 * noise**2)
    log_p -= logsumexp(log_p)
    loss, log_p = (loss, log_p + loss) if removed else (-loss, log_p)

    def tilted(tilt):
        p = np.exp(log_p + tilt * loss - (log_p + tilt * loss).max())
        return p / p.sum()

    tilt = brentq(lambda t: steps * float(tilted(t) @ loss) - epsilon, 0, 1e4)
    p, points = tilted(tilt), 1 << 17
    mean = float(p @ loss)
    spread = math.sqrt(steps * float(p @ (loss - mean) ** 2))
    width = max(16 * spread, 2 * float(np.ptp(loss[p > 1e-18]))) / points
    low = np.floor((loss - mean) / width).astype(np.int64)
    part = (loss - mean) / width - low
    masses = np.bincount(low % points, p * (1 - part), points)
    masses += np.bincount((low + 1) % points, p * part, points)
    total = np.fft.irfft(np.fft.rfft(masses) ** steps, points)
    at = np.arange(points)
    at = np.where(at > points // 2, at - points, at) * width + steps * mean
    excess = at[at > epsilon] - epsilon
    tail = total[at > epsilon] @ (np.exp(-tilt * excess) * -np.expm1(-excess))
    return steps * float(logsumexp(log_p + tilt * loss)) - tilt * epsilon + math.log(tail)


@pytest.mark.parametrize("delta", DELTAS)
@pytest.mark.parametrize(("noise", "steps"), [(0.1, 1), (40.0, 10_000), (1e3, 50)])
def test_without_sampling_it_is_the_gaussian_mechanism(noise, steps, delta):
    true = epsilon_of_gaussian(math.sqrt(steps) / noise, delta)
    found = epsilon_of_steps(noise, 1.0, steps, delta)
    assert true * (1 - 1e-7) <= found <= true * 1.002 + 1e-12


@pytest.mark.parametrize("delta", DELTAS)
@pytest.mark.parametrize(("noise", "q"), [(0.4, 0.01), (1.0, 0.9), (30.0, 0.5)])
def test_one_step_is_the_closed_form(noise, q, delta):
    true = epsilon_of_one_step(noise, q, delta)
    found = epsilon_of_steps(noise, q, 1, delta)
    assert true * (1 - 1e-7) <= found <= true * 1.002 + 1e-9


@pytest.mark.parametrize(
    ("noise", "q", "steps", "delta", "published"),
    [
        (0.5, 1e-3, 20_000, 1e-6, 7.7299),
        (0.5, 1e-3, 20_000, 1e-12, 14.6826),
        (4.0, 1 / 3031, 9093, 1e-6, 0.026557),
        (0.7, 0.02, 500, 1e-30, 29.7068),
        (0.05, 0.02, 500, 1e-6, 5506.86),  # losses whose exponentials are no numbers
    ],
)
def test_many_steps_at_any_delta(noise, q, steps, delta, published):
    found = epsilon_of_steps(noise, q, steps, delta)
    assert published * (1 - 2e-5) <= found <= published * 1.002
    # delta at what is found is what was asked for, by an error that is relative to it
    each = [log_delta_by_tilting(noise, q, steps, found, removed=True)]
    if found < -steps * math.log1p(-q):  # no sum of losses of an added record is larger
        each.append(log_delta_by_tilting(noise, q, steps, found, removed=False))
    assert math.log(delta) - 0.05 < max(each) < math.log(delta) + 1e-4


@pytest.mark.parametrize(("noise", "q", "steps"), [(0.7, 0.02, 500), (3.0, 0.3, 30)])
def test_other_accountants_agree_where_their_transforms_resolve_delta(noise, q, steps):
    found = epsilon_of_steps(noise, q, steps, 1e-5)
    step = dp_accounting.PoissonSampledDpEvent(q, dp_accounting.GaussianDpEvent(noise))
    bound = PLDAccountant(value_discretization_interval=1e-3)
    bound.compose(dp_accounting.SelfComposedDpEvent(step, steps))
    assert found == pytest.approx(bound.get_epsilon(1e-5), rel=2e-3)
    theirs = PRVAccountant()
    theirs.history = [(noise, q, steps)]
    assert found == pytest.approx(theirs.get_epsilon(1e-5, eps_error=0.01), abs=0.011)


@pytest.mark.parametrize("q", [1e-4, 0.5, 1.0])
@pytest.mark.parametrize("noise", [1e-6, 0.3, 3.0, 1e12])
def test_for_any_noise_it_is_below_renyi_and_falls_with_delta_and_noise(noise, q):
    found = [epsilon_of_steps(noise, q, 50, delta) for delta in (1e-3, 1e-20)]
    assert 0 <= found[0] <= found[1] < math.inf
    for delta, one in zip((1e-3, 1e-20), found, strict=True):
        assert one <= accountants.rdp(noise, q, 50, delta) * (1 + 1e-6) + 1e-9
    assert epsilon_of_steps(1.1 * noise, q, 50, 1e-20) <= found[1]
    assert epsilon_of_steps(noise, q, 55, 1e-20) >= found[1]


@pytest.mark.parametrize("delta", [1e-6, 1e-12])
def test_a_promise_is_kept_by_both_accountants_and_by_what_checks_them(delta):
    start = time.process_time()
    for accountant in ("prv", "rdp"):
        dp = DP(target_epsilon=8.0, delta=delta, accountant=accountant)
        facts = guarantee_of(dp, calibrate(dp, 64_000, 64, 20)).to_facts()
        assert 7.9 <= facts["epsilon"] <= 8
        tight = min(facts["epsilon"], facts["epsilon_checked"])
        mechanism = (facts["noise_multiplier"], facts["sample_rate"], facts["steps"])
        true = log_delta_by_tilting(*mechanism, tight, removed=True)
        assert math.log(delta) - 0.05 < true <= math.log(delta) + 1e-4
    assert time.process_time() - start < 20  # about 2; by a grid for the whole range, minutes
