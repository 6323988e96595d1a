"""Scores of tables: densities in their units, and no trace of units, order or spelling."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.preprocessing import StandardScaler

import byrote
from byrote.errors import InvalidInput
from byrote.models import DP, VAE, Diffusion, FromSamples

from estimators import FrameCopies

N = 60
MATRIX = np.random.default_rng(5).random((8, N)) < 0.5
SMALL = {"latent_dim": 2, "hidden": (8,), "epochs": 3, "draws": 8}


def people(n=N, seed=0):
    generator = np.random.default_rng(seed)
    age = generator.integers(18, 80, n).astype(float)
    job = generator.choice(["clerk", "nurse", "smith"], n, p=[0.5, 0.3, 0.2])
    frame = pd.DataFrame({"age": age, "income": generator.lognormal(10, 0.5, n), "job": job})
    frame.loc[[3, 9, 20], "income"] = np.nan
    return frame


NUMBERS = people()[["age", "income"]].fillna(2e4)
MODELS = {
    "kde": KernelDensity(bandwidth=0.4, leaf_size=100),
    "gmm": GaussianMixture(1),
    "vae": VAE(**SMALL),
    "diffusion": Diffusion(hidden=(8,), epochs=2, levels=24),
}


def table(model, X, membership=MATRIX, **options):
    """Log-likelihoods of a run, fits x records."""
    folder = options.pop("out")
    byrote.score_memorization(model, X, plan=byrote.Membership(membership), out=folder, **options)
    return byrote.open_run(folder).table().log_prob


def test_log_p_of_a_standardized_table_is_that_of_sklearn_in_its_units(tmp_path):
    model = KernelDensity(bandwidth=0.4)
    found = table(model, NUMBERS, out=tmp_path / "run")
    scaler = StandardScaler().fit(NUMBERS.to_numpy())
    for fit, included in enumerate(MATRIX):
        centres, widths = NUMBERS.to_numpy()[included], 0.4 * scaler.scale_
        densities = stats.norm.pdf(NUMBERS.to_numpy()[:, None], centres, widths).prod(-1).mean(1)
        np.testing.assert_allclose(found[fit], np.log(densities), rtol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_units_shift_log_p_and_change_no_score(name, tmp_path):
    before = table(MODELS[name], NUMBERS, out=tmp_path / "a")
    after = table(MODELS[name], NUMBERS * [7, 1000], out=tmp_path / "b")
    np.testing.assert_allclose(after, before - np.log(7000), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["kde", "gmm"])
def test_the_order_of_columns_and_rows_changes_no_score(name, tmp_path):
    before = table(MODELS[name], NUMBERS, out=tmp_path / "a")
    order = np.random.default_rng(1).permutation(N)
    shuffled = NUMBERS[["income", "age"]].iloc[order]
    after = table(MODELS[name], shuffled, MATRIX[:, order], out=tmp_path / "b")
    np.testing.assert_allclose(after, before[:, order], rtol=1e-5)


def test_how_categories_are_written_and_units_of_numbers_with_gaps_change_no_score(tmp_path):
    frame = people()
    before = table(VAE(**SMALL), frame, out=tmp_path / "a")
    frame["job"] = frame["job"].map({"clerk": "z", "nurse": "a", "smith": "m"})
    frame["income"] *= 1000
    after = table(VAE(**SMALL), frame, out=tmp_path / "b")
    shift = np.where(frame["income"].isna(), 0, np.log(1000))
    np.testing.assert_allclose(after, before - shift, rtol=1e-4, atol=1e-4)


def test_a_planted_outlier_of_a_mixed_table_stands_out_by_nats_not_by_thousands():
    frame = people(120)
    frame.loc[7] = [99, 900_000.0, "astronaut"]
    model = VAE(latent_dim=2, hidden=(32,), epochs=100, batch_size=16, draws=8)
    plan = byrote.Probes([7, *range(20, 50)], fits=8)
    result = byrote.score_memorization(model, frame, plan=plan)
    others = result.score[20:50]
    assert 5 < result.score[7] < 500
    assert result.score[7] > 3 * others.max()


def test_frames_of_other_libraries_and_files_are_the_same_records(tmp_path):
    frame = people()
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    records = byrote.load(frame)
    for source in (tmp_path / "t.csv", tmp_path / "t.parquet", pa.table(frame)):
        other = byrote.load(source)
        np.testing.assert_array_equal(other.x, records.x)
        assert other.columns.kinds == records.columns.kinds == ("number", "number?", 3)
        pd.testing.assert_frame_equal(other.frame(), frame, check_dtype=False)


def test_samples_of_a_kept_model_are_in_the_units_of_the_table(tmp_path):
    NUMBERS.to_csv(tmp_path / "t.csv", index=False)
    records = byrote.load(tmp_path / "t.csv")
    options = {"plan": byrote.KFold(2, repeats=1), "keep_models": "release"}
    byrote.score_memorization(GaussianMixture(1), records, out=tmp_path / "run", **options)
    drawn = byrote.open_run(tmp_path / "run").sample(2000)
    np.testing.assert_allclose(drawn.mean(axis=0), NUMBERS.mean(), rtol=0.1)


def test_a_generator_gets_the_frame_of_a_file_as_it_was(tmp_path):
    frame = people()
    frame.to_csv(tmp_path / "t.csv", index=False)
    model = FromSamples(FrameCopies(), samples=2)
    before = table(model, frame, out=tmp_path / "a", seed=1)
    after = table(model, byrote.load(tmp_path / "t.csv"), out=tmp_path / "b", seed=1)
    np.testing.assert_array_equal(before, after)


REFUSED = {
    "categories": (KernelDensity(), people()[["age", "job"]], {}, "column 'job' holds categories"),
    "gaps": (GaussianMixture(1), people()[["age", "income"]], {}, "column 'income' lacks values"),
    "gaussian": (VAE(likelihood="gaussian"), people(), {}, "VAE has no density"),
    "dp": (VAE(dp=DP(target_epsilon=1.0, delta=1e-5)), NUMBERS, {}, "dp must be None with"),
    "dp, standardized": (
        VAE(likelihood="gaussian", space="real", dp=DP(target_epsilon=1.0, delta=1e-5)), NUMBERS,
        {"standardize": True}, "standardize must be left out for VAE",
    ),
    "far": (VAE(), NUMBERS, {"standardize": False}, "standardize columns first"),
    "images": (VAE(), np.zeros((5, 4, 4)), {"standardize": True}, "standardize takes tables"),
    "ids": (KernelDensity(), NUMBERS.assign(person_id=range(N)), {}, "'person_id' looks like ids"),
    "texts": (VAE(), people().assign(note=[*map(str, range(N))]), {}, "'note' holds 60 differ"),
    "labels": (VAE(), people(), {"labels": "jobs"}, "labels must name a column; got 'jobs', did"),
    "dates": (VAE(), people().assign(day=pd.Timestamp(0)), {}, "'day' must hold numbers or cat"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_model_cannot_describe_is_refused_and_nothing_is_written(case, tmp_path):
    model, X, options, message = REFUSED[case]
    with pytest.raises(InvalidInput, match=message) as caught:
        byrote.score_memorization(model, X, out=tmp_path / "run", **options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()
