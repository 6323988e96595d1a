"""Batches: each record in each with the same probability, independently; or once an epoch."""

import numpy as np
from scipy import stats

from byrote.models.privacy.accountants import NoiseSchedule
from byrote.models.privacy.dp_sgd import draw_batches

RECORDS, PER_EPOCH, EPOCHS = 12, 4, 4000


def table(sampling):
    """(epochs, batches, records) who was where."""
    schedule = NoiseSchedule(1.0, 1 / PER_EPOCH, PER_EPOCH * EPOCHS, RECORDS, EPOCHS)
    generator = np.random.default_rng(0)
    present = np.zeros((EPOCHS, PER_EPOCH, RECORDS), dtype=int)
    for epoch in range(EPOCHS):
        for number, rows in enumerate(draw_batches(schedule, sampling, generator)):
            np.add.at(present, (epoch, number, rows), 1)
    return present


def test_poisson_is_a_coin_for_each_record_and_batch():
    present = table("poisson")
    assert present.max() == 1
    sizes = np.bincount(present.sum(axis=2).ravel(), minlength=RECORDS + 1)
    expected = stats.binom.pmf(np.arange(RECORDS + 1), RECORDS, 1 / PER_EPOCH) * sizes.sum()
    assert sizes[0] > 0
    some = expected > 5
    assert (
        stats.chisquare(sizes[some], expected[some] * sizes[some].sum() / expected[some].sum())[1]
        > 1e-3
    )
    flat = present.reshape(EPOCHS, -1)
    correlations = np.corrcoef(flat.T)[np.triu_indices(flat.shape[1], 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(EPOCHS)
    assert np.abs(flat.mean(axis=0) - 1 / PER_EPOCH).max() < 5 * np.sqrt(0.25 * 0.75 / EPOCHS)


def test_shuffled_puts_each_record_into_one_batch_whatever_the_others_do():
    present = table("shuffled")
    assert (present.sum(axis=1) == 1).all()
    where = present.argmax(axis=1)
    correlations = np.corrcoef(where.T)[np.triu_indices(RECORDS, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(EPOCHS)  # batches of one size would compete
    assert (present.sum(axis=2) == 0).any()
    counts = np.bincount(where.ravel(), minlength=PER_EPOCH)
    assert stats.chisquare(counts)[1] > 1e-3


def test_the_seed_decides():
    schedule = NoiseSchedule(1.0, 0.25, 4, 40, 1)
    for sampling in ("poisson", "shuffled"):
        one, other = (draw_batches(schedule, sampling, np.random.default_rng(3)) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
