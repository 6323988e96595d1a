"""What comes through the doors: NumPy's numbers as Python's own, names that files give back."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator

import byrote
from byrote import checks
from byrote.models import DP, VAE, LaplaceHistogram
from byrote.plans import Insertions

from fuzzing import fuzz


def test_calls_that_nobody_should_make_give_a_result_or_one_of_our_errors():
    found, examples = fuzz(1500, seed=0)
    assert not found, list(examples.values())


def test_small_integers_do_not_overflow():
    counts = {"true_positives": 200, "members": 210, "false_positives": 3, "non_members": 210}
    small = {name: np.uint8(count) for name, count in counts.items()}
    assert byrote.privacy.epsilon_from_rates(**small) == byrote.privacy.epsilon_from_rates(**counts)
    bound = byrote.privacy.exposure_bound(epsilon=np.uint8(200), insertions=np.uint8(200))
    assert bound.group_epsilon == 40_000
    assert byrote.privacy.gaussian_delta(
        np.uint8(20), np.uint8(200)
    ) == byrote.privacy.gaussian_delta(20, 200)


def test_numbers_of_numpy_leave_as_numbers_of_python():
    for plan in (
        byrote.KFold(np.uint8(3), repeats=np.int64(2), stratify=np.bool_(False)),
        byrote.LeaveOneOut(np.int8(2)),
        byrote.Subset(np.float32(0.5), fits=np.uint16(4)),
        byrote.Probes(np.int64(4), fits=np.uint8(6), coins=np.bool_(True)),
        Insertions(np.array([1, 4]), per_level=np.uint8(2), within=np.float16(0.5)),
    ):
        assert json.loads(json.dumps(plan.spec())) == {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in plan.spec().items()
        }
    bound = byrote.privacy.exposure_bound(epsilon=np.float32(0.5), space_size=np.uint8(100))
    assert json.dumps(bound.to_dict())


def test_numbers_of_numpy_train_the_same_model():
    x = np.random.default_rng(0).random((12, 3))
    given = {
        "latent_dim": 2,
        "hidden": [4],
        "epochs": 2,
        "batch_size": 4,
        "draws": 3,
        "random_state": 0,
    }
    small = {name: np.uint8(v) if isinstance(v, int) else v for name, v in given.items()}
    first, second = (VAE(**each, compile=False).fit(x).score_samples(x) for each in (given, small))
    assert (first == second).all()
    histogram = LaplaceHistogram(bins=np.uint8(200), epsilon=np.uint8(200)).fit(x[:, :1])
    assert len(histogram.sample(np.uint8(200))) == 200
    DP(noise_multiplier=np.float32(1.0), delta=np.float64(1e-5)).check()


TOO_LARGE, TOO_SMALL = 10**400, 5e-324
COINS = np.arange(28).reshape(4, 7) // 7 % 2 == 0
REFUSED = {
    "huge": lambda: byrote.privacy.exposure_bound(epsilon=TOO_LARGE),
    "huge size": lambda: byrote.privacy.exposure_bound(epsilon=1.0, space_size=2**5000),
    "tiny": lambda: byrote.privacy.one_run_epsilon(
        canaries=9, guesses=9, correct=9, significance=TOO_SMALL
    ),
    "tiny epsilon": lambda: byrote.privacy.exposure_bound(epsilon=TOO_SMALL),
    "huge count": lambda: byrote.privacy.one_run_epsilon(canaries=TOO_LARGE, guesses=9, correct=9),
    "flag for a number": lambda: byrote.privacy.gaussian_delta(True, 1.0),
    "number for a flag": lambda: byrote.KFold(3, stratify=np.array([True])),
    "array for a flag": lambda: byrote.open_run("nowhere").memorization(
        partial=np.array([True, False])
    ),
    "text for a number": lambda: byrote.Subset("0.5", fits=4),
    "complex": lambda: byrote.privacy.epsilon_from_density(COINS * 1j, COINS),
    "ragged": lambda: byrote.privacy.epsilon_from_scores([[1.0], [1.0, 2.0]], [1.0, 2.0]),
    "masked": lambda: byrote.privacy.epsilon_from_scores(
        np.ma.masked_less([1.0, 2], 2), [1.0, 2.0]
    ),
    "gradients": lambda: byrote.privacy.epsilon_from_scores(
        torch.ones(3, requires_grad=True), [1.0, 2]
    ),
    "words": lambda: byrote.privacy.infer_membership(COINS.astype(str), COINS),
    "long secret": lambda: byrote.Canary("a {}", alphabet="ab", length=10**30),
    "long secrets": lambda: byrote.Canary("{digits:6000}{digits:6000}"),
    "large space": lambda: byrote.Canary("{digits:2000}"),
    "many candidates": lambda: byrote.Canary("{digits:30}").candidates(10**9),
    "an inserted canary without end": lambda: Insertions((10**30,)),
    "a path of no kind": lambda: byrote.open_run(3).memorization(),
    "a path with a NUL": lambda: byrote.open_run("a\0b").memorization(),
    "a path too long": lambda: byrote.load("x" * 5000),
    "no function": lambda: byrote.neighbors.authenticity(COINS * 1.0, COINS * 1.0, features=3),
    "no model": lambda: byrote.expose(3, byrote.Canary("a {digits:2}", secret="12")),
    "no canaries": lambda: byrote.score_exposure(VAE(), ["a"], 3),
    "an id of another kind": lambda: byrote.Probes([1.5], fits=4),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_sentence(case):
    with pytest.raises(byrote.InvalidInput) as caught:
        REFUSED[case]()
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 300


def test_results_at_the_ends_of_the_range():
    assert (
        byrote.privacy.exposure_bound(
            epsilon=1.0, delta=1e-9, insertions=10**9, space_size=9
        ).group_delta
        == 1.0
    )
    assert byrote.privacy.gaussian_epsilon(1e12, 1e-5) == pytest.approx(5e23, rel=1e-9)
    assert byrote.privacy.gaussian_delta(1e-300, 1e300) == 0.0
    assert byrote.exposure.exposure_from_rank(np.float16(1024), 2**3000) == 2990


X = np.arange(6.0).reshape(3, 2)
NAMES = {
    "NUL": (["a", "a\0", "b"], "NUL character; the one in row 1"),
    "NUL inside": (np.array(["a", "b\0c", "d"]), "NUL character; the one in row 1"),
    "NUL in pandas": (pd.Series(["a", "b", "c\0"]), "NUL character; the one in row 2"),
    "surrogate": (["a", "b", "\ud800"], "ids in row 2 must be Unicode text"),
    "long": (["a", "b" * 1001, "c"], "at most 1,000 characters each; the one in row 1 has 1,001"),
    "mixed": (["a", 1, None], "integers or strings"),
    "fractions": ([1.5, 2.5, 3.5], "integers or strings"),
    "beyond 64 bits": (np.array([1, 2, 2**63], np.uint64), "64-bit"),
}


@pytest.mark.parametrize("case", NAMES)
def test_names_that_no_file_gives_back_are_refused(case):
    ids, message = NAMES[case]
    for given in ({"ids": ids}, {"labels": ids}):
        with pytest.raises(byrote.InvalidInput, match=message.replace("ids", next(iter(given)))):
            byrote.Records(X, **given)


def test_names_in_tables_are_not_shortened(tmp_path):
    for kind in ("csv", "parquet"):
        frame = pd.DataFrame({"id": ["a", "a\0", "b"], "x": [1.0, 2, 3]})
        path = tmp_path / f"x.{kind}"
        frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
        with pytest.raises(byrote.InvalidInput, match="NUL character; the one in row 1"):
            byrote.load(path, ids="id")


class Odd(BaseEstimator):
    """A density of another kind of number."""

    def __init__(self, kind="complex128"):
        self.kind = kind

    def fit(self, X, y=None):
        return self

    def score_samples(self, X):
        return np.zeros(len(X)).astype(self.kind)


@pytest.mark.parametrize("kind", ["complex128", "bool", "O", "U3", "M8[s]"])
def test_log_densities_are_real_numbers(kind):
    with pytest.raises(byrote.ByroteError):
        byrote.score_memorization(Odd(kind), np.ones((6, 1)), plan=byrote.KFold(2, 2))


@pytest.mark.parametrize("kind", ["float16", "float32", "longdouble", "int8"])
def test_real_log_densities_of_any_type_do(kind):
    found = byrote.score_memorization(Odd(kind), np.ones((6, 1)), plan=byrote.KFold(2, 2))
    assert (found.score == 0).all()


def test_values_are_quoted_in_a_few_words():
    class Mute:
        def __repr__(self):
            raise RuntimeError

    shown = [checks.brief(value) for value in (10**9000, "a" * 999, np.ones((2, 3)), Mute(), [[]])]
    assert shown[0] == f"an integer of {math.ceil(9000 * math.log2(10)):,} bits"
    assert len(shown[1]) < 90
    assert shown[2:] == ["ndarray of shape (2, 3)", "a value of type Mute", "[[]]"]
