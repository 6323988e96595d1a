"""The recurrent model of characters, against a plain one written with loops."""

import math
import pickle
import string
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import (
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
)

from byrote import InvalidInput
from byrote.models import CharLSTM
from byrote.models.language.char_lstm.windows import NO_TARGET, Cut
from byrote.models.weights import weights_of, with_weights

TEXTS = [
    "The quick brown fox jumps over the lazy dog; naïve façades remain.\n",
    "It was the best of times, it was the worst of times.",
    "the random number is 281265017\n",
] * 3
SMALL = {"hidden": 12, "layers": 2, "epochs": 3, "batch_size": 4, "window": 9}


def small(**changes):
    return CharLSTM(**{**SMALL, "precision": "float32", **changes})


@cache
def fitted():
    """Shared by tests that do not change it."""
    return small().fit(TEXTS)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Plain:
    """A reader written from the equations, one character and one layer at a time, in float64."""

    def __init__(self, weights):
        self.weights = {name: np.asarray(value, float) for name, value in weights.items()}
        self.layers = sum(name.endswith("weight_hh_l0") for name in weights)
        hidden = self.weights["embedding.weight"].shape[1]
        self.state = [(np.zeros(hidden), np.zeros(hidden)) for _ in range(self.layers)]

    def read(self, token):
        """Log-probabilities of what follows."""
        x = self.weights["embedding.weight"][token]
        for layer in range(self.layers):
            w, u, b, d = (
                self.weights[f"recurrent.{layer}.{name}_l0"]
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            h, c = self.state[layer]
            i, f, g, o = np.split(w @ x + u @ h + b + d, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            x = sigmoid(o) * np.tanh(c)
            self.state[layer] = (x, c)
        logits = self.weights["output.weight"] @ x + self.weights["output.bias"]
        return logits - np.logaddexp.reduce(logits)


def plain_log_prob(model, text):
    """Sum over the characters of a text, the first after a newline; all read in one pass."""
    reader, total = Plain(model.get_weights()), 0.0
    for before, token in zip(model.encode("\n" + text), model.encode(text), strict=False):
        total += reader.read(before)[token]
    return total


@pytest.mark.parametrize(
    "check",
    [
        check_parameters_default_constructible,
        check_get_params_invariance,
        check_set_params,
        check_no_attributes_set_in_init,
    ],
)
def test_scikit_learn_agrees(check):
    check("CharLSTM", CharLSTM())


def test_the_default_has_the_size_of_the_post():
    model = CharLSTM(epochs=1, batch_size=1, window=6, precision="float32").fit(["secret"])
    weights = model.get_weights()
    del weights["code_points"]
    assert sum(weight.size for weight in weights.values()) == parameters(h=200, v=101)


def parameters(h, v):
    """Numbers of an embedding, two layers and an output of v symbols."""
    return v * h + 2 * (4 * h * 2 * h + 8 * h) + h * v + v


def test_size_counts_weights_and_their_bytes():
    size = fitted().size
    assert size["parameters"] == parameters(h=12, v=len(fitted().token_strings()))
    assert size["bytes"] == 4 * size["parameters"]
    assert 0.8 * size["bytes"] < size["compressed"] < 1.01 * size["bytes"]


def test_scores_are_those_of_the_equations():
    texts = ["", "a", "the random number is 281265017", "naïve", "x" * 300, "\n\n"]
    expected = [plain_log_prob(fitted(), text) for text in texts]
    np.testing.assert_allclose(fitted().score_samples(texts), expected, rtol=2e-6, atol=1e-5)
    assert expected[0] == 0


def test_scores_do_not_depend_on_company():
    generator = np.random.default_rng(0)
    text = "".join(TEXTS)
    starts, lengths = generator.integers(0, 300, 300), generator.integers(0, 200, 300)
    texts = [text[a : a + n] for a, n in zip(starts, lengths, strict=True)]
    alone = [fitted().score_samples([one])[0] for one in texts[:40]]
    np.testing.assert_allclose(fitted().score_samples(texts)[:40], alone, rtol=2e-6, atol=1e-5)


def test_state_is_carried_from_window_to_window():
    """The mean loss of an epoch without learning is the loss of one long pass."""
    text = "".join(TEXTS[:3])
    still = small(epochs=1, batch_size=1, learning_rate=1e-30, shuffle=False).fit([text])
    expected = -plain_log_prob(still, text) / len(text)
    assert still.losses_ == pytest.approx([expected], rel=1e-5)
    forgetful = -sum(plain_log_prob(still, text[a : a + 9]) for a in range(0, len(text), 9)) / len(
        text
    )
    assert abs(forgetful - expected) > 1e-3


def test_loss_is_the_mean_cost_of_a_character():
    text = TEXTS[0] + TEXTS[1] + "\n" + TEXTS[2]
    expected = -plain_log_prob(fitted(), text) / len(text)
    assert fitted().loss(TEXTS[:3]) == pytest.approx(expected, rel=1e-5)


def test_loss_of_a_long_text_in_streams_is_nearly_that_of_one_pass():
    texts = ["".join(TEXTS * 75)]
    assert len(texts[0]) > 16 * 2048
    one_pass = -fitted().score_samples(texts)[0] / len(texts[0])
    assert fitted().loss(texts) == pytest.approx(one_pass, rel=2e-3)


def test_a_step_of_descent_follows_the_gradient_of_the_equations():
    """One step of SGD on one window, against differences of the plain reader's likelihood."""
    text = "abcab\n"
    options = {"epochs": 1, "batch_size": 1, "window": 6, "optimizer": "sgd", "shuffle": False}
    options |= {"hidden": 3, "clip": 1e9}
    still = small(**options, learning_rate=1e-30).fit([text])
    moved = small(**options, learning_rate=1.0).fit([text])
    before, after = still.get_weights(), moved.get_weights()
    generator = np.random.default_rng(1)
    for name in before:
        if name == "code_points":
            continue
        direction = generator.normal(size=before[name].shape)
        losses = []
        for step in (1e-4, -1e-4):
            changed = {k: v.astype(float) for k, v in before.items()}
            changed[name] = changed[name] + step * direction
            reader, total = Plain(changed), 0.0
            for given, token in zip(still.encode("\n" + text), still.encode(text), strict=False):
                total -= reader.read(given)[token]
            losses.append(total / len(text))
        slope = (losses[0] - losses[1]) / 2e-4
        descended = ((before[name].astype(float) - after[name]) * direction).sum()
        assert descended == pytest.approx(slope, rel=1e-3, abs=2e-5), name


@pytest.mark.parametrize(("n", "streams", "window"), [(7, 3, 2), (20, 4, 5), (3, 5, 2), (9, 2, 9)])
def test_every_character_is_predicted_once_from_the_one_before(n, streams, window):
    text = np.arange(n)
    for start in (0, 5):
        cut = Cut(streams, window)
        windows = list(cut.read(text, start))
        assert len(windows) == cut.windows(n)
        given, targets = (np.concatenate(parts) for parts in zip(*windows, strict=True))
        real = targets != NO_TARGET
        assert sorted(targets[real]) == list(range(n))
        np.testing.assert_array_equal((given[real] + 1) % n, targets[real])
        assert targets[0, 0] == start % n


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_same_seed_same_weights(precision):
    model = small(dropout=0.2, precision=precision, epochs=1)
    one, two = (clone(model).fit(TEXTS).get_weights() for _ in range(2))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    for change in ({"random_state": 1}, {"shuffle": False}):
        other = clone(model).set_params(**change).fit(TEXTS).get_weights()
        assert (one["output.weight"] != other["output.weight"]).any()


def test_following_changes_nothing_and_global_chance_stays():
    seen = []

    def look(k, losses):
        seen.append((k, losses["train"], model.loss(TEXTS), torch.rand(1)))

    model = small(dropout=0.2, epochs=2)
    state = torch.get_rng_state()
    plain = clone(model).fit(TEXTS)
    assert torch.equal(state, torch.get_rng_state())
    model.fit(TEXTS, on_epoch=look)
    assert [k for k, *_ in seen] == [1, 2]
    assert model.losses_ == plain.losses_ == [loss for _, loss, *_ in seen]
    np.testing.assert_array_equal(
        model.get_weights()["output.bias"], plain.get_weights()["output.bias"]
    )


@pytest.mark.parametrize("every", [None, 1, 4, 7, 1000])
def test_reports_come_when_they_are_said_to(every):
    seen = []
    model = small(report_every=every)
    model.fit(TEXTS, on_epoch=lambda k, losses: seen.append((k, losses["train"])))
    characters = sum(len(text) + (not text.endswith("\n")) for text in TEXTS)
    total = 3 * math.ceil(math.ceil(characters / 4) / 9)
    assert model.batches(TEXTS) * 3 == total
    expected = 3 if every is None else math.ceil(total / every)
    assert model.reports(TEXTS) == expected
    assert [k for k, _ in seen] == list(range(1, expected + 1))
    if every is None:
        each = small(report_every=1).fit(TEXTS).losses_
        assert np.mean(each[: total // 3]) == pytest.approx(seen[0][1], rel=0.02)


@pytest.mark.parametrize(
    ("optimizer", "rate", "epochs"), [("adam", 0.02, 8), ("rmsprop", 0.01, 6), ("sgd", None, 12)]
)
def test_every_optimizer_lowers_the_loss(optimizer, rate, epochs):
    options = {"epochs": epochs, "dropout": 0.1, "weight_decay": 1e-4, "learning_rate": rate}
    model = small(optimizer=optimizer, **options).fit(TEXTS)
    assert model.losses_[-1] < 0.8 * model.losses_[0]
    assert model.loss(TEXTS) < 0.8 * math.log(101)


def test_bfloat16_learns_the_same():
    one, two = fitted(), small(precision="bfloat16").fit(TEXTS)
    assert two.losses_[-1] == pytest.approx(one.losses_[-1], rel=0.03)
    assert two.losses_[-1] < 0.9 * two.losses_[0]
    assert two.losses_ != one.losses_
    assert two.get_weights()["output.weight"].dtype == np.float32
    assert two.settled((9,), 3).precision in ("float32", "bfloat16")


def test_weight_decay_pulls_weights_in():
    norms = [
        np.linalg.norm(
            small(optimizer=o, weight_decay=w, epochs=1)
            .fit(TEXTS)
            .get_weights()["embedding.weight"]
        )
        for o in ("adam", "sgd")
        for w in (0.0, 0.3)
    ]
    assert norms[1] < norms[0]
    assert norms[3] < norms[2]


def test_dropout_is_for_training_only():
    model = small(dropout=0.5).fit(TEXTS)
    texts = ["the random number", "dog"]
    expected = [plain_log_prob(model, text) for text in texts]
    np.testing.assert_allclose(model.score_samples(texts), expected, rtol=1e-5)


def test_a_canary_seen_often_is_likelier_than_others():
    generator = np.random.default_rng(0)
    words = ["alpha", "beta", "gamma", "delta", "code"]
    lines = [" ".join(generator.choice(words, 5)) + "\n" for _ in range(60)]
    lines[::8] = ["the code is 3071\n"] * 8
    options = {"epochs": 10, "batch_size": 4, "window": 25, "learning_rate": 0.03}
    model = CharLSTM(24, 1, **options, precision="float32").fit(["".join(lines)])
    others = {f"the code is {n:04d}" for n in generator.integers(0, 10_000, 200)} - {
        "the code is 3071"
    }
    scores = model.score_samples(["the code is 3071", *sorted(others)])
    assert scores[0] > scores[1:].max() + math.log(10)


def test_weights_go_out_and_come_back():
    model = fitted()
    again = with_weights(small(random_state=5), weights_of(model))
    texts = ["naïve fox", "281265017"]
    np.testing.assert_array_equal(again.score_samples(texts), model.score_samples(texts))
    assert again.token_strings() == model.token_strings()
    assert again.random_state == 5
    revived = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(revived.score_samples(texts), model.score_samples(texts))
    assert not hasattr(clone(model), "network_")


def test_vocabulary():
    model = fitted()
    strings = model.token_strings()
    assert strings[-1] == ""
    assert strings[:-1] == sorted({*string.printable, *"".join(TEXTS)})
    assert "ï" in strings
    text = "naïve\n\t 42"
    assert [strings[token] for token in model.encode(text)] == list(text)
    assert model.decode(model.encode(text)) == text
    assert model.encode("") == []
    assert model.decode([]) == ""
    assert model.loss(["☃☃☃"]) > model.loss(["the"])  # unknown, but no error


def test_next_log_probs_and_stepper_agree_with_the_equations():
    model = fitted()
    stepper = model.stepper()
    prefixes = ["", "t", "the random number is ", "x" * 200]
    by_prefix = model.next_log_probs(prefixes)
    for row, prefix in enumerate(prefixes):
        reader = Plain(model.get_weights())
        expected = [reader.read(token) for token in model.encode("\n" + prefix)][-1]
        np.testing.assert_allclose(by_prefix[row], expected, atol=1e-5)
        states, costs = stepper.start(model.encode(prefix))
        assert len(states) == 1
        assert costs.dtype == np.float64
        np.testing.assert_allclose(costs[0], -expected / math.log(2), atol=2e-5)
    by_ids = model.next_log_probs([model.encode(prefix) for prefix in prefixes])
    np.testing.assert_array_equal(by_ids, by_prefix)
    np.testing.assert_allclose(np.exp(by_prefix).sum(1), 1, rtol=1e-6)


def test_stepping_is_scoring():
    model = fitted()
    stepper = model.stepper()
    prefix, ends = "the random number is ", ["281265017", "000000000", "lazy dog;", "naïve\n\t42"]
    ids = np.array([model.encode(end) for end in ends])
    states, costs = stepper.start(model.encode(prefix))
    states, bits = states.take(np.zeros(len(ends), int)), np.zeros(len(ends))
    costs = np.repeat(costs, len(ends), 0)
    for column in ids.T:
        bits += costs[np.arange(len(ends)), column]
        states, costs = stepper.step(states, column)
    whole = model.score_samples([prefix + end for end in ends])
    expected = (model.score_samples([prefix]) - whole) / math.log(2)
    np.testing.assert_allclose(bits, expected, atol=1e-4)


def test_states_are_taken_and_joined():
    model = fitted()
    stepper = model.stepper()
    parts = [stepper.start(model.encode(prefix)) for prefix in ("the", "dog", "4")]
    states = parts[0][0].joined([part for part, _ in parts[1:]])
    assert len(states) == 3
    states = states.take(np.array([2, 0, 0]))
    tokens = np.array(model.encode("abc"))
    after, costs = stepper.step(states, tokens)
    for row, prefix in enumerate(["4a", "theb", "thec"]):
        alone = stepper.start(model.encode(prefix))[1][0]
        np.testing.assert_array_equal(costs[row], alone)
    assert len(after) == 3
    again = stepper.step(states, tokens)[1]  # the states are as they were
    np.testing.assert_array_equal(again, costs)


REFUSED_TEXTS = {
    "one text": ("the secret", "X must be a list of texts; got str"),
    "none": (None, "X must be a list of texts; got NoneType"),
    "bytes": ([b"the secret"], "X must be a list of texts; item 0 is bytes"),
    "numbers": (np.zeros((3, 2)), "X must be a list of texts; item 0 is ndarray"),
    "one is no text": (["the secret" * 5, 3], "X must be a list of texts; item 1 is int"),
    "nothing": ([], "X must hold text to train on; it is empty"),
    "empty": (["", ""], "X must hold text to train on; it is empty"),
    "short": (["secret", "2"], "X must hold at least one window of 9 characters; it has 7"),
}


@pytest.mark.parametrize(("texts", "message"), REFUSED_TEXTS.values(), ids=REFUSED_TEXTS)
def test_bad_texts_are_refused(texts, message):
    for method in ("check_input", "fit"):
        with pytest.raises(InvalidInput, match=f"^{message}$"):
            getattr(small(), method)(texts)


REFUSED_PARAMETERS = {
    "hidden": (0, "hidden must be an integer of at least 1; got 0"),
    "layers": (1.5, "layers must be an integer of at least 1; got 1.5"),
    "epochs": (True, "epochs must be"),
    "batch_size": (-1, "batch_size must be"),
    "window": (None, "window must be"),
    "optimizer": (
        "adm",
        "optimizer must be one of adam, rmsprop, sgd; got 'adm', did you mean adam",
    ),
    "learning_rate": (0, "learning_rate must be a number above 0"),
    "dropout": (1, "dropout must be a number of at least 0 and below 1; got 1"),
    "weight_decay": (-0.1, "weight_decay must be a number of at least 0"),
    "clip": (0, "clip must be a number above 0"),
    "shuffle": ("no", "shuffle must be True or False; got 'no'"),
    "report_every": (0, "report_every must be an integer of at least 1"),
    "random_state": (-1, "random_state must be an integer of at least 0"),
    "precision": ("half", "precision must be one of auto, float32, bfloat16; got 'half'"),
}


@pytest.mark.parametrize("name", REFUSED_PARAMETERS)
def test_bad_parameters_are_refused(name):
    value, message = REFUSED_PARAMETERS[name]
    with pytest.raises(InvalidInput, match=message):
        small(**{name: value}).fit(TEXTS)


REFUSED_CALLS = {
    "encode": (lambda m: m.encode("secret ☃"), r"vocabulary only; U\+2603 is not one"),
    "score": (lambda m: m.score_samples(["secret ☃"]), r"U\+2603 is not one$"),
    "prefix": (lambda m: m.next_log_probs(["secret ☃"]), r"U\+2603 is not one$"),
    "prefix ids": (lambda m: m.next_log_probs([[5, 1000]]), "prefixes must be tokens from 0 to"),
    "decode": (
        lambda m: m.decode([0, 1000]),
        "ids must be a sequence of whole numbers from 0",
    ),
    "decode unknown": (lambda m: m.decode([len(m.token_strings()) - 1]), "ids must be"),
    "decode parts": (lambda m: m.decode([0.5]), "ids must be"),
    "loss": (lambda m: m.loss("secret"), "X must be a list of texts; got str"),
    "loss of nothing": (lambda m: m.loss([]), "it is empty"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED_CALLS.values(), ids=REFUSED_CALLS)
def test_bad_calls_are_refused_and_quote_nothing(call, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        call(fitted())
    assert "secret" not in str(caught.value)


def changed(**entries):
    weights = {**fitted().get_weights(), **entries}
    return {name: value for name, value in weights.items() if value is not None}


REFUSED_WEIGHTS = {
    "no vocabulary": ({"code_points": None}, "the entry 'code_points' is missing"),
    "no points": ({"code_points": np.array([])}, "must be a sequence of code points"),
    "order": ({"code_points": np.array([10, 4])}, "must be increasing code points"),
    "too far": ({"code_points": np.array([10, 0x110000])}, "must be increasing code points"),
    "no newline": ({"code_points": np.array([9, 11])}, "code points, newline among them"),
    "missing": ({"output.bias": None}, "the entry 'output.bias' is missing"),
    "unknown": ({"more": np.zeros(2)}, "the entry 'more' is unknown"),
    "shape": ({"output.bias": np.zeros(2)}, "'output.bias' must be numbers of shape"),
    "text": ({"output.bias": np.array("a")}, "'output.bias' must be numbers of shape"),
}


@pytest.mark.parametrize(("entries", "message"), REFUSED_WEIGHTS.values(), ids=REFUSED_WEIGHTS)
def test_bad_weights_are_refused(entries, message):
    with pytest.raises(InvalidInput, match=message):
        small().set_weights(changed(**entries))
    with pytest.raises(InvalidInput, match="must be numbers of shape"):
        small(hidden=13).set_weights(fitted().get_weights())


@pytest.mark.parametrize(
    ("method", "argument"),
    [("score_samples", ["a"]), ("loss", ["a"]), ("encode", "a"), ("next_log_probs", ["a"])],
)
def test_before_fit_nothing_is_known(method, argument):
    with pytest.raises(NotFittedError, match="not fitted"):
        getattr(small(), method)(argument)
