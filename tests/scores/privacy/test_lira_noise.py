"""Whether noise is shared, on all records and on some of them at even distances."""

import numpy as np
import pytest

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
