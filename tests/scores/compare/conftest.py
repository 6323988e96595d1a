"""Runs of quick models, made once."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote

X = np.random.default_rng(0).normal(size=(60, 2))
X[3], X[7] = 4.0, -5.0
PLANS = {
    "kfold": byrote.KFold(4, repeats=5),
    "probes": byrote.Probes(30, fits=10, bystanders=0),
    "pairs": byrote.Probes(30, fits=10, pairs=True, bystanders=0),
    "coins": byrote.Probes(50, fits=5, coins=True, bystanders=0),
    "once": byrote.KFold(2, repeats=1),
}


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The folder of a run: ``made(plan, width, ...)``; the same arguments give the same run."""
    root, found = tmp_path_factory.mktemp("runs"), {}

    def make(plan="kfold", width=0.3, *, rows=None, seed=0, ids=None, labels=None, model="kde"):
        key = (plan, width, rows, seed, ids, labels, model)
        if key not in found:
            chosen = np.arange(60) if rows is None else np.array(rows)
            one = KernelDensity(bandwidth=width)
            if model == "gmm":
                one = GaussianMixture(3, reg_covar=width, init_params="random", tol=0.1)
            if model == "box":
                one = KernelDensity(bandwidth=width, kernel="tophat")
            store = root / f"run-{len(found)}"
            byrote.score_memorization(
                one,
                X[chosen],
                plan=PLANS[plan],
                ids=chosen if ids is None else np.array(ids),
                labels=None if labels is None else np.array(labels),
                seed=seed,
                out=store,
            )
            found[key] = store
        return found[key]

    return make
