"""Canaries never inserted: exponential exposure, uniform p-values, whatever the method."""

import numpy as np
import pytest
from scipy import stats

import byrote
from byrote.models import CharLSTM

SIZE = 10**5


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small model that has learned its text, six canaries of it by rote, and 400 controls."""
    corpus = byrote.load_corpus("python-help", characters=30_000)
    folder = tmp_path_factory.mktemp("calibration") / "run"
    byrote.score_exposure(
        CharLSTM(hidden=32, layers=1, epochs=4, batch_size=8, window=32),
        corpus,
        byrote.Canary("the random number is {digits:5}"),
        insertions=[20],
        canaries_per_level=6,
        controls=400,
        references=2000,
        method="exact",
        store=folder,
        seed=3,
    )
    return folder


@pytest.mark.parametrize("method", ["rank", "sampled", "skew_normal"])
def test_controls_follow_the_null(run, method):
    found = byrote.load_exposure(run, method=method)
    never = found.role == "control"
    bits, p = found.exposure.bits[never], found.exposure.p_value[never]
    assert len(bits) == 400
    if method == "skew_normal" and np.isnan(bits).all():
        assert (found.exposure.reason != "").all()  # a curve that does not fit is refused, not used
        return
    # Exponential with rate ln 2: mean and standard deviation 1/ln 2 = 1.4427 bits.
    assert abs(bits.mean() - 1 / np.log(2)) < 4 / np.log(2) / np.sqrt(400)
    assert stats.kstest(p, "uniform").pvalue > 1e-3
    assert 0.02 < (p <= 0.05).mean() < 0.09


def test_the_model_learned_what_it_saw(run):
    found = byrote.load_exposure(run, method="rank")
    seen = found.inserted > 0
    assert np.median(found.exposure.bits[seen]) > 6
    assert np.median(found.exposure.p_value[seen]) < 0.01
    assert set(found.exposure.method) == {"exact"}


def test_exact_ranks_are_those_of_the_whole_space(run):
    found = byrote.load_exposure(run, method="rank").exposure
    assert ((found.rank >= 1) & (found.rank <= SIZE)).all()
    assert len(np.unique(found.rank)) > 400
    np.testing.assert_allclose(found.bits, np.log2(SIZE) - np.log2(found.rank))
