"""Canaries never inserted: exponential exposure, uniform p-values, whatever the method."""

import numpy as np
import pytest
from scipy import stats

import byrote
from byrote.models import CharLSTM

SIZE = 10**5


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small model that has learned its text, seven canaries of it by rote, and 400 controls."""
    corpus = byrote.load_corpus("python-help", characters=30_000)
    folder = tmp_path_factory.mktemp("calibration") / "run"
    byrote.score_exposure(
        CharLSTM(hidden=32, layers=1, epochs=4, batch_size=8, window=32),
        corpus,
        byrote.Canary("the random number is {digits:5}", secret="28126"),
        insertions=[20],
        canaries_per_level=6,
        controls=400,
        references=2000,
        method="exact",
        out=folder,
        track=[1],
        seed=3,
    )
    return folder


@pytest.mark.parametrize(
    ("method", "epoch"), [("rank", None), ("sampled", None), ("skew_normal", 1)]
)
def test_controls_follow_the_null(run, method, epoch):
    found = byrote.open_run(run).exposure(method=method, epoch=epoch)
    never = found.role == "control"
    bits, p = found.exposure.bits[never], found.exposure.p_value[never]
    assert len(bits) == 400
    # Exponential with rate ln 2: mean and standard deviation 1/ln 2 = 1.4427 bits.
    assert abs(bits.mean() - 1 / np.log(2)) < 4 / np.log(2) / np.sqrt(400)
    assert stats.kstest(p, "uniform").pvalue > 1e-3
    assert 0.02 < (p <= 0.05).mean() < 0.09


def test_the_curve_of_the_trained_model_is_refused(run):
    found = byrote.open_run(run).exposure(method="skew_normal")
    assert np.isnan(found.exposure.bits).all()
    assert all("the curve does not fit" in reason for reason in found.exposure.reason)


def test_the_model_learned_what_it_saw(run):
    found = byrote.open_run(run).exposure(method="rank")
    seen = found.inserted > 0
    assert np.median(found.exposure.bits[seen]) > 6
    assert np.nanmedian(found.exposure.p_value[seen]) < 0.01
    assert set(found.exposure.method) == {"exact"}


@pytest.mark.parametrize("method", ["auto", "rank", "sampled"])
def test_a_chosen_secret_has_no_p_value(run, method):
    found = byrote.open_run(run).exposure(method=method)
    assert found.inserted[0] == 20
    assert found.exposure.bits[0] > 3
    assert np.isnan(found.exposure.p_value[0])
    assert "chosen, not drawn" in found.exposure.reason[0]
    assert not np.isnan(found.exposure.p_value[1:]).any()
    assert not any("chosen" in reason for reason in found.exposure.reason[1:])


def test_exact_ranks_are_those_of_the_whole_space(run):
    found = byrote.open_run(run).exposure(method="rank").exposure
    assert ((found.rank >= 1) & (found.rank <= SIZE)).all()
    assert len(np.unique(found.rank)) > 400
    np.testing.assert_allclose(found.bits, np.log2(SIZE) - np.log2(found.rank))
