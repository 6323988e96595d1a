"""What makes two models the same: their parameters' content, not how it happens to print."""

import enum
import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote
from byrote.models import identity


class Choice(enum.Enum):
    RELU = 1
    TANH = 2


@dataclass
class Setting:
    rate: float = 1.0


def double(x):
    return 2 * x


PAIRS = {
    "path": (Path("w1"), Path("w2")),
    "enum": (Choice.RELU, Choice.TANH),
    "dataclass": (Setting(1.0), Setting(2.0)),
    "bytes": (b"a", b"b"),
    "set": ({1}, {2}),
    "partial": (functools.partial(double, 1), functools.partial(double, 2)),
    "array": (np.arange(3), np.arange(3) + 1),
    "infinite": (float("inf"), float("nan")),
    "class": (KernelDensity, GaussianMixture),
    "estimator": (KernelDensity(bandwidth=1.0), KernelDensity(bandwidth=2.0)),
    "function": (double, len),
}


@pytest.mark.parametrize("name", PAIRS)
def test_different_parameters_are_different_and_equal_ones_equal(name):
    import copy
    import json

    first, second = PAIRS[name]
    assert identity.plain(first) != identity.plain(second)
    assert identity.plain(first) == identity.plain(copy.deepcopy(first))
    json.dumps(identity.plain(first), allow_nan=False)


class Configured(BaseEstimator):
    def __init__(self, config=None):
        self.config = config

    def fit(self, X):
        return self

    def score_samples(self, X):
        return np.zeros(len(X))


@pytest.mark.parametrize("name", PAIRS)
def test_a_run_of_another_parameter_is_refused_and_of_the_same_resumed(name, tmp_path):
    first, second = PAIRS[name]
    x, plan = np.zeros((10, 1)), byrote.KFold(2, 1)

    def score(config):
        return byrote.score_memorization(Configured(config), x, plan=plan, out=tmp_path / "run")

    score(first)
    score(first)
    with pytest.raises(byrote.RunMismatch, match="model config"):
        score(second)


class FromFile(Configured):
    """A model that reads a file, as a network that is fine-tuned."""

    def file_hashes(self):
        return {"config": Path(self.config).read_text()}


def test_a_run_of_another_file_at_the_same_path_is_refused(tmp_path):
    file = tmp_path / "weights"
    x, plan = np.zeros((10, 1)), byrote.KFold(2, 1)

    def score():
        model = FromFile(str(file))
        return byrote.score_memorization(model, x, plan=plan, out=tmp_path / "run")

    file.write_text("one")
    score()
    score()
    file.write_text("two")
    with pytest.raises(byrote.RunMismatch, match="model, files at config 'one' there, 'two'"):
        score()
