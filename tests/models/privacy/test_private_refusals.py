"""What is refused of private training before any work, in a sentence, whatever asks first."""

import json

import numpy as np
import pytest

from byrote.errors import InvalidInput, MissingExtra
from byrote.models import VAE, CharLSTM, contract, extras, registry
from byrote.models.privacy import DP
from byrote.models.privacy.accountants import calibrate, guarantee_of

DATA = {"vae": np.zeros((20, 4)), "char-lstm": ["the random number is 281265017\n"] * 5}
CHECKS = {"vae": contract.check_input, "char-lstm": contract.check_input}
OF_BOTH = {
    "a number": ("dp=8", "^dp must be a byrote.models.DP or None; got int .*--set 'dp={"),
    "no JSON": ("dp={target_epsilon: 8}", "^dp must be a byrote.models.DP or None; got str"),
    "no delta": ('dp={"target_epsilon": 8}', "^dp: delta must be given"),
    "a list": (
        'dp={"noise_multiplier": 1, "delta": 1e-5, "accountant": ["rdp"]}',
        "^dp: accountant must be one of",
    ),
}


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("case", OF_BOTH)
def test_a_setting_that_is_no_promise_is_refused_by_the_first_check(name, case):
    setting, message = OF_BOTH[case]
    model = registry.build(name, registry.parse_settings([setting]))
    with pytest.raises(InvalidInput, match=message):
        CHECKS[name](model, DATA[name])


def test_a_vae_refuses_parameters_with_the_records():
    dp = DP(noise_multiplier=1.0, delta=1e-3)
    vae = VAE(network="convolutional", dp=dp)
    with pytest.raises(InvalidInput, match="^normalization must be 'group' with dp"):
        contract.check_input(vae, np.zeros((20, 32, 32)))


FREE = {  # neither needs a library for epsilon itself
    "no noise": DP(noise_multiplier=0.0, delta=1e-3),
    "closed form": DP(noise_multiplier=1.0, delta=1e-3, accountant="gaussian", sampling="shuffled"),
}


@pytest.mark.parametrize("kind", [VAE, CharLSTM])
@pytest.mark.parametrize("case", FREE)
@pytest.mark.parametrize("missing", ["opacus", "dp_accounting"])
def test_a_missing_extra_is_named_before_any_work(monkeypatch, kind, case, missing):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == missing else name)
    calibrate.cache_clear()
    name = "vae" if kind is VAE else "char-lstm"
    with pytest.raises(MissingExtra, match=r"pip install 'byrote\[dp\]'"):
        CHECKS[name](kind(dp=FREE[case]), DATA[name])


def test_numbers_of_numpy_serve_as_well():
    dp = DP(noise_multiplier=np.float32(0), delta=np.float32(1e-3), max_grad_norm=np.float32(1))
    json.dumps(guarantee_of(dp, calibrate(dp, 20, 10, 1)).to_facts(), allow_nan=False)
