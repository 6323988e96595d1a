"""Scores of tables: densities in their units, and no trace of units, order or spelling."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.preprocessing import StandardScaler

import byrote
from byrote.errors import InvalidInput
from byrote.models import DP, VAE, Diffusion, FromSamples

from estimators import FrameCopies, PlacesOfTables

N = 60
MATRIX = np.random.default_rng(5).random((4, N)) < 0.5
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


WRITTEN = {"clerk": "z", "nurse": "a", "smith": "m", "judge": "b"}


def rewritten(frame, order):
    """The same table in other units, with its rows and columns in another order, other words."""
    changed = {"income": 1000 * frame["income"], "job": frame["job"].map(WRITTEN)}
    return frame.assign(**changed).iloc[order][["job", "income", "age"]]


def scores_by_id(model, frame, ids, plan, **options):
    """M of each record, NaN where it has none, by the id of its row."""
    result = byrote.score_memorization(model, frame, ids=ids, plan=plan, **options)
    return result.to_frame().set_index("id")["score"]


@given(
    seed=st.integers(0, 2**16),
    labelled=st.booleans(),
    plan=st.sampled_from(
        [
            byrote.KFold(3, repeats=1),
            byrote.Probes(6, fits=4),
            byrote.Probes(6, fits=4, pairs=True, bystanders=2),
            byrote.Subset(0.5, fits=4),
            byrote.LeaveOneOut(),
        ]
    ),
)
@settings(max_examples=8)
def test_no_score_depends_on_units_on_order_or_on_how_categories_are_written(seed, labelled, plan):
    """Not even those of a model that draws weights for places, with its batches and columns."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": generator.integers(0, 4, 12) / 4,  # many ties
            "income": np.where(generator.random(12) < 0.2, np.nan, generator.normal(size=12)),
            "job": np.repeat([*WRITTEN], 3),  # as frequent as each other
        }
    )
    ids = generator.permutation(12) * 7 if labelled else np.arange(12)
    order = generator.permutation(12)
    before = scores_by_id(PlacesOfTables(), frame, ids, plan, seed=seed)
    after = scores_by_id(PlacesOfTables(), rewritten(frame, order), ids[order], plan, seed=seed)
    np.testing.assert_allclose(after, before[after.index], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", ["kde", "gmm"])
def test_the_order_of_columns_is_a_matter_of_rounding_to_models_that_get_it(name):
    order, plan = np.random.default_rng(1).permutation(N), byrote.KFold(3, repeats=1)
    before = scores_by_id(MODELS[name], NUMBERS, np.arange(N), plan)
    shuffled = NUMBERS[["income", "age"]].iloc[order]
    after = scores_by_id(MODELS[name], shuffled, order, plan)
    np.testing.assert_allclose(after, before[after.index], rtol=1e-6, atol=1e-9)


def test_a_mixed_vae_is_the_same_for_the_same_table_in_other_units_order_and_words(tmp_path):
    frame, order = people(), np.random.default_rng(1).permutation(N)
    plan = byrote.Probes(20, fits=2, pairs=True)
    options = {"plan": plan, "track": [1], "keep_models": "release"}
    runs = []
    for name, each, ids in (
        ("a", frame, np.arange(N)), ("b", rewritten(frame, order), order),
    ):  # fmt: skip
        byrote.score_memorization(VAE(**SMALL), each, ids=ids, out=tmp_path / name, **options)
        runs.append(byrote.open_run(tmp_path / name))
    for epoch in (1, None):
        tables = [run.folder.table(epoch=epoch) for run in runs]
        ids = [run.folder.ids[table.rows] for run, table in zip(runs, tables, strict=True)]
        assert {*ids[0]} == {*ids[1]}
        values = [t.log_prob[:, np.argsort(i)] for t, i in zip(tables, ids, strict=True)]
        shift = np.where(frame["income"].loc[np.sort(ids[0])].isna(), 0, np.log(1000))
        np.testing.assert_allclose(values[1], values[0] - shift, rtol=1e-5, atol=1e-5)
    weights = [run.folder.models.weights(-1) for run in runs]
    for name, array in weights[0].items():
        np.testing.assert_allclose(weights[1][name], array, rtol=1e-4, atol=1e-5)


def test_without_ids_equal_rows_may_change_places_and_all_others_keep_their_scores():
    frame, order = people(), np.random.default_rng(2).permutation(N)
    frame.iloc[[5, 6]] = frame.iloc[[7, 7]]
    plan, rows = byrote.KFold(3, repeats=1), np.arange(N)
    before = scores_by_id(PlacesOfTables(), frame, None, plan).to_numpy()[order]
    after = scores_by_id(PlacesOfTables(), frame.iloc[order].reset_index(drop=True), None, plan)
    equal = np.isin(rows[order], [5, 6, 7])
    np.testing.assert_allclose(after[~equal], before[~equal], rtol=1e-9)
    np.testing.assert_allclose(np.sort(after[equal]), np.sort(before[equal]), rtol=1e-9)


def test_a_run_of_a_table_is_extended_to_what_it_would_have_been(tmp_path):
    for repeats in (1, 2):
        plan, frame = byrote.KFold(3, repeats=repeats), people()
        extended = byrote.score_memorization(
            PlacesOfTables(), frame, plan=plan, out=tmp_path / "run"
        )
    whole = byrote.score_memorization(PlacesOfTables(), frame, plan=plan)
    np.testing.assert_array_equal(extended.score, whole.score)


def test_a_planted_outlier_of_a_mixed_table_stands_out_by_nats_not_by_thousands():
    frame = people(80)
    frame.loc[7] = [99, 900_000.0, "astronaut"]
    model = VAE(latent_dim=2, hidden=(32,), epochs=30, learning_rate=0.01, draws=8)
    plan = byrote.Probes([7, *range(20, 40)], fits=4)
    result = byrote.score_memorization(model, frame, plan=plan)
    others = result.score[20:40]
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


def test_samples_of_a_kept_model_are_a_table_in_its_units(tmp_path):
    NUMBERS.to_csv(tmp_path / "t.csv", index=False)
    records = byrote.load(tmp_path / "t.csv")
    options = {"plan": byrote.KFold(2, repeats=1), "keep_models": "release"}
    byrote.score_memorization(GaussianMixture(1), records, out=tmp_path / "run", **options)
    drawn = byrote.open_run(tmp_path / "run").sample(2000)
    assert [*drawn] == ["age", "income"]
    np.testing.assert_allclose(drawn.mean(), NUMBERS.mean(), rtol=0.1)


def test_a_run_of_a_frame_in_memory_gives_samples_when_it_gets_its_records_again(tmp_path):
    frame, folder = people(), tmp_path / "run"
    options = {"plan": byrote.KFold(2, repeats=1), "keep_models": "release", "out": folder}
    byrote.score_memorization(VAE(**SMALL), frame, **options)
    drawn = byrote.open_run(folder, records=frame).sample(50)
    assert dict(drawn.dtypes) == dict(frame.dtypes)
    assert drawn["income"].isna().any()
    assert {*drawn["job"]} <= {*frame["job"]}
    assert drawn.equals(byrote.open_run(folder, records=byrote.load(frame)).sample(50))
    with pytest.raises(InvalidInput, match=r"data frame in memory, .* \(byrote.open_run takes"):
        byrote.open_run(folder).sample(5)
    with pytest.raises(InvalidInput, match="records must be those of the run; these have other"):
        byrote.open_run(folder, records=frame.assign(age=1.0))


class Rows:
    """A generator that gives arrays, as those written for NumPy do."""

    def fit(self, X):
        self.x = np.asarray(X)

    def sample(self, n):
        return self.x[np.arange(n) % len(self.x)]


def test_a_generator_gets_the_frame_of_a_file_and_gives_frames_or_arrays(tmp_path):
    frame = people()
    frame.to_csv(tmp_path / "t.csv", index=False)
    model, records = FromSamples(FrameCopies(), samples=2), byrote.load(tmp_path / "t.csv")
    before = table(model, frame, out=tmp_path / "a", seed=1)
    after = table(model, records, out=tmp_path / "b", seed=1)
    np.testing.assert_array_equal(before, after)
    found = table(FromSamples(Rows()), records, out=tmp_path / "c")
    in_training = np.where(MATRIX, found, np.nan)
    assert (np.nanmin(in_training, axis=1) == found.max(axis=1)).all()  # exact copies, in every fit
    assert found[~MATRIX].mean() < found[MATRIX].mean() - 1
    mixture = FromSamples(GaussianMixture(2))  # gives a pair with labels
    assert np.isfinite(table(mixture, NUMBERS, out=tmp_path / "d")).all()


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
