"""Killed with SIGKILL at every write and rename, and at random moments, a run starts again and
ends with the same bits; finished fits are not redone.

Runs are made once, and what lies in the folder is copied before every call. Of one run, processes
are killed at every fourth call, and leave just that. What two kills leave byte for byte alike, as
around a call that only reads, is resumed once. ``test_kills.py`` kills more, at random.
"""

import os
import re
import shutil
import signal
import sys
import tempfile
import time

import numpy as np
import pytest

import byrote
from byrote import KFold
from byrote.plans.design import RELEASE
from byrote.runs import group_commit
from byrote.runs.collect import collect, plan_elsewhere
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder
from byrote.runs.temporary import sweep

from estimators import Keepable, PureNoise, Slow, Steps
from languages import Ngram

X = np.random.default_rng(0).normal(size=(20, 2))
PLAN = KFold(2, repeats=1)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(autouse=True)
def same_calls_every_time(monkeypatch):
    """However busy the machine is, a run makes the same calls in the same order."""
    monkeypatch.setattr(group_commit, "SECONDS", 0.0)
    monkeypatch.setattr(group_commit, "_WAITING", 1)


def start(store, model, plan=PLAN, keep_models="none"):
    return byrote.score_memorization(model, X, plan=plan, out=store, keep_models=keep_models)


def in_a_child(action):
    """Run in a forked child that pytest does not hear of; returns its exit status."""
    child = os.fork()
    if child == 0:
        sys.stderr = sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        try:
            action()
        finally:
            os._exit(0)
    return child


def wait(child):
    _, status = os.waitpid(child, 0)
    return status


CALLS = ("open", "fsync", "replace", "mkdir", "unlink", "rename")  # by which files change


def killing_at(count):
    """Patch every call by which files change, so that the count-th one is never made."""
    left = [count]

    def before(original):
        def patched(*args, **kwargs):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **kwargs)

        return patched

    for name in CALLS:
        setattr(os, name, before(getattr(os, name)))


def left_by_kills(action, store):
    """Act once in a folder; returns copies of it, as a kill at each call would leave it."""
    copies, originals = [], {name: getattr(os, name) for name in CALLS}

    def before(original):
        def patched(*args, **kwargs):
            with pytest.MonkeyPatch.context() as patch:
                for name in CALLS:
                    patch.setattr(os, name, originals[name])
                copies.append(store.with_name(f"run{len(copies) + 1}"))
                if store.exists():
                    shutil.copytree(store, copies[-1])
            return original(*args, **kwargs)

        return patched

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, before(originals[name]))
        action(store)
    return copies


def distinct(folders):
    """One folder of each content: names, and the bytes of all files."""
    by_content = {}
    for folder in folders:
        inside = {
            str(p.relative_to(folder)): p.is_dir() or p.read_bytes() for p in folder.rglob("*")
        }
        by_content.setdefault((folder.exists(), *sorted(inside.items())), folder)
    return [*by_content.values()]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fork in a process with threads
def test_killed_at_every_file_operation(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # without what others leave there
    expected = start(None, PureNoise()).to_frame()
    copies = left_by_kills(lambda store: start(store, PureNoise()), tmp_path / "whole")
    assert len(copies) > 25  # 2 fits, each opened, synced, moved, and what is around
    for count in [*range(1, len(copies), 4), len(copies), len(copies) + 1]:
        store = tmp_path / f"killed{count}"

        def run(store=store, count=count):
            killing_at(count)
            start(store, PureNoise())

        killed = wait(in_a_child(run)) != 0
        assert killed == (count <= len(copies))
        assert lying(store) == lying(copies[count - 1] if killed else tmp_path / "whole")
        sweep()  # as the next run does
    for store in distinct(copies):
        before = finished(store)
        assert start(store, PureNoise()).to_frame().equals(expected)
        after = finished(store)
        assert {name: after[name] for name in before} == before
        assert not [path for path in store.rglob("*") if path.suffix == ".tmp"]


def lying(store):
    """What lies in a folder, whatever process made it, and which of the files are empty."""
    found = {}
    for path in store.rglob("*"):
        name = re.sub(r"\.\d+\.tmp$", ".tmp", str(path.relative_to(store)))
        found[name] = path.is_dir() or path.stat().st_size > 0
    return found


def test_killed_at_every_file_operation_while_extending(tmp_path):
    larger = KFold(2, repeats=2)
    expected = start(None, PureNoise(), larger).to_frame()
    start(tmp_path / "run", PureNoise())
    copies = left_by_kills(lambda store: start(store, PureNoise(), larger), tmp_path / "run")
    for store in distinct(copies):
        assert start(store, PureNoise(), larger).to_frame().equals(expected)
    assert len(copies) > 15


@pytest.mark.parametrize("finished_before", [False, True])
def test_killed_at_every_file_operation_while_keeping_models(tmp_path, finished_before):
    expected = start(tmp_path / "whole", Keepable(), PLAN, "all").to_frame()
    models = weights(tmp_path / "whole")
    if finished_before:  # and then asked for its models
        start(tmp_path / "run", Keepable())
    copies = left_by_kills(lambda store: start(store, Keepable(), PLAN, "all"), tmp_path / "run")
    for store in distinct(copies):
        whole = {path.name: path.stat().st_mtime_ns for path in store.glob("models/*.safetensors")}
        before = {name: when for name, when in finished(store).items() if model_of(name) in whole}
        assert start(store, Keepable(), PLAN, "all").to_frame().equals(expected)
        assert weights(store) == models
        after = finished(store)
        assert {name: after[name] for name in before} == before
        assert not [path for path in store.rglob("*") if path.suffix == ".tmp"]
    assert len(copies) > 25


def model_of(fit):
    return fit.replace(".parquet", ".safetensors")


def weights(store):
    return {fit: kept(store, fit) for fit in (RELEASE, 0, 1)}


def kept(store, fit):
    found = RunFolder.open(RunPaths(store)).models.weights(fit)
    return {name: array.tobytes() for name, array in found.items()}


def test_killed_at_every_file_operation_while_epochs_are_added(tmp_path):
    model = Steps(3, noise=0.1)

    def track(store):
        return byrote.score_memorization(model, X, plan=PLAN, out=store, track=[2])

    last = track(tmp_path / "whole").to_frame()
    second = byrote.open_run(tmp_path / "whole").memorization(epoch=2).to_frame()
    start(tmp_path / "run", model)
    copies = left_by_kills(track, tmp_path / "run")
    for store in distinct(copies):
        assert byrote.open_run(store).memorization(partial=True).to_frame().equals(last)
        assert track(store).to_frame().equals(last)
        assert byrote.open_run(store).memorization(epoch=2).to_frame().equals(second)
    assert len(copies) > 15


@pytest.mark.parametrize("finished_before", [False, True])
def test_killed_at_every_file_operation_of_an_exposure_run(tmp_path, finished_before):
    text = [f"line {k} of few\n" for k in range(20)]
    canary = byrote.Canary("pin {digits:2}")

    def expose(store, keep_models):
        options = {"canaries_per_level": 1, "controls": 1, "references": 3, "method": "none"}
        options |= {"held_out": 0, "out": store, "keep_models": keep_models}
        return byrote.score_exposure(Ngram(order=1), text, canary, insertions=[2], **options)

    expected = expose(tmp_path / "whole", "release").to_frame()
    model = kept(tmp_path / "whole", 0)
    if finished_before:  # and then asked for the model that would ship
        expose(tmp_path / "run", "none")
    copies = left_by_kills(lambda store: expose(store, "release"), tmp_path / "run")
    for store in distinct(copies):
        assert expose(store, "release").to_frame().equals(expected)
        assert kept(store, 0) == model
        assert not [path for path in store.rglob("*") if path.suffix == ".tmp"]
    assert len(copies) > (8 if finished_before else 25)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_killed_at_random_moments(tmp_path):
    x = np.random.default_rng(1).normal(size=(70, 2))
    plan = KFold(2, repeats=6)

    def run():
        byrote.score_memorization(Slow(0.02), x, plan=plan, out=tmp_path / "run")

    generator = np.random.default_rng(2)
    for _ in range(5):
        child = in_a_child(run)
        time.sleep(generator.uniform(0.03, 0.15))
        os.kill(child, signal.SIGKILL)
        wait(child)
    before = finished(tmp_path / "run")
    run()
    after = finished(tmp_path / "run")
    assert {name: after[name] for name in before} == before
    expected = byrote.score_memorization(Slow(0.0), x, plan=plan)
    assert byrote.open_run(tmp_path / "run").memorization().to_frame().equals(expected.to_frame())


def finished(store):
    fits = store / "fits"
    return (
        {p.name: p.stat().st_mtime_ns for p in fits.glob("fit-*.parquet")} if fits.is_dir() else {}
    )


def elsewhere(store, log_prob):
    """Begin a run whose fits are made elsewhere, and collect all of them."""
    plan_elsewhere(byrote.Records(X), PLAN, 0, store)
    return collect(store, [log_prob])


def test_a_collection_killed_at_every_file_operation_is_made_again(tmp_path):
    values, log_prob = np.random.default_rng(1).normal(size=(2, len(X))), tmp_path / "all.npy"
    np.save(log_prob, values)
    elsewhere(tmp_path / "expected", log_prob)
    expected = byrote.open_run(tmp_path / "expected").memorization().to_frame()
    copies = left_by_kills(lambda store: elsewhere(store, log_prob), tmp_path / "run")
    for store in distinct(copies):
        done = elsewhere(store, log_prob)
        assert sorted((*done.added, *done.unchanged)) == [0, 1]
        assert byrote.open_run(store).memorization().to_frame().equals(expected)
    assert len(copies) > 30
