"""Which records come out of a generator: a brute-force oracle, planted copies, Chao's estimate."""

import numpy as np
import pytest

import byrote
from byrote import InvalidInput
from byrote.neighbors import distance_ratio, extracted_records, memorization_ratio
from byrote.stats.unseen import chao1

GENERATOR = np.random.default_rng(0)
TRAIN, FRESH = GENERATOR.normal(size=(2, 150, 8))
SAMPLES = np.concatenate([TRAIN[[3, 3, 3, 9, 9, 40]] + 0.02, GENERATOR.normal(size=(94, 8))])


def by_definition(samples, train, neighbors, alpha):
    """One sample at a time."""
    pairs = []
    for sample in samples:
        distances = np.sqrt(((train - sample) ** 2).sum(axis=1))
        row = int(distances.argmin())
        pairs.append((distances[row] / (alpha * np.sort(distances)[:neighbors].mean()), row))
    return np.array(pairs).T


@pytest.mark.parametrize(("neighbors", "alpha"), [(50, 0.5), (5, 0.8), (150, 0.5)])
def test_the_adaptive_distance_is_by_definition(neighbors, alpha):
    found = extracted_records(TRAIN, SAMPLES, neighbors=neighbors, alpha=alpha, threshold=0.7)
    distance, row = by_definition(SAMPLES, TRAIN, neighbors, alpha)
    np.testing.assert_allclose(found.distance, distance, rtol=1e-6)
    np.testing.assert_array_equal(found.record, row)
    expected = np.bincount(row[distance < 0.7].astype(int), minlength=150)
    np.testing.assert_array_equal(found.counts, expected)
    assert found.rate.value == (distance < 0.7).mean()


def test_the_memorization_ratio_is_the_share_nearer_than_a_third():
    found = memorization_ratio(TRAIN, SAMPLES, validation=FRESH)
    two = np.sort(np.linalg.norm(SAMPLES[:, None] - TRAIN, axis=2), axis=1)[:, :2]
    below = two[:, 0] / two[:, 1] < 1 / 3
    np.testing.assert_array_equal(found.distance < found.threshold, below)
    assert found.rate.value == below.mean() == 0.06
    assert found.rows.tolist() == [3, 9, 40]
    assert found.control.value == 0
    twins = np.concatenate([TRAIN, TRAIN])
    assert memorization_ratio(twins, SAMPLES).rate.value == 0


def test_planted_copies_are_found_and_held_out_records_are_not():
    found = extracted_records(TRAIN, SAMPLES, validation=FRESH)
    assert found.rows.tolist() == [3, 9, 40]
    assert found.counts[[3, 9, 40]].tolist() == [3, 2, 1]
    assert found.rate.value == 0.06
    assert found.control.value == 0
    assert found.rate.low > 0.02
    assert found.inside.value == 3.5
    text = " ".join(str(found).split())
    assert "3 of 150 training records come out in 100 samples" in text
    assert "0.00% [0.00%, 3.70%] of a held-out one" in text
    assert repr(found) == "ExtractedRecords(3 of 150 records in 100 samples)"


def test_a_generator_of_nothing_but_copies_gives_out_all_that_it_holds():
    rows = np.random.default_rng(1).choice(60, 100)  # 60 of its records are inside
    found = extracted_records(TRAIN, TRAIN[rows], validation=FRESH)
    assert (found.distance == 0).all()
    assert found.rate.value == 1
    assert found.inside.low < 60 < found.inside.high
    assert (distance_ratio(TRAIN[np.unique(rows)], FRESH[:100], TRAIN[rows]) == np.inf).all()


def test_images_of_bytes_and_equal_records():
    images = np.zeros((60, 4, 4), dtype=np.uint8)
    found = extracted_records(images, images[:3], neighbors=5)
    assert found.counts.tolist() == [3] + [0] * 59
    text = " ".join(str(found).split())
    assert "without a control" in text
    assert "hardly any was seen only once" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neighbors": 1}, "neighbors must be an integer of at least 2; got 1"),
        ({"neighbors": 200}, "train must hold at least neighbors=200 records; got 150"),
        ({"validation": FRESH[:9]}, "validation must hold at least neighbors=50 records; got 9"),
        ({"validation": FRESH[:, :3]}, "same shape as train"),
        ({"alpha": 0}, "alpha must be a number above 0; got 0"),
        ({"threshold": -1}, "threshold must be a number above 0; got -1"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        extracted_records(TRAIN, SAMPLES, **options)


@pytest.mark.parametrize(
    ("counts", "value"),
    [
        ([1] * 4 + [2] * 2 + [5], 7 + 16 / 4),
        ([1, 1, 1, 7], 4 + 3),  # nothing twice: bias-corrected
        ([2, 2, 3], 3),
        ([1, 5], 2),
    ],
)
def test_chao1_by_hand(counts, value):
    found = chao1([*counts, 0, 0])
    assert found.value == value
    if value > len(counts):
        assert len(counts) < found.low < value < found.high
    assert found.bound == "at least"


def test_the_interval_of_chao1_by_hand():
    """Of 7 kinds 4 once and 2 twice: 4 unseen with variance 2 (2^4 / 4 + 2^3 + 2^2 / 2) = 28."""
    found = chao1([1, 1, 1, 1, 2, 2, 5])
    spread = np.exp(1.959964 * np.sqrt(np.log(1 + 28 / 4**2)))
    assert found.interval == pytest.approx((7 + 4 / spread, 7 + 4 * spread))


def test_chao1_of_nothing_has_a_reason():
    assert chao1([0, 0]).reason == "nothing was seen"
    assert np.isnan(chao1([]).value)


def test_the_interval_of_chao1_covers_the_number_of_equally_likely_kinds():
    generator, covered = np.random.default_rng(2), 0
    for _ in range(200):
        counts = np.bincount(generator.choice(80, 100), minlength=80)
        found = chao1(counts)
        covered += found.low <= 80 <= found.high
    assert covered >= 180


def test_public_names():
    assert byrote.neighbors.extracted_records is extracted_records
