"""Attribute disclosure: guesses by brute force, and what training discloses."""

import numpy as np
import pandas as pd
import pytest

import byrote
from byrote import KFold, Probes
from byrote.errors import InvalidInput
from byrote.models.samples.guess_from_samples import GuessFromSamples
from byrote.privacy import AttributeDisclosure, attribute_disclosure

from estimators import FrameCopies


def table(n, seed=0):
    generator = np.random.default_rng(seed)
    age = generator.normal(size=n)
    ill = np.where(age + generator.normal(size=n) > 0, "yes", "no")
    town = generator.choice([*"abc"], n)
    return pd.DataFrame({"age": age, "town": town, "ill": ill, "dose": age + 1})


@pytest.mark.parametrize("secret", ["ill", "dose"])
def test_the_guess_is_the_secret_of_the_nearest_samples(secret):
    frame = table(25)[["town", secret]]  # towns alone: many samples at the same distance
    model, _ = GuessFromSamples(FrameCopies(), secret, samples=2).prepared(frame)
    np.random.seed(3)  # noqa: NPY002
    quality = model.fit(frame).score_samples(frame)
    np.random.seed(3)  # noqa: NPY002
    generator = FrameCopies()
    generator.fit(frame)
    drawn = generator.sample(50)
    span = np.ptp(frame["dose"]) if secret == "dose" else 1
    for row, value in zip(frame.itertuples(), quality, strict=True):
        guesses = drawn.loc[drawn["town"] == row.town, secret]
        truth = getattr(row, secret)
        right = guesses == truth if secret == "ill" else 1 - (guesses - truth).abs() / span
        assert value == pytest.approx(right.mean())


def test_what_is_known_of_the_population_is_no_disclosure():
    intervals = []
    for seed in range(6):
        result = attribute_disclosure(
            FrameCopies(0.0), table(80, seed), secret="ill", plan=Probes(30, fits=8), seed=seed
        )
        assert len(result.found) == 0
        intervals.append(result.mean.interval)
    low, high = np.transpose(intervals)
    assert ((low > 0) | (high < 0)).sum() <= 2


def test_copies_disclose_by_record_and_on_average(tmp_path):
    frame = table(150).set_index(pd.Index([f"p{i}" for i in range(150)]))
    result = attribute_disclosure(
        FrameCopies(0.5), frame, secret="ill", plan=Probes(60, fits=12), out=tmp_path / "run"
    )
    assert result.mean.low > 0.1
    assert len(result.found) > 5
    assert set(result.found) <= set(frame.index)
    scored = ~np.isnan(result.advantage)
    assert scored.sum() == 60
    assert np.allclose(
        result.advantage[scored], (result.quality_in - result.quality_out)[scored], atol=1e-12
    )
    summary = result.summary()
    assert summary["advantage"]["value"] == pytest.approx(np.nanmean(result.advantage))
    assert "quality of the guess" in str(byrote.open_run(tmp_path / "run").memorization())
    result.save(tmp_path / "d.parquet")
    again = AttributeDisclosure.load(tmp_path / "d.parquet")
    assert again.mean == result.mean
    assert np.array_equal(again.interval, result.interval, equal_nan=True)


BAD = {
    "array": (np.zeros((9, 2)), "age", "whose columns have names; got an array"),
    "column": (table(9), "il", "secret must be a column; got 'il', did you mean ill?"),
    "alone": (table(9)[["age"]], "age", "X must have columns to guess the secret from"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_has_no_secret_to_guess_is_refused(case):
    data, secret, message = BAD[case]
    with pytest.raises(InvalidInput, match="^[^\n]*$") as caught:
        attribute_disclosure(FrameCopies(), data, secret=secret, plan=KFold(2, repeats=1))
    assert message in str(caught.value)
