"""A Ray cluster of two nodes, one of which goes away in the middle of a run."""

import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import byrote
from byrote import KFold

from estimators import Slow

ray = pytest.importorskip("ray")
X = np.random.default_rng(0).normal(size=(120, 2))
TESTS = str(Path(__file__).parents[1])


@pytest.fixture
def cluster(monkeypatch):
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", TESTS)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        second = cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False)
        yield cluster, second
        ray.shutdown()
        cluster.shutdown()


@pytest.mark.filterwarnings("ignore")
def test_a_node_is_lost_and_nothing_changes(cluster, tmp_path):
    cluster, second = cluster
    plan = KFold(6, repeats=2)
    fits = tmp_path / "run" / "fits"

    def remove_when_under_way():
        while not fits.is_dir() or len(list(fits.glob("fit-*"))) < 3:
            time.sleep(0.02)
        cluster.remove_node(second, allow_graceful=False)

    saboteur = threading.Thread(target=remove_when_under_way)
    saboteur.start()
    found = byrote.score_memorization(
        Slow(0.4), X, plan=plan, seed=7, store=tmp_path / "run", executor="ray", workers=2
    )
    saboteur.join()
    here = byrote.score_memorization(Slow(0.0), X, plan=plan, seed=7)
    assert found.to_frame().equals(here.to_frame())
    pids = {facts["pid"] for facts in _facts(tmp_path / "run")}
    assert len(pids) >= 2


def _facts(folder):
    from byrote.fits.paths import RunPaths
    from byrote.fits.store import RunFolder

    run = RunFolder.open(RunPaths(folder))
    return [run.facts(fit) for fit in range(run.design.fits)]
