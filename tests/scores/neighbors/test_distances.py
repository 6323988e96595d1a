"""rho, C_T and authenticity against brute force, closed cases and scipy."""

import copy
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu, norm
from sklearn.cluster import KMeans

import byrote
from byrote.scores.neighbors.space import halved


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def ratio(train, validation, samples):
    train, validation, samples = (x.reshape(len(x), -1) for x in (train, validation, samples))
    return cdist(train, validation).min(axis=1) / cdist(train, samples).min(axis=1)


def test_ratio_as_brute_force():
    train, validation, samples = normal(501, 7), normal(83, 7, seed=1), normal(83, 7, seed=2)
    found = byrote.neighbors.distance_ratio(train, validation, samples)
    assert_allclose(found, ratio(train, validation, samples), rtol=1e-12)


def test_records_of_a_table_are_standardized_and_each_category_is_an_axis():
    def table(n, seed):
        job = np.random.default_rng(seed).choice(["clerk", "driver", "pilot"], n, p=[0.5, 0.3, 0.2])
        age, income = normal(2, n, seed=seed)
        return pd.DataFrame({"age": age, "income": 1000 * income, "job": job})

    frames = train, validation, samples = table(90, 1), table(60, 2), table(60, 3)
    numbers = train[["age", "income"]]
    rows = [
        np.column_stack(
            [
                (frame[numbers.columns] - numbers.mean()) / numbers.std(ddof=0),
                *(
                    np.where(frame["job"] == job, 0.5**0.5, 0)
                    for job in ("clerk", "driver", "pilot")
                ),
            ]
        )
        for frame in frames
    ]
    records = byrote.load(train)
    neighbors = byrote.neighbors
    found = neighbors.distance_ratio(records, byrote.load(validation), samples)
    assert_allclose(found, ratio(*rows), rtol=1e-9)
    sets = records, validation, samples
    of_table, of_rows = neighbors.copying_test(*sets), neighbors.copying_test(*rows)
    assert of_table.statistic == pytest.approx(of_rows.statistic)
    of_table, of_rows = (neighbors.extracted_records(each[0], each[2]) for each in (sets, rows))
    assert_allclose(of_table.distance, of_rows.distance, rtol=1e-9)
    assert neighbors.authenticity(records, samples) == neighbors.authenticity(rows[0], rows[2])
    with pytest.raises(byrote.InvalidInput, match="samples must have the columns of train"):
        neighbors.authenticity(records, samples[["age"]])
    with pytest.raises(byrote.InvalidInput, match=r"samples must have the columns \['age', 'in"):
        neighbors.authenticity(records, rows[2])


FORMS = {"records": byrote.load, "arrow": pa.Table.from_pandas, "frame": lambda frame: frame}


@pytest.mark.parametrize("others", FORMS)
@pytest.mark.parametrize("first", FORMS)
def test_a_table_is_the_same_in_every_form(first, others, monkeypatch):
    monkeypatch.setattr("byrote.scores.neighbors.compare_synthetic.DRAWS", 19)
    generator = np.random.default_rng(0)
    frames = [
        pd.DataFrame({"age": generator.normal(size=n), "job": generator.choice([*"xyz"], n)})
        for n in (50, 40, 30)
    ]
    given = [FORMS[first](frames[0]), *map(FORMS[others], frames[1:])]
    neighbors = byrote.neighbors
    assert_array_equal(neighbors.distance_ratio(*given), neighbors.distance_ratio(*frames))
    found, expected = neighbors.compare_synthetic(*given), neighbors.compare_synthetic(*frames)
    assert_array_equal(found.ratio, expected.ratio)
    assert_array_equal(found.ids, np.arange(50))
    assert found.description["space"] == "Gower's distance"


@pytest.mark.parametrize("seed", range(3))
def test_nothing_depends_on_units_order_of_columns_or_how_categories_are_written(seed):
    generator = np.random.default_rng(seed)
    frames = [
        pd.DataFrame(
            {
                "age": np.where(generator.random(n) < 0.1, np.nan, generator.normal(size=n)),
                "income": generator.lognormal(3, 1, n).round(1),
                "job": generator.choice([*"xyz"], n),
            }
        )
        for n in (80, 60, 70)
    ]
    frames[2].iloc[:9] = frames[0].iloc[:9].to_numpy()
    frames[2] = frames[2].astype(frames[0].dtypes)
    others = [
        frame.assign(
            age=frame["age"] * 1000 + 5,
            income=frame["income"] / 7,
            job=frame["job"].map({"x": "zoologist", "y": "actor", "z": "nurse"}),
        )[["job", "income", "age"]]
        for frame in frames
    ]

    def results(train, validation, samples):
        neighbors = byrote.neighbors
        extracted = neighbors.extracted_records(train, samples, neighbors=20)
        return [
            neighbors.distance_ratio(train, validation, samples),
            neighbors.copying_test(train, validation, samples).statistic,
            neighbors.authenticity(train, samples),
            extracted.distance,
            extracted.record,
        ]

    for found, expected in zip(results(*others), results(*frames), strict=True):
        assert_allclose(found, expected, rtol=1e-6)


def test_a_table_is_not_compared_with_rows_in_other_units():
    frame, rows = pd.DataFrame({"a": [1.0, 2.0, 4.0]}), np.zeros((3, 1))
    with pytest.raises(byrote.InvalidInput, match="train must be a data frame, as samples is"):
        byrote.neighbors.authenticity(rows, frame)
    with pytest.raises(byrote.InvalidInput, match="samples must be a data frame, as train is"):
        byrote.neighbors.authenticity(frame, rows)


def test_ratio_takes_every_record_from_its_own_place():
    """The authors' code took the distances of a batch from its first row."""
    train = np.arange(300.0)[:, None]
    validation, samples = np.array([[-3.0], [400.0]]), np.array([[-1.0], [1000.0]])
    expected = np.minimum(train[:, 0] + 3, 400 - train[:, 0]) / (train[:, 0] + 1)
    assert_allclose(
        byrote.neighbors.distance_ratio(train, validation, samples), expected, rtol=1e-12
    )


def test_planted_copy_and_isolated_record():
    train, validation, samples = normal(60, 5), normal(60, 5, seed=1), normal(60, 5, seed=2)
    samples[11] = train[4] + 1e-9
    samples[12] = train[5]
    train[6] = 1e4
    found = byrote.neighbors.distance_ratio(train, validation, samples)
    assert found[4] > 1e7
    assert np.isinf(found[5])
    assert abs(found[6] - 1) < 1e-3  # far from all, whichever the set
    assert found.argmax() == 5


def test_distances_of_zero_are_defined():
    train = np.array([[0.0], [1.0], [2.0], [3.0]])
    found = byrote.neighbors.distance_ratio(
        train, np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]])
    )
    assert found.tolist() == [1.0, 0.0, np.inf, 2.0]


@pytest.mark.parametrize("shape", [(8, 6), (8, 6, 3), (7, 5), (7, 6, 3), (1, 1), (1, 4, 1)])
def test_halved_images_are_means(shape):
    images = normal(4, *shape)
    expected = np.empty((4, (shape[0] + 1) // 2, (shape[1] + 1) // 2, *shape[2:]))
    for i, j in np.ndindex(expected.shape[1:3]):
        cell = images[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        expected[:, i, j] = cell.mean(axis=(1, 2))
    assert_allclose(halved(images), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("shape", [(8, 8), (7, 9, 3)])
def test_images_are_halved_unless_told(shape):
    sets = [normal(20, *shape, seed=seed) for seed in range(3)]
    assert_allclose(byrote.neighbors.distance_ratio(*sets), ratio(*map(halved, sets)), rtol=1e-12)
    assert_allclose(
        byrote.neighbors.distance_ratio(*sets, downsample=False), ratio(*sets), rtol=1e-12
    )


def test_stored_pixels_stand_for_fractions(tmp_path):
    generator = np.random.default_rng(0)
    stored = [generator.integers(0, 256, (30, 6, 6, 3)).astype(np.uint8) for _ in range(3)]
    single = [x / np.float32(255) for x in stored]
    found = byrote.neighbors.distance_ratio(stored[0], single[1], stored[2])
    assert_allclose(found, byrote.neighbors.distance_ratio(*single), rtol=1e-12)
    assert_allclose(found, byrote.neighbors.distance_ratio(*[x / 255 for x in stored]), rtol=1e-5)
    # an image in either form is the same image
    assert np.isinf(byrote.neighbors.distance_ratio(stored[0], stored[1], single[0])).all()
    assert np.isinf(byrote.neighbors.distance_ratio(stored[0], stored[1], stored[0] / 255)).all()
    np.save(tmp_path / "x.npy", stored[0])
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert_array_equal(
        byrote.neighbors.distance_ratio(mapped, *stored[1:]),
        byrote.neighbors.distance_ratio(*stored),
    )
    assert_allclose(
        byrote.neighbors.distance_ratio(*[x.reshape(30, -1) for x in stored]), ratio(*stored)
    )


def test_the_larger_set_is_cut():
    train, validation, samples = normal(40, 2), normal(300, 2, seed=1), normal(50, 2, seed=2)
    found = byrote.neighbors.distance_ratio(train, validation, samples, seed=3)
    top = found * cdist(train, samples).min(axis=1)
    assert all(np.isclose(cdist(train, validation), top[:, None]).any(axis=1))
    assert (top >= cdist(train, validation).min(axis=1) * (1 - 1e-12)).all()
    assert (top > cdist(train, validation).min(axis=1) * 1.01).mean() > 0.5
    assert_array_equal(found, byrote.neighbors.distance_ratio(train, validation, samples, seed=3))
    assert (found != byrote.neighbors.distance_ratio(train, validation, samples, seed=4)).any()
    turned = byrote.neighbors.distance_ratio(train, samples, validation, seed=3)
    assert_allclose(turned, 1 / found, rtol=1e-12)


def test_features_in_place_of_pixels():
    sets = [np.abs(normal(1100, 4, 4, seed=seed)) for seed in range(3)]

    def features(block):
        assert block.shape[1:] == (4, 4)
        return block.reshape(len(block), -1)[:, :5] ** 2

    found = byrote.neighbors.distance_ratio(*sets, features=features)
    assert_allclose(found, ratio(*map(features, sets)), rtol=1e-12)


def z_by_scipy(first, second):
    found = mannwhitneyu(first, second, use_continuity=False, method="asymptotic")
    return norm.isf(found.pvalue / 2) * np.sign(found.statistic - len(first) * len(second) / 2)


@pytest.mark.parametrize("decimals", [8, 1, 0])  # of the data: without ties, with some, with many
def test_one_cell_is_the_mann_whitney_z(decimals):
    train, test, samples = (np.round(normal(n, 2, seed=n), decimals) for n in (90, 70, 110))
    found = byrote.neighbors.copying_test(train, test, samples + 0.0, cells=1)
    expected = z_by_scipy(cdist(samples, train).min(axis=1), cdist(test, train).min(axis=1))
    assert_allclose(found.statistic, expected, rtol=1e-9, atol=1e-12)
    assert_allclose(found.p_value, norm.cdf(expected), rtol=1e-9)
    if decimals == 8:  # the formula of the paper
        far, near = cdist(samples, train).min(axis=1), cdist(test, train).min(axis=1)
        m, n = len(far), len(near)
        u = (far[:, None] > near).sum()
        z = (u - m * n / 2) / np.sqrt(m * n * (m + n + 1) / 12)
        assert_allclose(found.statistic, z, rtol=1e-12)


def test_cells_are_weighted_by_their_share_of_test_records():
    centres = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]])
    train = np.concatenate(
        [c + normal(n, 2, seed=n) for c, n in zip(centres, (50, 60, 70), strict=True)]
    )
    test = np.concatenate(
        [c + normal(n, 2, seed=n) for c, n in zip(centres, (30, 51, 40), strict=True)]
    )
    samples = np.concatenate(
        [c + normal(n, 2, seed=n) for c, n in zip(centres, (33, 44, 19), strict=True)]
    )
    found = byrote.neighbors.copying_test(train, test, samples, cells=3)
    means = KMeans(3, n_init=10, random_state=1).fit(train)  # far apart: any seed finds them
    cell = [means.predict(x) for x in (test, samples)]
    far, near = cdist(samples, train).min(axis=1), cdist(test, train).min(axis=1)
    z = [z_by_scipy(far[cell[1] == c], near[cell[0] == c]) for c in means.predict(centres)]
    expected = (30 * z[0] + 51 * z[1]) / 81  # the third cell has 19 samples: too few
    assert_allclose(found.statistic, expected, rtol=1e-9)
    assert_allclose(found.p_value, norm.cdf(expected * 81 / np.hypot(30, 51)), rtol=1e-9)
    assert sorted(found.train_count) == [50, 60, 70]
    assert dict(zip(found.test_count, found.sample_count, strict=True)) == {30: 33, 51: 44, 40: 19}
    assert np.isnan(found.z).sum() == 1


def test_copies_and_underfitting_lie_on_either_side_of_zero():
    train, test = normal(300, 3), normal(200, 3, seed=1)
    copies = byrote.neighbors.copying_test(train, test, train[:150] + 0.01)
    assert copies.statistic < -8
    assert copies.p_value < 1e-12
    wide = byrote.neighbors.copying_test(train, test, 3 * normal(200, 3, seed=2))
    assert wide.statistic > 5
    assert wide.p_value > 0.99
    few = byrote.neighbors.copying_test(train, test, test[:10])
    assert np.isnan([few.statistic, few.p_value]).all()


def test_p_values_of_the_copying_test_are_uniform():
    p = [
        byrote.neighbors.copying_test(*normal(3, 120, 2, seed=seed), cells=2).p_value
        for seed in range(100)
    ]
    # both sets meet the same training set, which was not chosen for either
    for level in (0.1, 0.5, 0.9):
        assert abs(np.mean(np.array(p) <= level) - level) < 3.5 * np.sqrt(level * (1 - level) / 100)


def test_equal_records_do_not_upset_the_partition():
    same = np.ones((40, 2))
    assert byrote.neighbors.copying_test(same, same, same, cells=3).statistic == 0


def test_authenticity_as_brute_force():
    train = np.concatenate([normal(80, 3), normal(80, 3)[:4]])
    samples = np.concatenate([normal(60, 3, seed=1), train[:30] + 0.01])
    to_train, between = cdist(samples, train), cdist(train, train)
    np.fill_diagonal(between, np.inf)
    near = to_train.argmin(axis=1)
    authentic = to_train.min(axis=1) > between.min(axis=1)[near]
    found = byrote.neighbors.authenticity(train, samples)
    assert found == authentic.mean()
    assert (found.authentic, found.samples) == (authentic.sum(), 90)
    assert isinstance(found, float)
    assert found.interval[0] < found < found.interval[1]
    for again in (copy.copy(found), pickle.loads(pickle.dumps(found))):
        assert (again, again.interval) == (found, found.interval)


def test_copies_are_not_authentic():
    train = normal(50, 3)
    assert byrote.neighbors.authenticity(train, train) == 0
    assert byrote.neighbors.authenticity(train, train + 100) == 1


SETS = {"train": normal(9, 4), "validation": normal(9, 4), "samples": normal(9, 4)}
BAD = [
    ("a path", {"train": "x.npy"}, "train must be an array or Records; got a path"),
    ("one dimension", {"samples": np.zeros(4)}, "samples must have shape"),
    ("no record", {"validation": np.zeros((0, 4))}, "validation must hold at least one record"),
    ("text", {"samples": np.array([["a"]])}, "samples must be numeric"),
    ("ragged", {"samples": [[1.0], [1.0, 2.0]]}, "samples must be a regular array"),
    ("another width", {"samples": np.zeros((9, 5))}, r"same shape as train, \(4,\); got \(5,\)"),
    ("not finite", {"validation": np.full((9, 4), np.nan)}, "validation must be finite; NaN"),
    ("a seed", {"seed": -1}, "seed must be an integer of at least 0"),
    ("few features", {"features": lambda x: x[:2]}, r"features must return numbers of shape \(9"),
    ("flat features", {"features": lambda x: x[:, 0]}, r"features must return numbers of shape"),
    ("NaN features", {"features": lambda x: x * np.nan}, "features must be finite"),
]


@pytest.mark.parametrize(("change", "message"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_input(change, message):
    with pytest.raises(byrote.InvalidInput, match=message):
        byrote.neighbors.distance_ratio(**{**SETS, **change})


@pytest.mark.parametrize(
    ("cells", "message"),
    [(0, "cells must be an integer of at least 1"), (10, "cells must be at most the 9")],
)
def test_bad_cells(cells, message):
    x = SETS["train"]
    with pytest.raises(byrote.InvalidInput, match=message):
        byrote.neighbors.copying_test(x, x, x, cells=cells)


def test_features_of_varying_width():
    widths = iter([2, 3])
    with pytest.raises(byrote.InvalidInput, match="number of features for every set; got 2 and"):
        byrote.neighbors.authenticity(*normal(2, 9, 4), features=lambda x: x[:, : next(widths)])


def test_one_training_record_has_no_neighbour():
    with pytest.raises(byrote.InvalidInput, match="at least two records"):
        byrote.neighbors.authenticity(np.zeros((1, 2)), np.zeros((3, 2)))
