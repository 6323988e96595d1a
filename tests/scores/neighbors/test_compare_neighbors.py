"""rho beside the scores of a run, and how far its mean can be trusted."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.neighbors import KernelDensity

import byrote


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


X = normal(60, 3)


@pytest.fixture(scope="module")
def scores():
    ids = np.array([f"r{i}" for i in range(60)])
    return byrote.score_memorization(KernelDensity(), X, plan=byrote.LeaveOneOut(), ids=ids)


@pytest.fixture(scope="module")
def compared(scores):
    samples = normal(47, 3, seed=2)
    samples[20], samples[31] = X[8], X[8]
    samples[5] = X[3] + 1e-6
    return byrote.neighbors.compare_neighbors(scores, X, normal(80, 3, seed=1), samples, cells=1)


def test_agrees_with_its_parts(scores, compared):
    samples = normal(47, 3, seed=2)
    samples[20], samples[31] = X[8], X[8]
    samples[5] = X[3] + 1e-6
    sets = X, normal(80, 3, seed=1), samples
    assert_array_equal(compared.ratio, byrote.neighbors.distance_ratio(*sets))
    assert_array_equal(compared.nearest_sample, cdist(X, samples).argmin(axis=1))
    assert_allclose(compared.distance_sample, cdist(X, samples).min(axis=1), rtol=1e-12)
    assert compared.copying.to_dict() == byrote.neighbors.copying_test(*sets, cells=1).to_dict()
    assert compared.authenticity == byrote.neighbors.authenticity(X, samples)
    by_ratio = byrote.neighbors.memorization_ratio(X, samples, validation=sets[1])
    assert compared.copies.rate == by_ratio.rate
    assert compared.copies.control == by_ratio.control
    assert_array_equal(compared.ids, scores.ids)
    expected = spearmanr(compared.ratio, scores.score).statistic
    assert_allclose(compared.correlation, expected, rtol=1e-12)
    apart = np.isfinite(compared.ratio)
    assert_allclose(compared.mean, compared.ratio[apart].mean(), rtol=1e-12)
    assert (compared.mean_ratio.left_out, compared.copied) == (1, 1)


def test_nearly_reproduced_records_come_first(compared):
    frame = compared.nearly_reproduced(3)
    assert frame.index.tolist()[:2] == [8, 3]
    assert frame["id"].tolist()[:2] == ["r8", "r3"]
    assert frame["nearest_sample"].tolist()[:2] == [20, 5]
    assert frame["ratio"].iloc[0] == np.inf
    assert frame["ratio"].iloc[1] > 1e4
    with pytest.raises(byrote.InvalidInput, match="count must be"):
        compared.nearly_reproduced(0)


def test_saved_and_loaded_it_is_the_same(compared, tmp_path):
    compared.save(tmp_path / "neighbors.parquet")
    again = byrote.neighbors.NeighborResult.load(tmp_path / "neighbors.parquet")
    assert again.to_frame().equals(compared.to_frame())
    assert repr(again.summary()) == repr(compared.summary())
    assert again.description == compared.description
    assert (again.mean_ratio, repr(again)) == (compared.mean_ratio, repr(compared))


def test_other_files_are_refused(scores, tmp_path):
    scores.save(tmp_path / "scores.parquet")
    with pytest.raises(byrote.CorruptFile, match="holds no nearest-neighbour"):
        byrote.neighbors.NeighborResult.load(tmp_path / "scores.parquet")
    with pytest.raises(byrote.InvalidInput, match="does not exist"):
        byrote.neighbors.NeighborResult.load(tmp_path / "nothing.parquet")
    with pytest.raises(byrote.InvalidInput, match="in a folder that exists"):
        byrote.neighbors.NeighborResult.save(None, tmp_path / "no" / "x.parquet")


def test_other_records_are_refused(scores):
    with pytest.raises(byrote.InvalidInput, match="the 60 records that were scored; got 59"):
        byrote.neighbors.compare_neighbors(scores, X[1:], X, X)
    with pytest.raises(byrote.InvalidInput, match="at least 61 records"):
        byrote.neighbors.compare_neighbors(scores, X, X, X, cells=61)


def test_all_samples_are_copies(scores):
    found = byrote.neighbors.compare_neighbors(scores, X, normal(60, 3, seed=1), X)
    assert found.copied == found.mean_ratio.left_out == 60
    assert np.isnan([found.mean, *found.mean_ratio.interval, found.mean_ratio.p_value]).all()
    assert np.isnan(found.correlation)
    assert found.authenticity == 0


def test_copies_in_part_raise_the_mean(scores):
    samples = normal(60, 3, seed=2)
    samples[::2] = X[::2] + 0.05
    found = byrote.neighbors.compare_neighbors(scores, X, normal(60, 3, seed=1), samples)
    assert found.mean_ratio.p_value < 0.01
    assert found.mean_ratio.interval[0] > found.mean_ratio.exchanged
