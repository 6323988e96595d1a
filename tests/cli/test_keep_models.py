"""--keep-models, and the models that a run then holds."""

import json

import numpy as np
import pytest

import byrote

GMM = ["score", "x.npy", "--model", "gmm", "--folds", "4", "--repeats", "2"]
RUN = [*GMM, "--out", "run"]


@pytest.fixture(autouse=True)
def data(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(40, 2)))


def test_a_release_model_is_kept_and_loads(byrote_, tmp_path):
    code, out, err = byrote_(*RUN, "--keep-models", "release")
    assert (code, err) == (0, "")
    assert "40 of 40 records scored in 8 fits" in out
    assert [path.name for path in (tmp_path / "run" / "models").iterdir()] == [
        "release.safetensors"
    ]
    assert np.allclose(byrote.open_run("run").model().means_[0], np.load("x.npy").mean(axis=0))
    assert byrote_(*RUN) == (0, out, "")


def test_the_forecast_counts_it(byrote_):
    assert "8 fits and one on all records" in byrote_(*GMM, "--dry-run", "--keep-models", "all")[1]
    data = json.loads(byrote_(*GMM, "--dry-run", "--json", "--keep-models", "release")[1])
    assert (data["fits"], data["release"]) == (8, True)


def test_what_cannot_be_kept_is_refused(byrote_, tmp_path):
    kde = [word if word != "gmm" else "kde" for word in RUN]
    code, out, err = byrote_(*kde, "--keep-models", "release")
    assert (code, out) == (2, "")
    assert "KernelDensity has no get_weights and no set_weights" in err
    assert "must be one of none, release, all" in byrote_(*RUN, "--keep-models", "some")[2]
    assert not (tmp_path / "run").exists()


def test_a_release_fit_that_fails_ends_as_incomplete(byrote_, monkeypatch):
    monkeypatch.syspath_prepend(__file__.rsplit("/", 2)[0])
    np.save("x.npy", np.random.default_rng(0).normal(size=(90, 2)))
    run = ["score", "x.npy", "--model", "estimators:Keepable", "--folds", "3", "--repeats", "2"]
    code, out, err = byrote_(*run, "--set", "how=release", "--out", "run", "--keep-models", "all")
    assert code == 4
    assert "90 of 90 records scored in 6 fits" in out
    assert "the release model is missing from run: its fit failed by ValueError" in err
    assert "secret" not in err
