"""Exposure from log-perplexities: against brute force and scipy, and what must be refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import skewnorm

from byrote import Exposure, InvalidInput
from byrote.exposure import estimate_exposure, exposure_from_rank

COSTS = st.integers(0, 9).map(float)
MANY = skewnorm.rvs(-1.5, 30.0, 2.0, size=20_000, random_state=0)
TWO_HUMPS = np.concatenate([MANY, MANY + 15.0])
NAN, INF = float("nan"), float("inf")


@settings(max_examples=50)
@given(arrays(float, st.integers(1, 6), elements=COSTS), arrays(float, 7, elements=COSTS))
def test_sampled_counts_ties_against_exposure(canaries, references):
    found = estimate_exposure(canaries, references, ids=[f"c{i}" for i in range(len(canaries))])
    rank = np.array([1 + sum(r <= cost for r in references) for cost in canaries])
    np.testing.assert_array_equal(found.rank, rank)
    np.testing.assert_allclose(found.bits, np.log2(7 / rank), atol=1e-15)
    np.testing.assert_allclose(found.p_value, rank / 8)
    np.testing.assert_array_equal(found.saturated, rank == 1)
    np.testing.assert_array_equal(found.reason != "", rank == 1)
    np.testing.assert_array_equal(found.log_perplexity, canaries)
    assert found.ids.tolist() == [f"c{i}" for i in range(len(canaries))]
    assert np.isnan(found.maximum).all()


@settings(max_examples=50)
@given(arrays(float, st.integers(1, 30), elements=COSTS))
def test_exact_ranks_each_candidate_among_all(costs):
    found = estimate_exposure(costs, costs, method="exact", space_size=len(costs))
    rank = np.array([sum(other <= cost for other in costs) for cost in costs])
    np.testing.assert_array_equal(found.rank, rank)
    np.testing.assert_allclose(found.bits, np.log2(len(costs) / rank), atol=1e-12)
    np.testing.assert_array_equal(found.interval, np.stack([found.bits] * 2, axis=1))
    np.testing.assert_allclose(found.p_value, rank / len(costs))
    np.testing.assert_allclose(found.maximum, np.log2(len(costs)))
    assert not found.saturated.any()


@pytest.mark.parametrize("method", ["sampled", "skew_normal"])
def test_a_row_for_each_canary_is_each_alone(method):
    rows = MANY.reshape(10, 2000)
    canaries = np.linspace(20, 32, 10)
    together = estimate_exposure(canaries, rows, method=method)
    alone = [
        estimate_exposure(c, row, method=method) for c, row in zip(canaries, rows, strict=True)
    ]
    for name in ("bits", "low", "high", "p_value", "rank"):
        expected = [getattr(one, name)[0] for one in alone]
        np.testing.assert_array_equal(getattr(together, name), expected)
    assert together.fits == tuple(fit for one in alone for fit in one.fits)


def test_the_curve_reaches_where_scipys_still_does():
    canaries = np.array([31.0, 26.0, 22.0])
    found = estimate_exposure(canaries, MANY, method="skew_normal")
    theirs = skewnorm.fit(MANY)
    expected = -skewnorm.logcdf(canaries, *theirs) / np.log(2)
    np.testing.assert_allclose(found.bits, expected, rtol=1e-3)
    np.testing.assert_allclose(found.p_value, np.exp2(-expected), rtol=0.02)
    assert (found.low < found.bits).all()
    assert (found.bits < found.high).all()
    assert found.fits[0].accepted
    assert found.fits[0].ks == pytest.approx(
        np.abs(skewnorm.cdf(np.sort(MANY), *theirs) - (np.arange(20_000) + 0.5) / 20_000).max(),
        abs=1e-4,
    )
    assert list(found.fits[0].quantile_errors) == ["0.01", "0.001"]


def test_the_curve_agrees_with_counting_where_both_can_tell():
    canaries = np.quantile(MANY, [0.5, 0.1, 0.01])
    sampled = estimate_exposure(canaries, MANY)
    curve = estimate_exposure(canaries, MANY, method="skew_normal")
    np.testing.assert_allclose(sampled.bits, curve.bits, atol=0.15)


def test_exposure_far_out_is_finite_and_its_excess_is_said():
    found = estimate_exposure([0.0, -100.0, 30.0], MANY, method="skew_normal", space_size=10**9)
    assert np.isfinite(found.bits).all()
    assert found.bits[1] > found.bits[0] > found.maximum[0] > found.bits[2]
    assert [bool(reason) for reason in found.reason] == [True, True, False]
    assert not found.saturated.any()


def test_a_curve_that_does_not_fit_gives_no_number():
    found = estimate_exposure([10.0, 25.0], TWO_HUMPS, method="skew_normal", space_size=10**6)
    for values in (found.bits, found.low, found.high, found.p_value):
        assert np.isnan(values).all()
    assert all("Kolmogorov-Smirnov distance" in reason for reason in found.reason)
    assert found.summary().estimated == 0
    assert not found.fits[0].accepted
    np.testing.assert_array_equal(found.log_perplexity, [10.0, 25.0])


def test_a_curve_with_a_wrong_tail_gives_no_number():
    """Without their lowest 0.2 % the distance is small and a quantile far off."""
    cut = np.sort(MANY)[40:]
    curve = estimate_exposure(3.0, cut, method="skew_normal").fits[0]
    assert not curve.accepted
    assert "0.001 quantile" in curve.reason
    assert curve.ks < 0.02


def test_a_curve_whose_shape_diverges_gives_no_number():
    references = np.random.default_rng(0).exponential(size=2000)
    found = estimate_exposure(0.001, references, method="skew_normal")
    assert np.isnan(found.bits).all()
    assert found.reason.tolist() == ["the shape diverges"]


def test_equal_references_give_no_curve_and_can_be_saved(tmp_path):
    found = estimate_exposure(1.0, np.ones(1000), method="skew_normal")
    assert found.reason.tolist() == ["all references have the same log-perplexity"]
    found.save(tmp_path / "e.parquet")
    assert np.isnan(Exposure.load(tmp_path / "e.parquet").fits[0].ks)


def test_a_fitted_curve_comes_back(tmp_path):
    found = estimate_exposure([20.0, 10.0], MANY, method="skew_normal", level=0.8)
    found.save(tmp_path / "e.parquet")
    again = Exposure.load(tmp_path / "e.parquet")
    assert again.fits == found.fits
    np.testing.assert_array_equal(again.fits[0].exposure(found.log_perplexity), found.bits)
    assert again.to_frame().equals(found.to_frame())


def test_a_wider_level_is_a_wider_interval():
    for method in ("sampled", "skew_normal"):
        narrow = estimate_exposure(27.0, MANY, method=method, level=0.5)
        wide = estimate_exposure(27.0, MANY, method=method, level=0.99)
        assert wide.low < narrow.low <= narrow.bits <= narrow.high < wide.high


def test_ranks_of_any_shape_in_spaces_of_any_size():
    assert exposure_from_rank(4, 16) == 2.0
    assert isinstance(exposure_from_rank(rank=1, space_size=10**9), float)
    np.testing.assert_array_equal(
        exposure_from_rank([[1, 2**121], [2**60, 2**122]], 2**122), [[122, 1], [62, 0]]
    )
    np.testing.assert_array_equal(exposure_from_rank(np.array([1.0, 8.0]), 8), [3, 0])


REFUSED = {
    "canary NaN": ([NAN], [1.0], {}, "canary_bits must be finite; NaN in row 0"),
    "canary infinite": ([1.0, INF], [1.0], {}, "canary_bits must be finite; an infinite value"),
    "reference NaN": (1.0, [2.0, NAN], {}, "reference_bits must be finite; NaN in row 1"),
    "reference infinite": (1.0, [INF], {}, "reference_bits must be finite"),
    "no canary": ([], [1.0], {}, "canary_bits must be a number or (c,); got shape (0,)"),
    "canaries in a table": ([[1.0]], [1.0], {}, "canary_bits must be a number or (c,)"),
    "text": (["a"], [1.0], {}, "canary_bits must be real numbers; got <U1"),
    "ragged": (
        1.0,
        [[1.0], [1.0, 2.0]],
        {},
        "reference_bits must be a regular array; got ragged rows",
    ),
    "no reference": (1.0, [], {}, "reference_bits must hold at least one reference; got none"),
    "one number": (1.0, 2.0, {}, "reference_bits must be (N,)"),
    "rows": ([1.0, 2.0], [[1.0]] * 3, {}, "a row for each of 2; got shape (3, 1)"),
    "few": (1.0, MANY[:999], {"method": "skew_normal"}, "must hold 1,000 references or more"),
    "method": (1.0, [1.0], {"method": "skew-normal"}, "did you mean skew_normal?"),
    "level": (1.0, [1.0], {"level": 95}, "level must be a number between 0 and 1"),
    "size": (1.0, [1.0], {"space_size": 1e9}, "space_size must be an integer of at least 1"),
    "ids": ([1.0, 2.0], [1.0], {"ids": ["a"]}, "ids must be one for each of 2 canaries"),
    "ids twice": ([1.0, 2.0], [1.0], {"ids": ["a", "a"]}, "ids must all differ"),
    "not the space": (1.0, [1.0], {"method": "exact", "space_size": 2}, "must be the whole space"),
    "not in it": (1.5, [1.0, 2.0], {"method": "exact"}, "canary_bits must be among reference_bits"),
    "below it": (0.5, [1.0, 2.0], {"method": "exact"}, "got one in row 0 that is not"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input(case):
    canaries, references, options, fragment = REFUSED[case]
    with pytest.raises(InvalidInput) as caught:
        estimate_exposure(canaries, references, **options)
    assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("rank", "size", "fragment"),
    [
        (0, 10, "rank must be a whole number from 1 to space_size = 10; got 0"),
        (11, 10, "got 11"),
        (1.5, 10, "got 1.5"),
        (NAN, 10, "got nan"),
        ("1", 10, "got '1'"),
        (True, 10, "got True"),
        (1, 0, "space_size must be an integer of at least 1; got 0"),
    ],
)
def test_bad_ranks(rank, size, fragment):
    with pytest.raises(InvalidInput) as caught:
        exposure_from_rank(rank, size)
    assert fragment in str(caught.value)
