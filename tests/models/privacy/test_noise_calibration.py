"""Noise and epsilon against dp-accounting, closed forms and numeric integration."""

import math

import dp_accounting
import pytest
from dp_accounting.rdp import RdpAccountant
from scipy import integrate, stats

from byrote.errors import InvalidInput, MissingExtra
from byrote.models import extras
from byrote.models.extras import import_extra
from byrote.models.privacy import DP, accountants
from byrote.models.privacy.accountants import NoiseSchedule, calibrate, epsilon_at, guarantee_of

DELTA = 1e-5


def by_renyi(noise, q, steps):
    """dp-accounting's own, at its own orders."""
    step = dp_accounting.PoissonSampledDpEvent(q, dp_accounting.GaussianDpEvent(noise))
    found = RdpAccountant().compose(dp_accounting.SelfComposedDpEvent(step, steps))
    return found.get_epsilon(DELTA)


@pytest.mark.parametrize("noise", [0.7, 3.0])
@pytest.mark.parametrize(("q", "steps"), [(0.02, 500), (0.3, 30)])
def test_epsilon_is_dp_accountings(noise, q, steps):
    renyi = accountants.rdp(noise, q, steps, DELTA)
    assert renyi == pytest.approx(by_renyi(noise, q, steps), rel=0.03)  # some orders fail there
    tight = accountants.independent_bound("rdp", noise, q, steps, DELTA)
    assert 0.5 * renyi < tight <= renyi
    assert accountants.prv(noise, q, steps, DELTA) == pytest.approx(tight, rel=0.01)


@pytest.mark.parametrize(
    ("q", "noise", "order"), [(0.03, 0.3, 1.1), (0.3, 0.5, 1.05), (0.02, 0.7, 3.5)]
)
def test_renyi_divergences_are_the_integrals(q, noise, order):
    def integrand(x):
        ratio = (1 - q) + q * math.exp((2 * x - 1) / (2 * noise**2))
        return stats.norm.pdf(x, scale=noise) * ratio**order

    points = [0.0, 0.5, 1.0, order]
    integral = integrate.quad(integrand, -12 * noise, order + 12 * noise, points=points, limit=500)
    analysis = import_extra("opacus.accountants.analysis.rdp")
    found = analysis.compute_rdp(q=q, noise_multiplier=noise, steps=1, orders=order)
    assert found == pytest.approx(math.log(integral[0]) / (order - 1), rel=1e-5)


@pytest.mark.parametrize("noise", [1e-3, 1e-2, 0.1])
def test_with_little_noise_epsilon_is_what_the_largest_part_of_a_record_gives(noise):
    # A record takes part at most as often as a binomial allows, up to a tail of delta; each time
    # costs 1 / (2 noise^2) and little more. Orders far above 1 would give many times as much.
    q, steps = 0.02, 500
    often = float(stats.binom.isf(DELTA, steps, q))
    mu = math.sqrt(often) / noise
    nearly = mu**2 / 2 + mu * stats.norm.isf(DELTA) + often * math.log(1 / q)
    found = accountants.rdp(noise, q, steps, DELTA)
    assert 0.8 * nearly < found < 1.3 * nearly
    assert 0.7 * nearly < accountants.independent_bound("rdp", noise, q, steps, DELTA) <= found


@pytest.mark.parametrize("accountant", ["rdp", "prv", "gaussian"])
@pytest.mark.parametrize("noise", [1e-90, 1e-9, 1e-5, 1e3, 1e12])
def test_any_noise_has_a_finite_epsilon(accountant, noise):
    found = accountants.ACCOUNTANTS[accountant].epsilon(noise, 0.02, 500, DELTA)
    assert 0 <= found < math.inf
    assert 0 <= accountants.independent_bound(accountant, noise, 0.02, 500, DELTA) < math.inf


@pytest.mark.parametrize("noise", [0.5, 1.0, 8.0])
def test_shuffled_is_one_gaussian_mechanism_an_epoch(noise):
    mu, rate, steps = math.sqrt(7) / noise, 1 / 30, 7 * 30
    epsilon = accountants.gaussian(noise, rate, steps, DELTA)
    tail = stats.norm.cdf
    delta = tail(mu / 2 - epsilon / mu) - math.exp(epsilon) * tail(-mu / 2 - epsilon / mu)
    assert delta == pytest.approx(DELTA, rel=1e-5)
    assert accountants.independent_bound("gaussian", noise, rate, steps, DELTA) == pytest.approx(
        epsilon
    )


TARGETS = [
    *(("rdp", target) for target in (0.1, 8.0, 1e3, 1e6)),
    *(("prv", target) for target in (0.05, 8.0, 1e4)),
    *(("gaussian", target) for target in (0.01, 8.0, 1e9)),
]


@pytest.mark.parametrize(("accountant", "target"), TARGETS)
def test_the_target_is_met_within_one_per_cent_and_never_exceeded(accountant, target):
    sampling = "shuffled" if accountant == "gaussian" else "poisson"
    dp = DP(target_epsilon=target, delta=DELTA, accountant=accountant, sampling=sampling)
    schedule = calibrate(dp, 1000, 50, 5)
    facts = guarantee_of(dp, schedule).to_facts()
    assert 0.99 * target <= facts["epsilon"] <= target
    assert facts["noise_multiplier"] == schedule.noise_multiplier
    if accountant == "prv":  # whose bound is tighter than the other
        assert facts["epsilon"] <= facts["epsilon_checked"] <= facts["epsilon"] * 1.3
    else:
        assert facts["epsilon_checked"] <= facts["epsilon"] * (1 + 1e-6)


def test_an_epsilon_of_a_billion_is_met():
    dp = DP(target_epsilon=1e9, delta=DELTA)
    schedule = calibrate(dp, 1000, 50, 5)
    found = epsilon_at(dp, schedule.noise_multiplier, schedule.sample_rate, schedule.steps)
    assert 0.99e9 <= found <= 1e9


def test_the_account_says_how_often_and_how_much():
    schedule = calibrate(DP(noise_multiplier=1.5, delta=DELTA), 1000, 64, 10)
    assert schedule == NoiseSchedule(1.5, 1 / 16, 160, 1000, 10)
    assert schedule.steps_per_epoch == 16
    assert schedule.expected_batch == 62.5
    whole = calibrate(DP(noise_multiplier=1.5, delta=DELTA), 10, 64, 3)
    assert (whole.sample_rate, whole.steps, whole.expected_batch) == (1.0, 3, 10.0)


LABELS = [
    ({"noise_multiplier": 0.0}, None, "vacuous: no noise"),
    ({"noise_multiplier": 1e-3}, math.inf, "vacuous: epsilon is"),
    ({"target_epsilon": 21.0}, 21.0, "vacuous: epsilon is"),
    ({"target_epsilon": 19.0}, 19.0, ""),
    ({"target_epsilon": 1.0, "delta": 0.01}, 1.0, "weak: delta is 0.01, above"),
]


@pytest.mark.parametrize(("given", "at_most", "label"), LABELS)
def test_a_promise_of_nothing_is_labelled(given, at_most, label):
    dp = DP(**{"delta": DELTA, **given})
    schedule = calibrate(dp, 1000, 50, 5)
    facts = guarantee_of(dp, schedule, unit="window", gradients="per-example").to_facts()
    assert (facts["epsilon"] is None) == (at_most is None)
    assert at_most is None or facts["epsilon"] <= at_most
    assert facts["label"].startswith(label)
    assert bool(facts["label"]) == bool(label)
    assert (facts["unit"], facts["gradients"]) == ("window", "per-example")


ONE = {"noise_multiplier": 1.0, "delta": DELTA}
REFUSED = {
    "no delta": ({"noise_multiplier": 1.0}, "delta must be given"),
    "delta of one": ({**ONE, "delta": 1.0}, "delta must be a number between 0 and 1"),
    "delta in words": ({**ONE, "delta": "small"}, "delta must be a number"),
    "neither": ({"delta": DELTA}, "one of target_epsilon and noise_multiplier.*neither"),
    "both": ({**ONE, "target_epsilon": 1.0}, "one of target_epsilon and noise_multiplier.*both"),
    "no epsilon": ({"target_epsilon": 0.0, "delta": DELTA}, "target_epsilon must be a number"),
    "negative noise": ({**ONE, "noise_multiplier": -1}, "noise_multiplier must be .* at least 0"),
    "infinite noise": ({**ONE, "noise_multiplier": math.inf}, "noise_multiplier must be"),
    "NaN": ({**ONE, "noise_multiplier": math.nan}, "noise_multiplier must be"),
    "no norm": ({**ONE, "max_grad_norm": 0}, "max_grad_norm must be a number above 0"),
    "unknown accountant": ({**ONE, "accountant": "pdr"}, "accountant must be one of.*prv"),
    "unknown sampling": ({**ONE, "sampling": "uniform"}, "sampling must be one of"),
    "rdp shuffled": ({**ONE, "sampling": "shuffled"}, "whose accountant is 'gaussian'"),
    "prv shuffled": ({**ONE, "accountant": "prv", "sampling": "shuffled"}, "must go with"),
    "gaussian poisson": ({**ONE, "accountant": "gaussian"}, "must go with sampling 'shuffled'"),
    "an epsilon below the accountant": (
        {"target_epsilon": 1e-4, "delta": DELTA},
        "target_epsilon must be one that accountant 'rdp' distinguishes from 0",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_promise_is_refused(case):
    arguments, fragment = REFUSED[case]
    with pytest.raises(InvalidInput, match=fragment):
        calibrate(DP(**arguments), 1000, 50, 5)


def test_without_noise_epsilon_is_infinite():
    dp = DP(noise_multiplier=0.0, delta=DELTA)
    assert epsilon_at(dp, 0.0, 0.1, 10) == math.inf
    assert guarantee_of(dp, calibrate(dp, 100, 10, 1)).details["epsilon_checked"] is None


@pytest.mark.parametrize("module", ["opacus.accountants", "dp_accounting"])
def test_a_missing_library_is_named_with_its_extra(monkeypatch, module):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"dp needs .*pip install 'byrote\[dp\]'"):
        extras.import_extra(module)
