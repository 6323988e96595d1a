"""Whether noise is shared, on all records and on some of them at even distances."""

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import t

from byrote.privacy import infer_membership
from byrote.scores.privacy import lira_noise

NOISE = {
    "normal": (lambda g: g.normal(size=(20, 3000)), False),
    "heavy tails": (lambda g: g.standard_t(2.5, size=(20, 3000)), True),
    "fits shifted": (lambda g: g.normal(size=(20, 3000)) + g.normal(size=(20, 1)), True),
    "all equal": (lambda g: np.full((20, 3000), -7.0), False),
}


@pytest.mark.parametrize("kind", NOISE)
@pytest.mark.parametrize("sampled", [100_000, 300, 299])
def test_shared_noise_shows_on_some_records_too(kind, sampled, monkeypatch):
    monkeypatch.setattr(lira_noise, "SAMPLED", sampled)
    generator = np.random.default_rng(0)
    noise, shared = NOISE[kind]
    values, member = noise(generator), generator.random((20, 3000)) < 0.5
    values = values + 5 * generator.normal(size=3000) * (kind != "all equal")
    assert lira_noise.has_shared_noise(values, member) == shared


@pytest.mark.parametrize("kind", ["fits shifted", "heavy tails"])
def test_where_noise_is_shared_the_interval_is_that_of_a_jackknife_over_groups_of_fits(
    kind, monkeypatch
):
    generator = np.random.default_rng(1)
    values, member = NOISE[kind][0](generator)[:, :150], generator.random((20, 150)) < 0.5
    values = values + 5 * generator.normal(size=150) + member
    found, place = infer_membership(values, member), np.arange(20) % 10
    monkeypatch.setattr(lira_noise, "has_shared_noise", lambda *_: False)
    areas = [infer_membership(values[place != k], member[place != k]).auc for k in range(10)]
    error = np.sqrt(9 / 10 * np.square(areas - np.mean(areas)).sum())
    half = t.ppf(0.975, 9) * error / (found.auc * (1 - found.auc))
    assert logit(found.interval) == pytest.approx(
        logit(found.auc) + np.array([-half, half]), rel=1e-9
    )
