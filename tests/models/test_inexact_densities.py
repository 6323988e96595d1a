"""Kernel densities: exact by name, and a caution where scikit-learn's tree is not."""

import io

import numpy as np
import pytest
from numpy.testing import assert_allclose
from rich.console import Console
from scipy import integrate, special
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import byrote
from byrote.models.identity import class_path, parameters
from byrote.models.registry import approximations, build
from byrote.report.memorization import render, to_json


class Plain(BaseEstimator):
    """The gaussian kernel of bandwidth 0.1, by the definition."""

    def fit(self, X):
        self.X_ = X
        return self

    def score_samples(self, X):
        return log_density("gaussian", X, self.X_, 0.1)


KERNELS = {
    "gaussian": lambda u: -(u**2) / 2,
    "tophat": lambda u: np.where(u < 1, 0.0, -np.inf),
    "epanechnikov": lambda u: np.log(np.maximum(1 - u**2, 0)),
    "exponential": lambda u: -u,
    "linear": lambda u: np.log(np.maximum(1 - u, 0)),
    "cosine": lambda u: np.log(np.where(u < 1, np.cos(np.pi / 2 * u), 0)),
}


def log_density(kernel, x, train, h, weights=None):
    """By the definition; the kernel's norm is its integral over spheres."""
    d = train.shape[1]
    with np.errstate(divide="ignore"):
        each = KERNELS[kernel](cdist(x, train) / h)

        def shell(u):
            return u ** (d - 1) * np.exp(KERNELS[kernel](np.array(u)))

        end = 1 if kernel not in ("gaussian", "exponential") else 60
        volume, _ = integrate.quad(shell, 0, end, epsabs=0, epsrel=1e-12, limit=200)
        sphere = np.log(2) + d / 2 * np.log(np.pi) - special.gammaln(d / 2)
        norm = np.log(volume) + sphere + d * np.log(h)
        share = np.full(len(train), 1 / len(train)) if weights is None else weights / weights.sum()
        return special.logsumexp(each, b=share, axis=1) - norm


@pytest.mark.parametrize("h", [0.05, 0.4])
@pytest.mark.parametrize("kernel", KERNELS)
def test_by_name_it_is_exact_wherever_records_lie(kernel, h):
    x = np.random.default_rng(0).normal(size=(400, 3))
    x[0] = 1e3  # so far away that only the logarithm of its density can be told from 0
    train = x[1:301]
    found = build("kde", {"bandwidth": h, "kernel": kernel}).fit(train).score_samples(x)
    assert_allclose(found, log_density(kernel, x, train, h), rtol=1e-11)
    weights = np.linspace(1, 9, len(train))
    model = build("kde", {"bandwidth": h, "kernel": kernel}).fit(train, sample_weight=weights)
    assert_allclose(model.score_samples(x), log_density(kernel, x, train, h, weights), rtol=1e-11)


@pytest.mark.parametrize(
    "settings", [{"algorithm": "ball_tree"}, {"breadth_first": False}, {"metric": "cityblock"}]
)
def test_by_name_it_is_exact_however_it_is_set(settings):
    x = np.random.default_rng(1).normal(size=(300, 2))
    found = build("kde", {"bandwidth": 0.05, **settings}).fit(x[:200]).score_samples(x)
    distances = cdist(x, x[:200], settings.get("metric", "euclidean"))
    wanted = special.logsumexp(-(distances**2) / 0.005, axis=1) - np.log(200 * 2 * np.pi * 0.0025)
    assert_allclose(found, wanted, rtol=1e-11)


def test_scores_of_few_far_records_are_those_of_the_plain_sum():
    digits = byrote.load("digits").x.reshape(1797, -1)[:500]
    plan = byrote.Probes(100, fits=6, coins=True)
    found = byrote.score_memorization(build("kde", {"bandwidth": 0.1}), digits, plan=plan)
    plain = byrote.score_memorization(Plain(), digits, plan=plan)
    scored = ~np.isnan(plain.score)
    assert_allclose(found.score[scored], plain.score[scored], rtol=0, atol=1e-9)
    assert_allclose(found.mean_log[scored], plain.mean_log[scored], rtol=0, atol=1e-9)


def test_where_a_record_is_asked_for_makes_no_difference():
    x = np.random.default_rng(2).normal(size=(90, 5))
    model = build("kde", {"bandwidth": 0.3}).fit(x[:50])
    whole = model.score_samples(x)
    assert (np.concatenate([model.score_samples(part) for part in np.split(x, 9)]) == whole).all()


def test_it_gives_samples():
    x = np.random.default_rng(3).normal(size=(50, 2))
    drawn = build("kde", {"bandwidth": 1e-6}).fit(x).sample(200, random_state=0)
    assert cdist(drawn, x).min(axis=1).max() < 1e-5


CAUTIONS = {
    "the default leaves": (KernelDensity(), ["leaf_size=40", "Set leaf_size=60 or more"]),
    "one leaf": (KernelDensity(leaf_size=60), []),
    "tolerances": (KernelDensity(leaf_size=60, rtol=0.1), ["atol=0 or rtol=0.1"]),
    "both": (KernelDensity(leaf_size=59, atol=1e-9), ["leaf_size=59", "atol=1e-09"]),
    "within another": (make_pipeline(StandardScaler(), KernelDensity()), ["leaf_size=40"]),
    "a bound for a density": (BayesianGaussianMixture(), ["variational bound"]),
    "exact mixtures": (GaussianMixture(), []),
    "by name": (build("kde", {}), []),
}


@pytest.mark.parametrize("case", CAUTIONS)
def test_what_is_not_the_log_density_is_said(case):
    model, fragments = CAUTIONS[case]
    found = " ".join(approximations(class_path(model), parameters(model), 60))
    assert bool(found) == bool(fragments)
    assert all(fragment in found for fragment in fragments)


def test_the_summary_says_what_is_not_exact_and_the_exact_sum_has_no_caution():
    x = np.random.default_rng(4).normal(size=(60, 2))
    for model, caution in ((KernelDensity(), True), (build("kde", {}), False)):
        result = byrote.score_memorization(model, x, plan=byrote.KFold(3, repeats=5))
        console = Console(file=io.StringIO(), width=300)
        console.print(render(result))
        assert ("scikit-learn's tree" in console.file.getvalue()) == caution
        assert bool(to_json(result)["cautions"]) == caution


def test_the_mixture_with_a_caution_is_no_density_and_the_other_is():
    x = np.random.default_rng(5).normal(size=(20, 1))
    grid = np.linspace(-30, 30, 20_001)[:, None]
    for model, low, high in (
        (BayesianGaussianMixture(n_components=2), 0, 0.99),
        (GaussianMixture(2), 1, 1),
    ):
        density = np.exp(model.set_params(random_state=0).fit(x).score_samples(grid))
        assert low - 1e-6 < integrate.trapezoid(density, grid[:, 0]) < high + 1e-6
