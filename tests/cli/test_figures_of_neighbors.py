"""byrote figures after byrote neighbors."""

from pathlib import Path

import numpy as np
import pytest

import byrote

pytestmark = pytest.mark.usefixtures("unrendered")


def test_figures_of_nearest_neighbours(byrote_):
    images = np.random.default_rng(0).random((60, 4, 4))
    np.save("images.npy", images[:40])
    np.save("fresh.npy", images[40:])
    gmm = ["--model", "gmm", "--folds", "4", "--repeats", "2", "--keep-models", "release"]
    byrote_("score", "images.npy", *gmm, "--out", "run")
    byrote_("neighbors", "run", "--validation", "fresh.npy", "--seed", "5")
    code, out, err = byrote_("figures", "run", "--format", "svg")
    assert code == 0
    assert [Path(line).stem for line in out.splitlines()][-3:] == [
        "ratio-by-score",
        "ratio-densities",
        "reproduced",
    ]
    assert "ratio" not in err
    found = byrote.neighbors.NeighborResult.load("run/neighbors.parquet")
    samples = byrote.open_run("run").sample(20, seed=found.description["seed"])
    assert len(samples) == 20
    means = [x.reshape(-1, 2, 2, 2, 2).mean(axis=(2, 4)) for x in (images[:40], samples)]
    apart = ((means[0][:, None] - means[1]) ** 2).sum(axis=(2, 3))
    assert apart.argmin(axis=1).tolist() == found.nearest_sample.tolist()


def test_scores_beside_ratios_are_those_of_the_extended_run(byrote_):
    x = np.random.default_rng(0).normal(size=(60, 2))
    np.save("x.npy", x[:40])
    np.save("fresh.npy", x[40:])
    run = ["--model", "gmm", "--folds", "4", "--keep-models", "release", "--out", "run"]
    byrote_("score", "x.npy", *run, "--repeats", "1")
    byrote_("neighbors", "run", "--validation", "fresh.npy")
    byrote_("score", "x.npy", *run, "--repeats", "3")
    found = byrote.open_run("run").neighbors()
    assert (found.score == byrote.open_run("run").memorization().score).all()
    kept = byrote.neighbors.NeighborResult.load("run/neighbors.parquet")
    assert (found.ratio == kept.ratio).all()
    assert not (found.score == kept.score).any()


def test_a_damaged_comparison_is_named_and_the_other_figures_are_drawn(byrote_):
    np.save("x.npy", np.random.default_rng(0).normal(size=(40, 2)))
    byrote_("score", "x.npy", "--model", "kde", "--folds", "4", "--repeats", "2", "--out", "run")
    Path("run/neighbors.parquet").write_bytes(b"PAR1")
    code, out, err = byrote_("figures", "run", "--record", "7")
    assert code == 0
    assert Path(out.splitlines()[-1]).stem == "record-000007"
    assert "no distance ratios: run/neighbors.parquet is damaged" in err
