"""Guarantees as models report them: typed, stored as plain data, read back as they were."""

import json
import math

import pytest

from byrote import InvalidInput
from byrote.models import DP, VAE, DPGuarantee, LaplaceHistogram, contract
from byrote.models.privacy.accountants import calibrate, guarantee_of
from byrote.models.privacy.dp import REPLACEMENT

GUARANTEES = {
    "record": DPGuarantee(epsilon=1.5, delta=1e-5),
    "window": DPGuarantee(epsilon=3.0, delta=0.0, unit="window of 7 characters", window=7),
    "replacement": DPGuarantee(
        epsilon=2.0, delta=0.0, relation=REPLACEMENT, epsilon_add_remove=1.0, accountant="Laplace"
    ),
    "none": DPGuarantee(epsilon=math.inf, delta=0.1, label="no noise", details={"steps": 3}),
}


@pytest.mark.parametrize("guarantee", GUARANTEES.values(), ids=GUARANTEES)
def test_what_is_stored_is_read_back(guarantee):
    facts = json.loads(json.dumps(guarantee.to_facts(), allow_nan=False))
    back = DPGuarantee.from_facts(facts)
    assert back == guarantee
    assert dict(back.details) == dict(guarantee.details)


def test_a_window_is_a_number_and_never_read_from_words():
    for length in range(1, 30):
        starts = [len({(start + k) // 4 for k in range(length)}) for start in range(4)]
        assert DPGuarantee(epsilon=1, delta=0, window=4).units_touched(length) == max(starts)
    words = DPGuarantee.from_facts({"epsilon": 1, "delta": 0, "unit": "window of 4 characters"})
    assert words.window is None
    assert words.units_touched(20) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": -1.0}, "epsilon must be at least 0; got -1.0"),
        ({"epsilon": math.nan}, "epsilon must be at least 0; got nan"),
        ({"epsilon": "1"}, "epsilon must be at least 0; got '1'"),
        ({"delta": 1.0}, r"delta must be in \[0, 1\); got 1.0"),
        ({"unit": 3}, "unit must be text; got 3"),
        ({"window": 0}, "window must be None or at least 1; got 0"),
        ({"window": 2.5}, "window must be a whole number; got 2.5"),
        ({"relation": "near"}, "relation must be add/remove or replacement; got 'near'"),
        ({"epsilon_add_remove": -0.5}, "epsilon_add_remove must be None or at least 0; got -0.5"),
    ],
)
def test_values_out_of_range_are_refused(change, message):
    with pytest.raises(InvalidInput, match=message):
        DPGuarantee(**{"epsilon": 1.0, "delta": 0.0, **change})
    with pytest.raises(InvalidInput, match=message):
        DPGuarantee.from_facts({"epsilon": 1.0, "delta": 0.0, **change})


@pytest.mark.parametrize("facts", ["much", None, {}, {"epsilon": 1.0}, {"delta": 0.0}])
def test_facts_without_epsilon_or_delta_are_refused(facts):
    with pytest.raises(InvalidInput, match="facts must be a mapping with epsilon and delta"):
        DPGuarantee.from_facts(facts)


def test_models_report_guarantees_and_files_hold_plain_data():
    x = [[0.1], [0.4], [0.7]]
    histogram = LaplaceHistogram(epsilon=2.0, bins=4).fit(x)
    assert histogram.facts_["privacy"] == DPGuarantee(
        epsilon=2.0,
        delta=0.0,
        relation=REPLACEMENT,
        epsilon_add_remove=1.0,
        accountant="Laplace noise",
    )
    dp = DP(noise_multiplier=1.0, delta=1e-3)
    vae = VAE(latent_dim=1, hidden=(4,), epochs=2, batch_size=2, dp=dp, random_state=0).fit(x)
    assert vae.facts_["privacy"] == guarantee_of(dp, calibrate(dp, 3, 2, 2))
    for model in (histogram, vae):
        plain = contract.facts(model)["privacy"]
        assert plain == model.facts_["privacy"].to_facts()
        assert DPGuarantee.from_facts(json.loads(json.dumps(plain))) == model.facts_["privacy"]
