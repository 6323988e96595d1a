"""Near-duplicates beside the scores: planted ones are found, by brute force nearest."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.neighbors import KernelDensity

import byrote
from byrote.errors import CorruptFile, InvalidInput
from byrote.scores.neighbors.exact_copies import copies_of
from byrote.scores.neighbors.near_duplicates import Kind


@cache
def run_of(n):
    x = np.random.default_rng(0).normal(size=(n, 1))
    return byrote.score_memorization(KernelDensity(), x, plan=byrote.KFold(2, repeats=1))


def scored(n, **changes):
    """Scores of n records, of which only ids and M matter here."""
    return replace(run_of(n), ids=np.array([f"r{row}" for row in range(n)]), **changes)


def blurred(count, side, seed=0):
    """Smooth grey images of bytes, as unlike each other as photographs are."""
    generator = np.random.default_rng(seed)
    coarse = generator.random((count, 5, 5))
    image = coarse.repeat(side // 5, axis=1).repeat(side // 5, axis=2)
    return np.clip(40 + 160 * image + generator.normal(size=image.shape), 0, 255).astype(np.uint8)


def test_nearest_others_and_distances_are_those_of_brute_force():
    x = np.random.default_rng(1).normal(size=(150, 4)) + 1e4
    x[9] = x[2]
    found = byrote.neighbors.near_duplicates(scored(150), x)
    distances = cdist(x, x)
    np.fill_diagonal(distances, np.inf)
    assert found.neighbor.tolist() == distances.argmin(axis=1).tolist()
    assert np.allclose(found.distance, distances.min(axis=1), rtol=1e-9)
    assert found.order().tolist() == [2, 9]


def test_copies_and_near_copies_are_told_and_no_others():
    generator = np.random.default_rng(2)
    x = generator.normal(size=(300, 6))
    x[[50, 60]] = x[40]
    x[100] = x[90] + 1e-4 * generator.normal(size=6)
    x[200:203] = x[210] + 1e-4 * generator.normal(size=(3, 6))
    found = byrote.neighbors.near_duplicates(scored(300), x)
    assert np.flatnonzero(found.kind == Kind.COPY).tolist() == [40, 50, 60]
    assert np.flatnonzero(found.kind == Kind.NEAR).tolist() == [90, 100, 200, 201, 202, 210]
    assert found.neighbor[[40, 50, 60, 90, 100]].tolist() == [50, 40, 40, 100, 90]
    assert found.q_value[[40, 50, 60]].tolist() == [0, 0, 0]
    assert (found.q_value[~found.hidden] > 0.01).all()


def test_a_crowd_of_copies_does_not_shadow_near_copies():
    """Thirty equal records would fill the neighbourhood of a near copy of theirs."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=(300, 5))
    x[:30] = x[0]
    x[30] = x[0] + 1e-5
    found = byrote.neighbors.near_duplicates(scored(300), x)
    assert np.flatnonzero(found.hidden).tolist() == list(range(31))
    assert (found.kind[30], found.neighbor[30]) == (Kind.NEAR, 0)
    assert found.description["different"] == 271


@pytest.mark.parametrize("factor", [0.6, 0.8, 1.0])
@pytest.mark.parametrize("shift", [-30, 0, 40])
def test_images_of_another_brightness_or_contrast_are_not_passed_over(factor, shift):
    x = blurred(200, 20)
    x[8] = np.clip(factor * x[5].astype(float) + shift, 0, 255).round().astype(np.uint8)
    found = byrote.neighbors.near_duplicates(scored(200), x)
    assert np.flatnonzero(found.hidden).tolist() == [5, 8]
    assert (found.neighbor[5], found.neighbor[8]) == (8, 5)
    pixels = (x / 255).reshape(200, -1)
    assert found.distance[5] == pytest.approx(np.linalg.norm(pixels[5] - pixels[8]), rel=1e-5)
    kinds = set(found.kind[[5, 8]].tolist())
    assert kinds == ({Kind.COPY} if (factor, shift) == (1.0, 0) else kinds - {Kind.COPY})


def test_a_strong_shift_is_named_for_what_it_is_and_colours_too():
    grey = blurred(200, 20)
    colour = np.stack([grey, grey[:, ::-1], grey[:, :, ::-1]], axis=-1)
    for x in (grey, colour):
        x[8] = np.clip(0.5 * x[5].astype(float) + 100, 0, 255).round().astype(np.uint8)
        found = byrote.neighbors.near_duplicates(scored(200), x)
        assert found.kind[[5, 8]].tolist() == [Kind.BRIGHTNESS] * 2
        assert found.summary()["near_but_for_brightness"] == 2


def test_images_unlike_each_other_have_no_near_copies_and_flat_ones_do_no_harm():
    x = blurred(300, 20, seed=5)
    assert not byrote.neighbors.near_duplicates(scored(300), x).hidden.any()
    x[7] = 128
    assert not byrote.neighbors.near_duplicates(scored(300), x).hidden.any()


def test_the_digits_have_none():
    x = byrote.load("digits")
    assert not byrote.neighbors.near_duplicates(scored(len(x)), x).hidden.any()


def test_features_take_the_place_of_pixels():
    x = blurred(200, 20)
    x[8] = x[5][:, ::-1]  # mirrored
    plain = byrote.neighbors.near_duplicates(scored(200), x)
    assert not plain.hidden.any()

    def symmetric(block):
        both = block + block[:, :, ::-1]
        return both.reshape(len(block), -1)

    found = byrote.neighbors.near_duplicates(scored(200), x, features=symmetric)
    assert np.flatnonzero(found.hidden).tolist() == [5, 8]
    assert "symmetric" in found.description["space"]


UNJUDGED = {
    "few records": (np.random.default_rng(0).normal(size=(39, 3)), "fewer than 40 different"),
    "few different": (np.arange(200.0)[:, None] % 30, "fewer than 40 different"),
    "categories": (
        np.eye(40)[np.random.default_rng(1).integers(0, 40, (300, 4))].reshape(300, -1),
        "too few different values",
    ),
    "one": (np.zeros((2, 3)), "fewer than 40 different"),
}


@pytest.mark.parametrize("case", UNJUDGED)
def test_where_nearness_cannot_be_judged_copies_alone_are_told(case):
    x, reason = UNJUDGED[case]
    found = byrote.neighbors.near_duplicates(scored(len(x)), x)
    assert reason in found.unjudged
    equal = (x[:, None] == x[None]).all(axis=2).sum(axis=1) > 1
    assert found.hidden.tolist() == equal.tolist()
    assert np.isnan(found.q_value[~equal]).all()


def test_scores_of_those_with_a_near_copy_stand_beside_the_others():
    x = np.random.default_rng(4).normal(size=(100, 3))
    x[1], x[3] = x[0], x[2]
    score = np.arange(100.0)
    score[[2, 99]] = np.nan
    summary = byrote.neighbors.near_duplicates(scored(100, score=score), x).summary()
    assert (summary["hidden"], summary["hidden_scored"], summary["copies"]) == (4, 3, 4)
    assert summary["median_score_hidden"] == 1.0
    assert summary["median_score_others"] == np.nanmedian(np.r_[score[4:]])


def test_what_is_saved_comes_back(tmp_path):
    x = blurred(100, 10)
    x[3] = x[2]
    found = byrote.neighbors.near_duplicates(scored(100), x)
    found.save(tmp_path / "near.parquet")
    again = byrote.neighbors.NearDuplicates.load(tmp_path / "near.parquet")
    assert again.to_frame().equals(found.to_frame())
    assert (again.description, again.unjudged) == (found.description, "")
    assert found.to_frame()["nearest"][3] == "r2"
    scored(20).save(tmp_path / "other.parquet")
    with pytest.raises(CorruptFile, match="holds no near-duplicates"):
        byrote.neighbors.NearDuplicates.load(tmp_path / "other.parquet")


def test_records_must_be_those_that_were_scored():
    with pytest.raises(InvalidInput, match="must be the 10 records that were scored; got 9"):
        byrote.neighbors.near_duplicates(scored(10), np.zeros((9, 2)))
    with pytest.raises(InvalidInput, match="train must be finite"):
        byrote.neighbors.near_duplicates(scored(2), np.array([[np.nan], [1.0]]))


@pytest.mark.parametrize("dtype", ["uint8", "float32", ">f4", "float64", "int64"])
def test_copies_are_equal_records_of_any_type(dtype, tmp_path):
    x = np.random.default_rng(7).integers(0, 3, (3000, 4)).astype(dtype)
    if dtype == "float64":
        x[x[:, 0] == 0, 0] *= -1.0  # -0.0
    np.save(tmp_path / "x.npy", x)
    found = copies_of(np.load(tmp_path / "x.npy", mmap_mode="r"))
    seen = {}
    for row, record in enumerate(map(tuple, x.tolist())):
        seen.setdefault(record, []).append(row)
    assert found.first.tolist() == [rows[0] for rows in seen.values()]
    for number, rows in enumerate(seen.values()):
        assert (found.group[rows] == number).all()
        others = [rows[0]] * len(rows)
        others[0] = rows[1] if len(rows) > 1 else -1
        assert found.other[rows].tolist() == others
