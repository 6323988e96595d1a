"""Kept models: written with the fits, read back with checks."""

import json
import shutil
import stat
import struct

import numpy as np
import pytest
from safetensors import safe_open
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote
from byrote import KFold, seeds
from byrote.models import VAE, Diffusion
from byrote.plans.design import RELEASE
from byrote.runs.paths import RunPaths
from byrote.runs.request import Request, Settings
from byrote.runs.run_folder import RunFolder
from sealing import edit_json

from estimators import Keepable, PureNoise

X = np.random.default_rng(0).normal(size=(90, 2))
PLAN = KFold(3, repeats=2)
SMALL = {"latent_dim": 2, "hidden": (8,), "epochs": 2, "draws": 4}


def score(store, keep_models="none", model=None, x=X, plan=PLAN, **more):
    return byrote.score_memorization(
        model or Keepable(), x, plan=plan, out=store, keep_models=keep_models, **more
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Runs that keep their models, made once: all of one, the release model of others."""
    folder = tmp_path_factory.mktemp("kept")
    score(folder / "run", "all")
    score(folder / "other", "release", seed=1)
    score(folder / "mixture", "release", GaussianMixture(2, covariance_type="tied"))
    return folder


@pytest.fixture
def run(made, tmp_path):
    """A copy of the run that keeps all models."""
    return shutil.copytree(made / "run", tmp_path / "run")


def kept(folder):
    return sorted(path.name for path in RunPaths(folder).models.glob("*"))


def times(folder, pattern="fits/*"):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob(pattern)}


def same(first, second):
    return first.to_frame().equals(second.to_frame())


def test_release_is_one_fit_on_all_records_with_its_own_seed(tmp_path):
    score(tmp_path / "run", "release", seed=5)
    assert kept(tmp_path / "run") == ["release.safetensors"]
    seed = np.random.SeedSequence(5, spawn_key=(5, 0, 0)).generate_state(1)[0]
    expected = Keepable(random_state=int(seed)).fit(X)
    with safe_open(RunPaths(tmp_path / "run").model(RELEASE), framework="np") as file:
        assert np.array_equal(file.get_tensor("mean"), expected.mean_[::-1])
        assert file.get_tensor("n") == len(X)
        facts = json.loads(file.metadata()["byrote"])
    run = RunFolder.open(RunPaths(tmp_path / "run"))
    assert facts["run_id"] == run.manifest.run_id
    assert (facts["fit"], facts["class"]) == ("release", "estimators.Keepable")
    assert facts["numpy"] == np.__version__


def test_keeping_changes_no_score(tmp_path):
    plain = score(tmp_path / "none")
    assert kept(tmp_path / "none") == []
    assert same(plain, score(tmp_path / "release", "release"))
    assert same(plain, score(tmp_path / "all", "all"))
    names = [*(f"fit-{fit:06d}" for fit in range(6)), "release"]
    assert kept(tmp_path / "all") == [f"{name}.safetensors" for name in names]


def test_files_are_private(made):
    models = RunPaths(made / "run").models
    assert stat.S_IMODE(models.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in models.iterdir()} == {0o600}


def test_a_fit_that_is_kept_is_the_one_that_scored(made):
    run = RunFolder.open(RunPaths(made / "run"))
    for fit in range(6):
        model = byrote.open_run(made / "run").model(fit=fit, model=Keepable())
        assert model.n_ == 60
        assert np.array_equal(model.score_samples(X), run.log_prob(fit))


def test_release_is_added_to_a_finished_run_without_fits(tmp_path):
    first = score(tmp_path / "run")
    before = times(tmp_path / "run")
    assert same(first, score(tmp_path / "run", "release"))
    assert times(tmp_path / "run") == before
    model = times(tmp_path / "run", "models/*")
    score(tmp_path / "run", "release")
    score(tmp_path / "run")  # neither done again nor taken away
    assert times(tmp_path / "run", "models/*") == model
    score(tmp_path / "run", "release", plan=KFold(3, repeats=3))  # belongs to the larger plan too
    assert times(tmp_path / "run", "models/*") == model


def test_all_does_finished_fits_again_and_only_those_without_weights(tmp_path):
    first = score(tmp_path / "run", "release")
    release = times(tmp_path / "run", "models/*")
    assert same(first, score(tmp_path / "run", "all"))
    models = times(tmp_path / "run", "models/*")
    assert len(models) == 7
    assert models["release.safetensors"] == release["release.safetensors"]
    RunPaths(tmp_path / "run").model(2).unlink()
    score(tmp_path / "run", "all")
    after = times(tmp_path / "run", "models/*")
    assert {name for name in models if after[name] != models[name]} == {"fit-000002.safetensors"}


def test_weights_are_made_again_with_a_fit_that_is_done_again(run):
    before = times(run, "models/*")
    RunPaths(run).fit(1).unlink()
    score(run)
    after = times(run, "models/*")
    assert {name for name in before if after[name] != before[name]} == {"fit-000001.safetensors"}


def test_a_tracked_run_keeps_the_same_models(tmp_path):
    x, model, plan = np.random.default_rng(1).random((40, 6)), VAE(**SMALL), KFold(2, repeats=1)
    score(tmp_path / "plain", "all", model, x, plan)
    score(tmp_path / "tracked", "all", model, x, plan, track=[1])
    for fit in (RELEASE, 0, 1):
        one, two = (
            RunFolder.open(RunPaths(tmp_path / name)).models.weights(fit)
            for name in ("plain", "tracked")
        )
        assert all(one[name].tobytes() == two[name].tobytes() for name in one)


def test_a_release_model_asked_for_later_is_the_same(tmp_path):
    x = np.random.default_rng(1).random((40, 6))
    model, plan = VAE(**SMALL), KFold(2, repeats=1)
    score(tmp_path / "at once", "all", model, x, plan)
    score(tmp_path / "later", "none", model, x, plan)
    score(tmp_path / "later", "release", model, x, plan)
    first, late = (
        RunFolder.open(RunPaths(tmp_path / name)).models.weights(RELEASE)
        for name in ("at once", "later")
    )
    assert all(late[name].tobytes() == first[name].tobytes() for name in first)


# -- reading back ---------------------------------------------------------------------------------


def truncate(path, other):
    path.write_bytes(path.read_bytes()[:-4])


def empty(path, other):
    path.write_bytes(b"")


def flip(path, other):  # the format itself has no checksum
    content = bytearray(path.read_bytes())
    content[-3] ^= 0x10
    path.write_bytes(content)


def unmark(path, other):
    header = b'{"mean":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}'
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))


def another_run(path, other):
    shutil.copy(RunPaths(other).model(RELEASE), path)


def another_fit(path, other):
    shutil.copy(path.with_name("fit-000000.safetensors"), path)


DAMAGES = [truncate, empty, flip, unmark]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_weights_are_refused_and_done_again(damage, run, made):
    path = RunPaths(run).model(RELEASE)
    before = RunFolder.open(RunPaths(run)).models.weights(RELEASE)
    damage(path, made / "other")
    with pytest.raises(byrote.CorruptFile, match=r"release\.safetensors"):
        byrote.open_run(run).model(model=Keepable())
    with pytest.warns(UserWarning, match=r"release\.safetensors.*done again"):
        score(run, "release")
    after = RunFolder.open(RunPaths(run)).models.weights(RELEASE)
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("damage", [another_run, another_fit])
def test_foreign_weights_are_refused_and_left(damage, run, made):
    path = RunPaths(run).model(RELEASE)
    damage(path, made / "other")
    content = path.read_bytes()
    with pytest.raises(byrote.errors.ForeignFile, match="another run or fit"):
        byrote.open_run(run).model(model=Keepable())
    with pytest.raises(byrote.errors.ForeignFile, match="another run or fit"):
        score(run, "release")
    assert path.read_bytes() == content


# -- refusing and failing -------------------------------------------------------------------------

REFUSED = {
    "none": (KernelDensity(), "release", "KernelDensity has no get_weights and no set_weights"),
    "noise": (PureNoise(), "all", "keep_models='all' needs a model with get_weights"),
    "word": (Keepable(), "both", "keep_models must be one of none, release, all; got 'both'"),
    "list": (Keepable(how="list"), "release", "must return named arrays; got list"),
    "text": (Keepable(how="text"), "release", "arrays of numbers; mean has <U1"),
    "nan": (Keepable(how="nan"), "release", "must give no NaN; mean holds some"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_model_that_cannot_be_kept_is_refused_before_any_work(case, tmp_path):
    model, keep, message = REFUSED[case]
    with pytest.raises(byrote.InvalidInput, match=message.replace("(", r"\(")):
        score(tmp_path / "run", keep, model)
    assert not (tmp_path / "run").exists()


def test_keeping_needs_a_folder():
    with pytest.raises(byrote.InvalidInput, match="keep_models='release' needs out"):
        score(None, "release")


def test_a_release_fit_that_fails_leaves_the_scores(tmp_path):
    model = Keepable(how="release")
    with pytest.raises(byrote.IncompleteRun, match="release model.*failed by ValueError") as raised:
        score(tmp_path / "run", "release", model)
    assert "secret" not in str(raised.value)
    failure = json.loads((tmp_path / "run" / "failures" / "release.json").read_text())
    assert failure["type"] == "ValueError"
    assert byrote.open_run(tmp_path / "run").memorization().missing == ()
    assert score(tmp_path / "run", "none", model).missing == ()


# -- a model back ---------------------------------------------------------------------------------


def diffusion(**more):
    return Diffusion(hidden=(8,), epochs=2, levels=24, steps=24, **more)


NETWORKS = {"vae": lambda **more: VAE(**SMALL, **more), "diffusion": diffusion}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back_whole(name, tmp_path):
    x = np.random.default_rng(1).random((40, 3, 4))
    make = NETWORKS[name]
    model = make()
    score(tmp_path / "run", "release", model, x, KFold(2, repeats=1), seed=3)
    training, evaluation = (seeds.integer(3, seeds.Purpose.RELEASE, fold=f) for f in (0, 1))
    noise = seeds.integer(3, seeds.Purpose.NOISE)
    expected = make(random_state=training, noise_seed=noise).fit(x)
    expected.set_params(random_state=evaluation)
    for loaded in (
        byrote.open_run(tmp_path / "run").model(),
        byrote.open_run(tmp_path / "run").model(model=model),
    ):
        assert np.array_equal(loaded.score_samples(x), expected.score_samples(x))
        assert np.array_equal(loaded.sample(5), expected.sample(5))
        assert loaded.sample(5).shape == (5, 3, 4)
    assert not {"network_", "denoiser_"} & {*vars(model)}


def test_a_mixture_comes_back_whole(made):
    training, evaluation = (seeds.integer(0, seeds.Purpose.RELEASE, fold=f) for f in (0, 1))
    expected = GaussianMixture(2, covariance_type="tied", random_state=training).fit(X)
    loaded = byrote.open_run(made / "mixture").model()
    assert np.array_equal(loaded.score_samples(X), expected.score_samples(X))
    expected.set_params(random_state=evaluation)
    assert np.array_equal(loaded.sample(9)[0], expected.sample(9)[0])
    assert loaded.converged_ is expected.converged_


LOADS = {
    "no run": (lambda run: run.parent, {}, byrote.InvalidInput, "holds no run"),
    "own class": (lambda run: run, {}, byrote.InvalidInput, "estimators.Keepable, which is not"),
    "fit": (lambda run: run, {"fit": 2}, byrote.InvalidInput, "does not keep fit 2.*'all'"),
    "fit text": (lambda run: run, {"fit": "2"}, byrote.InvalidInput, "fit must be"),
    "class": (lambda run: run, {"model": VAE()}, byrote.RunMismatch, "model class"),
    "parameter": (
        lambda run: run,
        {"model": Keepable(0.5)},
        byrote.RunMismatch,
        "model noise 0.1 there, 0.5 here",
    ),
    "type": (lambda run: run, {"model": Keepable}, byrote.InvalidInput, "must be an instance"),
}


@pytest.mark.parametrize("case", LOADS)
def test_a_model_that_cannot_be_loaded_is_refused(case, made):
    folder, options, kind, message = LOADS[case]
    with pytest.raises(kind, match=message):
        byrote.open_run(folder(made / "other")).model(**options)


def test_a_run_without_models_says_how_to_get_one(tmp_path):
    score(tmp_path / "run")
    with pytest.raises(byrote.InvalidInput, match="start the same run again with keep_models='rel"):
        byrote.open_run(tmp_path / "run").model(model=Keepable())


@pytest.mark.parametrize("name", ["os.path.join", "byrote.models.vae.vae.torch", "os.system"])
def test_run_json_chooses_no_code(made, tmp_path, name):
    shutil.copytree(made / "mixture", tmp_path / "run")
    edit_json(tmp_path / "run" / "run.json", lambda data: data["model"].update(name=name))
    with pytest.raises(byrote.InvalidInput, match="model must be given, unfitted"):
        byrote.open_run(tmp_path / "run").model()


def test_the_forecast_counts_the_release_fit():
    def foreseen(keep):
        settings = Settings(keep_models=keep)
        return Request(Keepable(), byrote.Records(X), PLAN, settings).forecast()

    none, release, every = (foreseen(keep) for keep in ("none", "release", "all"))
    assert [f.fits for f in (none, release, every)] == [6, 6, 6]
    assert [f.release for f in (none, release, every)] == [False, True, True]
    assert none.seconds - none.overhead == pytest.approx(6 * none.seconds_per_fit)
    assert release.seconds - release.overhead == pytest.approx(7 * release.seconds_per_fit)
    assert (release.disk - none.disk, every.disk - none.disk) == (24, 7 * 24)


# -- samples --------------------------------------------------------------------------------------


def test_samples_depend_on_the_seed_alone(tmp_path):
    x = np.random.default_rng(1).random((40, 3, 4))
    score(tmp_path / "run", "release", VAE(**SMALL), x, KFold(2, repeats=1))
    first = byrote.open_run(tmp_path / "run").sample(50)
    np.random.seed(0)  # noqa: NPY002 (what else a program does)
    assert np.array_equal(first, byrote.open_run(tmp_path / "run").sample(50))
    assert not np.array_equal(first, byrote.open_run(tmp_path / "run").sample(50, seed=1))
    assert first.shape == (50, 3, 4)
    score(tmp_path / "two", "release", VAE(**SMALL), x, KFold(2, repeats=1), seed=1)
    assert not np.array_equal(first, byrote.open_run(tmp_path / "two").sample(50))


def test_samples_are_those_of_the_model(made):
    release = byrote.open_run(made / "mixture").model()
    drawn = byrote.open_run(made / "mixture").sample(4000)
    # the mean of a mixture, within five standard errors
    error = np.sqrt(np.diag(np.cov(drawn.T)) / 4000)
    assert (np.abs(drawn.mean(axis=0) - release.weights_ @ release.means_) < 5 * error).all()


SAMPLES = {
    "n": ({"n": 0}, "n must be"),
    "seed": ({"n": 1, "seed": -1}, "seed must be"),
    "fit": ({"n": 1, "fit": 3}, "does not keep fit 3"),
}


@pytest.mark.parametrize("case", SAMPLES)
def test_samples_that_cannot_be_drawn_are_refused(case, made):
    options, message = SAMPLES[case]
    with pytest.raises(byrote.InvalidInput, match=message):
        byrote.open_run(made / "mixture").sample(**options)
