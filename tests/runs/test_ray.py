"""A Ray cluster of two nodes, one of which goes away in the middle of a run."""

import os
import socket
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import byrote
from byrote import KFold

from estimators import Meets, Slow

ray = pytest.importorskip("ray")
X = np.random.default_rng(0).normal(size=(120, 2))
# Without the processes that show a cluster, forward what it prints or let it grow.
NODE = {"num_cpus": 1, "include_log_monitor": False}
HEAD = {**NODE, "include_dashboard": False, "no_monitor": True}
IMPORTED = [str(Path(__file__).parents[1]), str(Path(byrote.__file__).parents[1])]


@pytest.fixture
def cluster(monkeypatch):
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(IMPORTED))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_prestart_worker_first_driver", "0")  # no workers of another environment
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own
        cluster = Cluster(initialize_head=True, head_node_args=HEAD)
        second = cluster.add_node(**NODE)
        ray.init(address=cluster.address, log_to_driver=False)
        yield cluster, second
        ray.shutdown()
        cluster.shutdown()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("without_torch")
def test_a_node_is_lost_and_nothing_changes(cluster, tmp_path):
    cluster, second = cluster
    plan = KFold(6, repeats=1)
    ended = threading.Event()

    def remove_when_both_work():
        """Each has finished a fit, and begun another."""
        while len([*tmp_path.glob("2-*")]) < 2 and not ended.wait(0.05):
            pass
        cluster.remove_node(second, allow_graceful=False)
        (tmp_path / "lost").touch()

    saboteur = threading.Thread(target=remove_when_both_work)
    saboteur.start()
    found = byrote.score_memorization(
        Meets(str(tmp_path)), X, plan=plan, seed=7, out=tmp_path / "run", executor="ray", workers=2
    )
    ended.set()
    saboteur.join()
    here = byrote.score_memorization(Slow(0.0), X, plan=plan, seed=7)
    assert found.to_frame().equals(here.to_frame())
    assert len(pids(tmp_path / "run")) >= 2


def pids(folder):
    """Processes whose fits are kept."""
    from byrote.runs.paths import RunPaths
    from byrote.runs.run_folder import RunFolder

    paths = RunPaths(folder)
    run = RunFolder.open(paths) if paths.manifest.exists() else None
    return {run.facts(fit)["pid"] for fit in range(6) if paths.fit(fit).exists()}


def quiet(address, monkeypatch, tmp_path, patience=1.0):
    """The sentence with which an address is refused, and the seconds that takes."""
    monkeypatch.setenv("RAY_ADDRESS", address)
    monkeypatch.setattr("byrote.runs.executors.ray_cluster._PATIENCE", patience)
    started = time.monotonic()
    with pytest.raises(byrote.InvalidInput, match="executor 'ray' needs RAY_ADDRESS") as refused:
        byrote.score_memorization(
            Slow(0.0), X, plan=KFold(2, 1), out=tmp_path / "run", executor="ray"
        )
    assert not ray.is_initialized()
    assert byrote.score_memorization(Slow(0.0), X, plan=KFold(2, 1), out=tmp_path / "run")
    return str(refused.value), time.monotonic() - started


@pytest.fixture
def listener():
    """A port of this machine on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}"])
def test_a_dead_address_is_refused_at_once(form, monkeypatch, tmp_path, listener):
    port = listener.getsockname()[1]
    listener.close()
    text, seconds = quiet(form.format(port), monkeypatch, tmp_path)
    assert "Connection refused" in text
    assert seconds < 60


def test_an_address_that_does_not_answer_is_refused(monkeypatch, tmp_path, listener):
    text, _ = quiet(f"127.0.0.1:{listener.getsockname()[1]}", monkeypatch, tmp_path, patience=0.2)
    assert "no Ray answers at 127.0.0.1:" in text
    assert "timed out" in text


def test_an_address_of_something_else_is_refused(monkeypatch, tmp_path, listener):
    def answer():
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    text, _ = quiet(f"127.0.0.1:{listener.getsockname()[1]}", monkeypatch, tmp_path)
    thread.join()
    assert "what answers is not Ray" in text


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:port", "ray://"])
def test_an_address_that_names_no_cluster_is_refused(address, monkeypatch, tmp_path):
    text, _ = quiet(address, monkeypatch, tmp_path)
    assert address in text
