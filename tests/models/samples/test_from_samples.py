"""Generators without a density: values by brute force, what is found, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from sklearn.mixture import GaussianMixture

import byrote
from byrote import KFold, Membership, Probes
from byrote.errors import InvalidInput
from byrote.models import FromSamples
from byrote.models.samples.space import space_of

from estimators import FrameCopies, NoisyCopies

DIGITS = byrote.load("digits").x.reshape(1797, -1)


@pytest.mark.parametrize(("samples", "k"), [(1, 1), (3, 1), (3, 4)])
def test_values_are_those_of_the_kth_nearest_sample(samples, k):
    x = np.random.default_rng(0).normal(size=(30, 3))
    model = FromSamples(GaussianMixture(2, random_state=1), samples, k).fit(x)
    drawn = GaussianMixture(2, random_state=1).fit(x).sample(30 * samples)[0]
    distance = np.sort(cdist(x, drawn), axis=1)[:, k - 1]
    assert np.allclose(model.score_samples(x), np.log(k / len(drawn)) - 3 * np.log(distance))
    assert np.array_equal(model.score_samples(x[:5]), model.score_samples(x)[:5])


def test_of_a_known_density_values_differ_by_one_constant():
    """In one dimension the estimate converges to log p + log 2 - digamma terms, at any place."""
    x = np.linspace(-1.5, 1.5, 7)[:, None]
    generator = np.random.default_rng(1)
    values = np.zeros(7)
    for seed in range(20):
        model = FromSamples(GaussianMixture(random_state=seed), samples=20, neighbors=50)
        values += model.fit(generator.normal(size=(2000, 1))).score_samples(x)
    error = values / 20 + x[:, 0] ** 2 / 2
    assert np.ptp(error) < 0.15


def test_a_copy_counts_as_half_the_smallest_step_of_the_records():
    x = np.array([[0.0, 3.0], [1.0, 3.5], [4.0, 9.0], [4.0, 3.0]])
    model = FromSamples(NoisyCopies(noise=0.0), samples=50).fit(x)
    assert np.allclose(model.score_samples(x), -np.log(200) - 2 * np.log(0.25))
    near = model.score_samples(x + np.array([1e-9, 0.0]))
    assert np.array_equal(near, model.score_samples(x))
    assert space_of(x=np.ones((3, 2))).resolution == 1.0


def small_digits(generator, samples, plan, **options):
    rows = np.random.default_rng(0).permutation(1797)[:600]
    return byrote.score_memorization(
        FromSamples(generator, samples=samples), DIGITS[rows], plan=plan, **options
    )


def test_copies_are_found_more_with_more_samples_and_ignorance_never():
    plan = Probes(100, fits=12)
    few, many = (small_digits(NoisyCopies(), n, plan, test="exact") for n in (1, 5))
    found = [int((result.q_value <= 0.05).sum()) for result in (few, many)]
    assert found[0] < found[1]
    assert found[1] > 60
    ignorant = [
        small_digits(NoisyCopies(ignores=True), 2, plan, seed=seed, test=test)
        for seed in range(3)
        for test in ("exact", "moderated")
    ]
    assert [int((result.q_value <= 0.05).sum()) for result in ignorant] == [0] * 6


@pytest.mark.parametrize(
    "plan",
    [
        KFold(3, repeats=2),
        byrote.LeaveOneOut(),
        byrote.Subset(fraction=0.5, fits=8),
        Probes(10, fits=6),
        Probes(10, fits=6, pairs=True),
        Membership(np.random.default_rng(0).random((8, 40)) < 0.5),
    ],
    ids=lambda plan: type(plan).__name__,
)
def test_every_plan_takes_a_generator(plan):
    x = np.random.default_rng(2).normal(size=(40, 3))
    result = byrote.score_memorization(FromSamples(NoisyCopies(0.01), samples=3), x, plan=plan)
    scored = result.mean_log[~np.isnan(result.mean_log)]
    assert len(scored)
    assert scored.mean() > 1
    assert "statistic" in result.description["model"]


def table(n, seed=0):
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": generator.integers(18, 90, n),
            "income": np.where(generator.random(n) < 0.1, np.nan, generator.lognormal(10, 1, n)),
            "town": generator.choice([*"abcd"], n),
        }
    )


def test_a_frame_reaches_the_generator_as_it_was_and_scores_do_not_depend_on_units():
    frame = table(120)
    frame.loc[7] = [400, 9e6, "z"]
    plan = Probes([7, *range(20, 40)], fits=8)
    first = byrote.score_memorization(FromSamples(FrameCopies(0.5)), frame, plan=plan)
    assert first.mean_log[7] == np.nanmax(first.mean_log)
    other = frame.assign(income=frame["income"] * 1000, town=frame["town"].str.upper())
    again = byrote.score_memorization(
        FromSamples(FrameCopies(0.5)), other[["town", "income", "age"]], plan=plan
    )
    assert np.allclose(again.mean_log[7], first.mean_log[7], rtol=0.2)
    same = byrote.score_memorization(FromSamples(FrameCopies(0.5)), other[frame.columns], plan=plan)
    assert np.allclose(same.mean_log, first.mean_log, atol=1e-6, equal_nan=True)
    text = str(first)
    assert "nearest-sample estimate" in text
    assert "log p" not in text
    assert "log-likelihood" not in text


def test_the_index_of_a_frame_becomes_the_ids():
    frame = table(30).set_index(pd.Index([f"row {i}" for i in range(30)]))
    result = byrote.score_memorization(FromSamples(FrameCopies()), frame, plan=KFold(2, repeats=1))
    assert result.ids.tolist() == frame.index.tolist()


def test_ranges_and_categories_stay_out_of_the_run_folder(tmp_path):
    frame = table(40).assign(town=["Secretown", "Otherplace"] * 20)
    frame.loc[3, "age"] = 4711
    plan = KFold(2, repeats=1)
    byrote.score_memorization(FromSamples(FrameCopies()), frame, plan=plan, out=tmp_path / "run")
    content = b"".join(p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file())
    assert b"Secretown" not in content
    assert b"4711" not in (tmp_path / "run" / "run.json").read_bytes()
    byrote.score_memorization(FromSamples(FrameCopies()), frame, plan=plan, out=tmp_path / "run")
    with pytest.raises(byrote.RunMismatch, match="samples 5 there, 2 here"):
        byrote.score_memorization(
            FromSamples(FrameCopies(), samples=2), frame, plan=plan, out=tmp_path / "run"
        )


class Returns:
    """A generator that gives out what it is told."""

    def __init__(self, samples):
        self.samples = samples

    def fit(self, X):
        pass

    def sample(self, n):
        return self.samples(n)


BAD = {
    "class": (
        lambda x: FromSamples(NoisyCopies).fit(x),
        "generator must have fit(X) and sample(n)",
    ),
    "no sample": (
        lambda x: FromSamples(object()).fit(x),
        "generator must have fit(X) and sample(n)",
    ),
    "samples": (lambda x: FromSamples(NoisyCopies(), samples=0).fit(x), "samples must be"),
    "neighbors": (lambda x: FromSamples(NoisyCopies(), neighbors=0).fit(x), "neighbors must be"),
    "space": (lambda x: FromSamples(NoisyCopies(), space="gower").fit(x), "space must be a Space"),
    "columns": (
        lambda x: FromSamples(NoisyCopies()).fit(x).score_samples(x[:, :2]),
        "X must have 3 columns; got 2",
    ),
    "too few": (
        lambda x: FromSamples(Returns(lambda n: np.zeros((n - 1, 3)))).fit(x).score_samples(x),
        "Returns.sample(100) must give 100 records of shape (3,)",
    ),
    "NaN": (
        lambda x: FromSamples(Returns(lambda n: np.full((n, 3), np.nan))).fit(x).score_samples(x),
        "must be finite",
    ),
    "not a frame": (
        lambda x: FromSamples(Returns(lambda n: np.zeros((n, 2)))).fit(table(20)).sample(4),
        "sample(4) must give a data frame of 4 rows, or an array of the 3 columns; got ndarray",
    ),
    "another frame": (
        lambda x: (
            FromSamples(Returns(lambda n: table(n)[["age"]])).fit(table(20)).score_samples(table(5))
        ),
        "samples must have a column 'income'; got none",
    ),
    "text for numbers": (
        lambda x: (
            FromSamples(Returns(lambda n: table(n).assign(age="old")))
            .fit(table(20))
            .score_samples(table(5))
        ),
        "samples must hold numbers where the records do",
    ),
    "array for a frame": (
        lambda x: FromSamples(FrameCopies()).fit(table(20)).score_samples(np.zeros((2, 9))),
        "X must",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_has_no_samples_to_compare_is_refused_in_one_sentence(case):
    call, message = BAD[case]
    with pytest.raises(InvalidInput, match="^[^\n]*$") as caught:
        call(np.random.default_rng(0).normal(size=(20, 3)))
    assert message in str(caught.value)


def test_a_column_that_outweighs_the_others_is_warned_of():
    x = np.random.default_rng(0).normal(size=(40, 3)) * [1, 1, 1e4]
    plan = KFold(2, repeats=1)
    with pytest.warns(UserWarning, match="Euclidean distances see little else"):
        byrote.score_memorization(FromSamples(NoisyCopies()), x, plan=plan)
