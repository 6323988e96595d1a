""" "auto" is decided by the clock: both decisions are forced here, and both precisions used."""

import numpy as np
import pytest
import torch

from byrote.models import DP, VAE, CharLSTM
from byrote.models import arithmetic as module
from byrote.models.arithmetic import bfloat16_is_faster, lstm_precision, resolve_precision
from byrote.models.language.char_lstm import parameters as lstm_parameters
from byrote.models.vae import auto_arithmetic

TEXTS = ["the random number is 281265017\n"] * 12


class Machine:
    """A clock that work moves on, by more whenever other work comes between."""

    def __init__(self, ratio, disturbed=()):
        self.now, self.calls = 0.0, []
        self.ratio, self.disturbed = ratio, disturbed

    def work(self, dtype):
        def do():
            took = self.ratio if dtype == torch.bfloat16 else 1.0
            self.now += took * (10 if len(self.calls) in self.disturbed else 1)
            self.calls.append(dtype)

        return do

    def seconds(self):
        return self.now


@pytest.mark.parametrize(
    ("ratio", "expected"), [(0.3, True), (0.79, True), (0.81, False), (1.0, False), (7.0, False)]
)
# Calls go float32, bfloat16, float32 ...; the first of each is not counted.
@pytest.mark.parametrize("disturbed", [(), (0, 1, 2, 3), (3, 5), (2, 4, 6, 8), (5, 7, 9, 11)])
def test_bfloat16_pays_where_it_is_clearly_faster(ratio, expected, disturbed):
    machine = Machine(ratio, disturbed)
    assert bfloat16_is_faster(machine.work, machine.seconds) is expected
    assert machine.calls[::2] == [torch.float32] * (len(machine.calls) // 2)
    assert machine.calls[1::2] == [torch.bfloat16] * (len(machine.calls) // 2)


def test_where_it_is_hopeless_it_is_not_tried_again():
    machine = Machine(7.0)
    bfloat16_is_faster(machine.work, machine.seconds)
    assert len(machine.calls) == 8


def never():
    raise AssertionError("nothing was to be timed")


def test_what_must_not_be_rounded_is_not_timed():
    assert resolve_precision("cpu", tolerant=False, is_faster=never) == "float32"
    assert resolve_precision("meta", tolerant=True, is_faster=never) == "float32"
    for answer, name in ((True, "bfloat16"), (False, "float32")):
        assert resolve_precision("cpu", tolerant=True, is_faster=lambda a=answer: a) == name


@pytest.mark.parametrize("pays", [True, False])
def test_auto_is_what_the_clock_says(monkeypatch, pays):
    sizes = []
    monkeypatch.setattr(
        auto_arithmetic, "vae_is_faster_in_bfloat16", lambda *a, **k: sizes.append((a, k)) or pays
    )
    monkeypatch.setattr(
        lstm_parameters, "lstm_is_faster_in_bfloat16", lambda *a, **k: sizes.append((a, k)) or pays
    )
    expected = "bfloat16" if pays else "float32"
    model = VAE(4, hidden=[7, 5], batch_size=9)
    assert model.settled((100, 8, 8)).precision == expected
    assert CharLSTM(3, 1, batch_size=9).settled().precision == expected
    lstm_sizes = ((3, 1, 9), {"private": False})
    assert sizes == [((64, (7, 5), 4, 9), {"is_compiled": False}), lstm_sizes]
    for other in (VAE(likelihood="gaussian"), VAE(network="convolutional")):
        assert other.settled((100, 32, 32)).precision == "float32"
    assert len(sizes) == 2


@pytest.mark.parametrize("pays", [True, False])
def test_a_model_without_settled_precision_is_the_one_that_auto_means(monkeypatch, pays):
    """Whichever the clock chooses, in training and in scoring, to the bit."""
    monkeypatch.setattr(auto_arithmetic, "vae_is_faster_in_bfloat16", lambda *_, **__: pays)
    monkeypatch.setattr(lstm_parameters, "lstm_is_faster_in_bfloat16", lambda *_, **__: pays)
    name, x = "bfloat16" if pays else "float32", np.random.default_rng(0).random((40, 6))
    dp = DP(noise_multiplier=1.0, delta=1e-3)
    pairs = [
        (VAE(2, hidden=(8,), epochs=2, draws=16, random_state=0), x),
        (CharLSTM(6, 1, epochs=2, batch_size=4, window=9), TEXTS),
        (CharLSTM(6, 1, epochs=2, batch_size=4, window=9, dp=dp), TEXTS),
    ]
    for model, records in pairs:
        found = model.fit(records).score_samples(records)
        model.set_params(precision=name)
        np.testing.assert_array_equal(model.fit(records).score_samples(records), found)


def test_the_clock_is_asked_once_for_a_size(monkeypatch):
    timed = []
    for timing in (auto_arithmetic, lstm_parameters):
        monkeypatch.setattr(timing, "bfloat16_is_faster", lambda work: timed.append(work) or False)
    sizes = (11, (3,), 2, 5)  # of no other test
    for is_compiled in (False, True):
        answers = [
            auto_arithmetic.vae_is_faster_in_bfloat16(*sizes, is_compiled=is_compiled)
            for _ in range(3)
        ]
        assert answers == [False] * 3
    assert [
        lstm_parameters.lstm_is_faster_in_bfloat16(5, 1, 3, private=True) for _ in range(3)
    ] == [False] * 3
    assert len(timed) == 3
    for work in timed:  # what is timed can be done in both
        for dtype in module.PRECISIONS.values():
            work(dtype)()


@pytest.mark.parametrize("private", [False, True])
def test_what_is_timed_of_a_network_of_characters_is_what_training_does(monkeypatch, private):
    monkeypatch.setattr(lstm_parameters, "onednn_trains_lstm", lambda dtype: True)
    monkeypatch.setattr(module, "onednn_trains_lstm", lambda dtype: False)

    def both(work):
        for dtype in module.PRECISIONS.values():
            work(dtype)()
        return True

    monkeypatch.setattr(lstm_parameters, "bfloat16_is_faster", both)
    assert lstm_parameters.lstm_is_faster_in_bfloat16.__wrapped__(5, 2, 3, private=private)


def test_a_processor_without_the_kernel_is_not_timed(monkeypatch):
    monkeypatch.setattr(lstm_parameters, "onednn_trains_lstm", lambda dtype: False)
    monkeypatch.setattr(lstm_parameters, "bfloat16_is_faster", lambda work: never())
    assert not lstm_parameters.lstm_is_faster_in_bfloat16.__wrapped__(5, 1, 3, private=False)


def test_without_the_librarys_kernel_an_lstm_is_multiplied_in_bfloat16_all_the_same(monkeypatch):
    monkeypatch.setattr(module, "onednn_trains_lstm", lambda dtype: False)
    torch.manual_seed(0)
    layer, x = torch.nn.LSTM(20, 20), torch.randn(7, 5, 20)
    exact, _ = layer(x)
    before = torch.backends.mkldnn.enabled
    with lstm_precision(torch.bfloat16):
        assert not torch.backends.mkldnn.enabled
        rounded, _ = layer(x)
    assert torch.backends.mkldnn.enabled == before
    assert not torch.equal(exact, rounded.float())
    torch.testing.assert_close(rounded.float(), exact, atol=0.02, rtol=0)
    losses = [
        CharLSTM(12, 2, epochs=4, batch_size=4, window=9, precision=name).fit(TEXTS).losses_
        for name in module.PRECISIONS
    ]
    assert losses[0] != losses[1]
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.02)
