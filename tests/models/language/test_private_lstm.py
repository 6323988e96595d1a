"""The private character model: gradients against autograd and Opacus, steps against their law."""

import math
import string
import warnings
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from byrote import InvalidInput
from byrote.models import DP, CharLSTM
from byrote.models.contract import facts
from byrote.models.language.char_lstm import private_gradients as gradients
from byrote.models.language.char_lstm.network import untrained
from byrote.models.language.char_lstm.training import Dropout
from byrote.models.language.char_lstm.windows import NO_TARGET, fixed_windows, window_inputs
from byrote.models.privacy.accountants import calibrate

TEXTS = ["It was the best of times, it was the worst of times.", "the number is 281265017\n"] * 5
LENGTH = sum(len(text) + (not text.endswith("\n")) for text in TEXTS)
TOKENS = 7


def private(noise=0.5, **changes):
    """A small model; parameters of its DP by their names with "dp_" before."""
    own = {name[3:]: changes.pop(name) for name in list(changes) if name.startswith("dp_")}
    dp = DP(**{"noise_multiplier": noise, "delta": 1e-3, **own})
    small = {"hidden": 6, "layers": 2, "epochs": 2, "batch_size": 8, "window": 9}
    return CharLSTM(**{**small, "precision": "float32", "dp": dp, **changes})


def batch(n, time, seed=0):
    """Windows of few tokens, so that many stand twice; the last one is short."""
    windows = np.random.default_rng(seed).integers(0, TOKENS, (n, time)).astype(np.int16)
    windows[-1, 1 + 2 * time // 3 :] = NO_TARGET
    return window_inputs(windows, newline=0)


def network(layers=2, hidden=5):
    made = untrained(TOKENS, hidden, layers, seed=3)
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(3)  # so that gates saturate, and gradients differ
    return made


def loss_of(model, tokens, targets, dropout=None):
    """One number for the windows given, by PyTorch's own layers."""
    output, _ = model(tokens, model.start(tokens.shape[1]), dropout)
    total = nn.functional.cross_entropy(
        model.output(output).flatten(0, 1),
        targets.flatten(),
        ignore_index=NO_TARGET,
        reduction="sum",
    )
    return total / len(tokens)


def by_autograd(model, tokens, targets):
    """The gradient of each window's loss as one long row, one window at a time."""
    rows = []
    for k in range(tokens.shape[1]):
        loss = loss_of(model, tokens[:, k : k + 1], targets[:, k : k + 1])
        parts = torch.autograd.grad(loss, list(model.parameters()))
        rows.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(rows)


def clipped(model, found, norm):
    """The sum of clipped gradients as one long row."""
    total = [torch.zeros_like(p) for p in model.parameters()]
    gradients.add_clipped(total, model, found, norm)
    return torch.cat([part.flatten() for part in total])


@pytest.mark.parametrize(("layers", "n", "time"), [(1, 1, 1), (1, 4, 3), (2, 5, 12), (3, 3, 8)])
def test_gradients_are_those_of_autograd_one_window_at_a_time(layers, n, time):
    model, (tokens, targets) = network(layers), batch(n, time)
    rows = by_autograd(model, tokens, targets)
    found = gradients.derivatives(model, tokens, targets)
    norms = gradients.squared_norms(found).sqrt()
    torch.testing.assert_close(norms, rows.norm(dim=1), rtol=2e-5, atol=1e-7)
    loss = loss_of(model, tokens, targets).item()
    assert found.costs.sum().item() / time == pytest.approx(loss, rel=1e-5)
    norm = float(norms.median())  # some are clipped, some are not
    weights = (norm / rows.norm(dim=1)).clamp(max=1)
    torch.testing.assert_close(clipped(model, found, norm), weights @ rows, rtol=1e-4, atol=1e-6)


class ByOpacus(nn.Module):
    """The same network of layers that Opacus offers for private training."""

    def __init__(self, model):
        super().__init__()
        from opacus.layers import DPLSTM

        self.embedding = nn.Embedding(TOKENS, model.hidden)
        self.recurrent = DPLSTM(model.hidden, model.hidden, batch_first=True)
        self.output = nn.Linear(model.hidden, TOKENS)
        self.embedding.load_state_dict(model.embedding.state_dict())
        self.recurrent.load_state_dict(model.recurrent[0].state_dict())
        self.output.load_state_dict(model.output.state_dict())

    def forward(self, tokens):
        return self.output(self.recurrent(self.embedding(tokens))[0])


def test_norms_are_those_of_opacus():
    from opacus import GradSampleModule

    model, (tokens, targets) = network(layers=1), batch(6, 10)
    with warnings.catch_warnings():  # PyTorch's, of how Opacus sets its hooks
        warnings.simplefilter("ignore")
        theirs = GradSampleModule(ByOpacus(model), loss_reduction="sum")
        logits = theirs(tokens.T)
        loss = nn.functional.cross_entropy(
            logits.flatten(0, 1), targets.T.flatten(), ignore_index=NO_TARGET, reduction="sum"
        )
        (loss / len(tokens)).backward()
    squares = [p.grad_sample.flatten(1).square().sum(1) for p in theirs.parameters()]
    found = gradients.derivatives(model, tokens, targets)
    torch.testing.assert_close(gradients.squared_norms(found), sum(squares), rtol=1e-4, atol=1e-9)


def test_dropout_is_differentiated_too():
    model, (tokens, targets) = network(), batch(4, 6)

    def dropout():
        return Dropout(0.4, torch.Generator().manual_seed(8))

    loss = loss_of(model, tokens, targets, dropout())
    expected = torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])
    found = gradients.derivatives(model, tokens, targets, dropout=dropout())
    torch.testing.assert_close(clipped(model, found, 1e9), expected, rtol=1e-4, atol=1e-6)


def test_rounded_products_leave_the_norm_exact():
    """A window's part is clipped to the norm whatever its derivatives came from."""
    model, (tokens, targets) = network(), batch(5, 12)
    for k in range(5):
        one = tokens[:, k : k + 1], targets[:, k : k + 1]
        found = gradients.derivatives(model, *one, dtype=torch.bfloat16)
        rounded = clipped(model, found, 1e-2)
        assert rounded.norm().item() == pytest.approx(1e-2, rel=1e-5)
        exact = by_autograd(model, *one)[0]
        assert torch.cosine_similarity(rounded, exact, dim=0) > 0.99


@pytest.mark.parametrize("seed", range(5))
def test_long_parts_that_cancel_are_clipped_all_the_same(seed):
    """Nothing but a small bias is left of the sum, and float32 sees less than that."""
    model, (tokens, targets) = network(layers=1), batch(1, 40, seed)
    found = gradients.derivatives(model, tokens, targets)
    generator = torch.Generator().manual_seed(seed)
    parts = 1e6 * torch.randn(20, 1, TOKENS, generator=generator)
    by_logits = torch.cat([parts, -parts])
    by_logits[0] += 1.0
    output = torch.ones_like(found.output)
    found = found._replace(by_logits=by_logits, output=output)
    row = gradients.weighted_sum(model, found, torch.ones(1))
    true = torch.cat([g.double().flatten() for g in row.values()]).norm().item()
    found = found._replace(by_logits=by_logits, output=output)
    assert gradients.squared_norms(found).sqrt().item() >= 0.99 * true


def test_a_gradient_that_is_not_finite_is_left_out():
    model, (tokens, targets) = network(), batch(5, 6)
    tokens[0], tokens[1:] = 0, tokens[1:].clamp(max=TOKENS - 2)
    tokens[3, 1] = TOKENS - 1
    with torch.no_grad():
        model.embedding.weight[TOKENS - 1] = math.nan
    rest = [0, 2, 3, 4]
    found = gradients.derivatives(model, tokens, targets)
    others = gradients.derivatives(model, tokens[:, rest], targets[:, rest])
    torch.testing.assert_close(clipped(model, found, 0.1), clipped(model, others, 0.1))


@pytest.mark.parametrize("window", [1, 4, 10, 11])
def test_a_character_is_in_one_window_and_tells_of_itself_to_no_other(window):
    text = np.random.default_rng(0).integers(0, TOKENS, 40)
    given, targets = window_inputs(fixed_windows(text, window), newline=0)
    assert given.shape == (window, math.ceil(40 / window))
    assert (given[0] == 0).all()
    np.testing.assert_array_equal(targets.T.flatten()[:40], text)
    assert (targets.T.flatten()[40:] == NO_TARGET).all()
    for place in (0, 17, 39):
        other = text.copy()
        other[place] += 1
        given_then, targets_then = window_inputs(fixed_windows(other, window), newline=0)
        changed = (targets_then != targets).any(0)
        assert np.flatnonzero(changed).tolist() == [place // window]
        assert not ((given_then != given).any(0) & ~changed).any()


def step(**changes):
    """Weights before and after one step of SGD, size 1, on all windows; as one long row each."""
    options = {"epochs": 1, "batch_size": LENGTH, "optimizer": "sgd", **changes}
    texts = options.pop("texts", TEXTS)
    fits = [private(**options, learning_rate=rate).fit(texts) for rate in (1e-30, 1.0)]
    return fits, [
        torch.cat([p.detach().flatten() for p in fit.network_.parameters()]) for fit in fits
    ]


def test_a_step_is_the_sum_of_clipped_gradients_over_the_windows():
    (still, _), (before, after) = step(noise=0, dp_max_grad_norm=0.3)
    text = still.vocabulary_.ids("".join(t if t.endswith("\n") else t + "\n" for t in TEXTS))
    windows = fixed_windows(text, 9)
    rows = by_autograd(still.network_, *window_inputs(windows, still.vocabulary_.newline))
    assert (rows.norm(dim=1) > 0.3).any()
    weights = (0.3 / rows.norm(dim=1)).clamp(max=1)
    expected = weights @ rows / len(windows)
    torch.testing.assert_close(before - after, expected, rtol=1e-3, atol=1e-7)


def test_one_window_moves_the_weights_by_no_more_than_two_norms():
    windows = math.ceil(LENGTH / 9)
    changed = [TEXTS[0].replace(TEXTS[0][9:18], "~" * 9), *TEXTS[1:]]
    ends = [step(noise=0, dp_max_grad_norm=0.01, texts=texts)[1][1] for texts in (TEXTS, changed)]
    distance = (ends[0] - ends[1]).norm().item()
    assert 0.001 / windows < distance < 0.02 / windows * (1 + 1e-3)


def test_noise_is_the_promised_gaussian():
    windows = math.ceil(LENGTH / 9)
    clean = step(noise=0, dp_max_grad_norm=0.5, hidden=20)[1][1]
    noisy = [step(noise=3, dp_max_grad_norm=0.5, hidden=20, random_state=0)[1][1] for _ in "ab"]
    assert torch.equal(*noisy)
    drawn = (noisy[0] - clean) / (3 * 0.5 / windows)
    n = len(drawn)
    assert abs(drawn.mean().item()) < 4 / math.sqrt(n)
    assert abs(drawn.var().item() - 1) < 4 * math.sqrt(2 / n)
    assert drawn.abs().max() > 3


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_same_seed_same_weights(precision):
    model = private(dropout=0.2, precision=precision)
    one, two = (clone(model).fit(TEXTS).get_weights() for _ in range(2))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    other = clone(model).set_params(random_state=1).fit(TEXTS).get_weights()
    assert (one["output.weight"] != other["output.weight"]).any()


def test_all_is_seen_by_what_is_drawn_alone():
    """Nothing else of the texts is in the model: the vocabulary is the same for any."""
    model = private().fit([*TEXTS, "naïve ☃\n"])
    assert model.token_strings() == [*sorted(string.printable), ""]
    assert math.isfinite(model.loss(["naïve ☃\n"]))
    with pytest.raises(InvalidInput, match=r"U\+00EF is not one$"):
        model.score_samples(["naïve"])


def test_facts_say_what_was_promised():
    model = private(noise=0.5).fit(TEXTS)
    found = facts(model)["privacy"]
    schedule = calibrate(model.dp, math.ceil(LENGTH / 9), 8, 2)
    assert found["steps"] == schedule.steps == 2 * model.batches(TEXTS)
    assert found["sample_rate"] == schedule.sample_rate
    assert (found["unit"], found["window"]) == ("window of 9 characters", 9)
    assert found["gradients"] == "ghost"
    assert 0 < found["epsilon"] < math.inf
    target = private(noise=None, dp_target_epsilon=3.0).fit(TEXTS)
    assert facts(target)["privacy"]["epsilon"] == pytest.approx(3.0, rel=0.02)
    assert facts(private(noise=0).fit(TEXTS))["privacy"]["epsilon"] is None
    assert "privacy" not in facts(private(dp=None).fit(TEXTS))


@pytest.mark.parametrize("every", [None, 1, 5])
def test_reports_come_when_they_are_said_to_and_empty_batches_are_no_loss(every):
    seen = []
    model = private(noise=0.1, batch_size=1, report_every=every)
    model.fit(TEXTS, on_epoch=lambda k, losses: seen.append((k, losses["train"])))
    assert [k for k, _ in seen] == list(range(1, model.reports(TEXTS) + 1))
    empty = np.isnan([loss for _, loss in seen])
    # Each batch holds 43 windows with probability 1/43 each: none in 36 % of them.
    assert 0.2 < empty.mean() < 0.55 if every == 1 else empty.mean() < 0.1


@pytest.mark.parametrize("sampling", ["poisson", "shuffled"])
def test_meaningless_noise_trains_about_as_well_as_none(sampling):
    options = {"hidden": 24, "layers": 1, "epochs": 8, "learning_rate": 0.03}
    accountant = "rdp" if sampling == "poisson" else "gaussian"
    how = {"dp_accountant": accountant, "dp_sampling": sampling, "dp_max_grad_norm": 0.5}
    text = ["".join(TEXTS)]
    losses = [
        private(noise=noise, **options, **how).fit(text).loss(text) for noise in (1e-3, 100.0)
    ]
    plain = without_privacy(**options)
    assert losses[0] < 3 * plain < losses[1] / 3


@cache
def without_privacy(**options):
    """The loss of one long text by plain training on it."""
    text = ["".join(TEXTS)]
    return private(dp=None, batch_size=8, **options).fit(text).loss(text)


REFUSED = {
    "no DP": ({"dp": {"delta": 1e-5}}, "dp must be a byrote.models.DP or None; got dict"),
    "no delta": ({"dp_delta": None}, "dp: delta must be given"),
    "two": ({"dp_target_epsilon": 1.0}, "dp: one of target_epsilon and noise_multiplier"),
    "accountant": ({"dp_accountant": "gaussian"}, "must go with sampling 'shuffled'"),
    "clip": ({"clip": 1.0}, "^clip must be left at 5.0 with dp, whose max_grad_norm clips the"),
    "shuffle": ({"shuffle": False}, "^shuffle must be True with dp, whose batches are drawn"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_kept_is_refused(case):
    changes, message = REFUSED[case]
    for method in ("check_input", "fit"):
        with pytest.raises(InvalidInput, match=message):
            getattr(private(**changes), method)(TEXTS)
