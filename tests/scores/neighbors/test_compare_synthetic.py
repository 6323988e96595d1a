"""One synthetic table, against brute force, permutations and planted copies."""

import importlib

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

import byrote
from byrote.errors import InvalidInput
from byrote.neighbors import SyntheticResult, compare_synthetic

MODULE = importlib.import_module("byrote.scores.neighbors.compare_synthetic")


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(MODULE, "DRAWS", 99)


def numbers(generator, n):
    return generator.normal(size=(n, 4))


def categories(generator, n):
    return pd.DataFrame(generator.integers(0, 3, (n, 4)).astype(str), columns=list("abcd"))


def test_counts_are_those_of_all_distances():
    generator = np.random.default_rng(0)
    train, holdout, synthetic = (generator.integers(0, 4, (n, 3)) for n in (30, 20, 50))
    result = compare_synthetic(train, holdout, synthetic)
    distances = cdist(synthetic, np.concatenate([train, holdout]))
    tied = distances <= distances.min(axis=1, keepdims=True)
    nearest = (tied / tied.sum(axis=1, keepdims=True)).sum(axis=0)
    assert np.allclose(result.nearest, nearest[:30])
    first, second = np.sort(distances, axis=1)[:, :2].T
    exact = (tied / tied.sum(axis=1, keepdims=True))[first == 0].sum(axis=0)
    assert np.allclose(result.exact_copies, exact[:30])
    copies = (tied / tied.sum(axis=1, keepdims=True))[first < second / 3].sum(axis=0)
    assert np.allclose(result.copies, copies[:30])
    part = result.attributions["nearest"]
    assert part.training + part.holdout == pytest.approx(50)
    assert part.share == pytest.approx(nearest[:30].sum() / 50)
    assert part.expected == 0.6
    assert result.description["divided"] == (tied.sum(axis=1) > 1).sum() > 0
    assert "each is divided among them" in " ".join(str(result).split())


def two_categories(generator, n):
    return pd.DataFrame(generator.integers(0, 9, (n, 2)).astype(str), columns=list("ab"))


@pytest.mark.parametrize("draw", [numbers, two_categories])
@pytest.mark.parametrize("sizes", [(150, 150), (270, 30), (30, 270)], ids=str)
def test_a_null_is_rejected_as_often_as_said(draw, sizes):
    p_values, found = {"nearest": [], "together": []}, 0
    for seed in range(30):
        generator = np.random.default_rng(seed)
        tables = [draw(generator, n) for n in (*sizes, 100)]
        result = compare_synthetic(*tables, seed=seed)
        p_values["nearest"].append(result.attributions["nearest"].p_value)
        p_values["together"].append(result.p_value_combined)
        found += len(result.found) > 0
    for p in p_values.values():
        assert (np.array(p) <= 0.05).sum() <= 6  # 1.5 expected
        assert 0.35 < np.mean(p) < 0.68
    assert found <= 3


@pytest.mark.parametrize("sizes", [(200, 200), (360, 40), (40, 360)], ids=str)
def test_copies_are_found_at_any_sizes_and_by_record(sizes):
    generator = np.random.default_rng(3)
    train, holdout, synthetic = (numbers(generator, n) for n in (*sizes, 300))
    synthetic[:90] = train[generator.integers(0, sizes[0], 90)] + 1e-6
    result = compare_synthetic(train, holdout, synthetic)
    part = result.attributions["nearest"]
    assert result.attributions["copies"].p_value < 0.05
    assert part.p_value < 0.05 or sizes == (360, 40)  # few are the holdout's
    assert part.excess.low <= 0.3 <= part.excess.high
    assert result.beyond_holdout >= min(20, result.needed)
    assert result.p_value_beyond < 0.05
    copied = np.flatnonzero(cdist(train, synthetic[:90]).min(axis=1) < 1e-5)
    if len(copied) >= result.needed:
        assert set(copied) <= set(result.found.tolist())
        assert len(result.found) <= 1.3 * len(copied)


@pytest.mark.parametrize("sizes", [(200, 200), (360, 40), (40, 360)], ids=str)
def test_copies_among_categories_are_found_where_rows_are_unlike(sizes):
    generator = np.random.default_rng(3)
    tables = [
        pd.DataFrame(generator.integers(0, 4, (n, 9)), columns=[*"abcdefghi"]).astype(str)
        for n in (*sizes, 300)
    ]
    tables[2].iloc[:90] = tables[0].iloc[generator.integers(0, sizes[0], 90)].to_numpy()
    result = compare_synthetic(*tables)
    assert result.p_value_combined <= 0.02
    assert result.attributions["exact_copies"].p_value <= 0.01
    assert result.attributions["nearest"].excess.low <= 0.3


def test_where_training_and_holdout_rows_are_equal_nothing_can_be_a_copy():
    frame = pd.DataFrame({"a": [*"xxyy"], "b": [*"uuvv"]})
    result = compare_synthetic(frame, frame, frame)
    assert result.p_value_combined > 0.4
    assert "training and holdout rows are equal" in str(result)


def test_what_does_not_occur_has_no_part_in_the_p_value_of_all_together():
    generator = np.random.default_rng(1)
    result = compare_synthetic(*(generator.normal(size=(n, 30)) for n in (40, 30, 20)))
    assert result.attributions["copies"].training + result.attributions["copies"].holdout == 0
    assert np.isnan(result.attributions["exact_copies"].p_value)
    assert result.p_value_combined == result.attributions["nearest"].p_value


def test_a_holdout_that_was_trained_on_is_named():
    generator = np.random.default_rng(6)
    train, synthetic = numbers(generator, 40), numbers(generator, 20)
    train[1] = train[0]
    holdout = np.concatenate([train[10:25], numbers(generator, 5)])
    result = compare_synthetic(train, holdout, synthetic)
    assert result.description["equal"] == {"train": 2, "holdout": 15}
    warning = "Equal to a training row: 15 of 20 holdout rows and 2 of 40 training rows"
    assert warning in " ".join(str(result).split())
    assert "Equal to" not in str(compare_synthetic(train, holdout[15:], synthetic))


def test_a_result_is_kept_and_says_what_it_needs(tmp_path):
    generator = np.random.default_rng(2)
    frames = [categories(generator, n).set_index(pd.RangeIndex(7, 7 + n)) for n in (60, 50, 40)]
    result = compare_synthetic(*frames)
    assert result.ids.tolist() == list(range(7, 67))
    result.save(tmp_path / "result.parquet")
    again = SyntheticResult.load(tmp_path / "result.parquet")
    assert again.attributions == result.attributions
    assert again.p_value_combined == result.p_value_combined
    assert np.array_equal(again.ratio, result.ratio)
    assert again.to_frame().equals(result.to_frame())
    assert result.needed == int(np.ceil(60 / 51 / 0.05))
    assert f"{result.needed} rows must be beyond all of the holdout" in " ".join(
        str(result).split()
    )


def test_scores_do_not_depend_on_units_order_of_columns_or_codes():
    generator = np.random.default_rng(3)
    frames = [
        categories(generator, n).assign(n=generator.normal(size=n), m=generator.normal(size=n))
        for n in (80, 70, 60)
    ]
    first = compare_synthetic(*frames)
    others = [
        frame[["m", "d", "a", "n", "c", "b"]].assign(n=frame["n"] * 1000, a=frame["a"] + " years")
        for frame in frames
    ]
    again = compare_synthetic(*others)
    assert np.allclose(again.ratio, first.ratio)
    assert np.allclose(again.nearest, first.nearest)


def test_records_are_taken_with_their_ids():
    x = np.random.default_rng(4).normal(size=(30, 2))
    records = byrote.Records(x[:10], ids=[f"r{i}" for i in range(10)])
    assert compare_synthetic(records, x[10:20], x[20:]).ids[0] == "r0"


FRAME = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [*"xyx"]})
EMPTY = pd.DataFrame({"a": [np.nan] * 3, "b": [*"xyx"]})
BAD = {
    "no values": ((FRAME, EMPTY, FRAME), "holdout: column 'a' must hold values; all are missing"),
    "one row": ((FRAME[:1], FRAME, FRAME), "two rows or more each; got 1 and 3"),
    "kinds": ((FRAME, FRAME, np.zeros((3, 2))), "synthetic must be a data frame, as train is"),
    "columns": ((FRAME, FRAME, FRAME[["a"]]), "synthetic must have the columns of train"),
    "width": (
        (np.zeros((4, 2)), np.zeros((4, 3)), np.zeros((4, 2))),
        "holdout must hold records of the same shape as train",
    ),
    "seed": ((FRAME, FRAME, FRAME), "seed must be"),
}


@pytest.mark.parametrize("case", BAD)
def test_tables_that_cannot_be_compared_are_refused(case):
    tables, message = BAD[case]
    with pytest.raises(InvalidInput, match="^[^\n]*$") as caught:
        compare_synthetic(*tables, seed=-1 if case == "seed" else 0)
    assert message in str(caught.value)
