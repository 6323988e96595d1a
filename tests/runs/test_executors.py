"""The same scores, bit for bit, wherever fits run and whoever dies."""

import shutil
import signal
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

import byrote
from byrote import KFold
from byrote.models import DP, VAE, Diffusion, Flow
from byrote.plans.design import RELEASE
from byrote.runs.executors.registry import open_pool, usable_workers
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder

from estimators import Global, Misbehaving, PureNoise

X = np.random.default_rng(0).random((90, 6))
PLAN = KFold(3, repeats=2)
VAE_ = {"latent_dim": 2, "hidden": (16, 8), "epochs": 3, "draws": 8}
MODELS = {
    "mixture": lambda: GaussianMixture(3),
    "vae": lambda: VAE(**VAE_),
    "flow": lambda: Flow("realnvp", hidden=(8,), epochs=3),
    "diffusion": lambda: Diffusion(hidden=(16,), epochs=2, levels=24),
    "private vae": lambda: VAE(**VAE_, dp=DP(target_epsilon=3.0, delta=1e-3)),
}


def score(model, **how):
    return byrote.score_memorization(model, X, **{"plan": PLAN, "seed": 7, **how})


def same(first, second):
    return first.to_frame().equals(second.to_frame())


class Backwards(Executor):
    """Runs calls in reverse order of submission, to show that order does not matter."""

    def __init__(self):
        self.waiting = []

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self.waiting.append((future, fn, args, kwargs))
        if len(self.waiting) == 6:
            for waiting, call, arguments, keywords in reversed(self.waiting):
                waiting.set_result(call(*arguments, **keywords))
        return future


@pytest.mark.parametrize("name", MODELS)
def test_another_process_changes_nothing(name, another_process, tmp_path):
    """Neither scores nor guarantees nor kept weights."""
    how = {"keep_models": "all", "plan": KFold(2, repeats=1)}
    here = score(MODELS[name](), out=tmp_path / "here", **how)
    there = score(MODELS[name](), out=tmp_path / "there", executor=another_process, **how)
    assert same(here, there)
    runs = [RunFolder.open(RunPaths(tmp_path / name)) for name in ("here", "there")]
    privacy = [[run.facts(fit).get("privacy") for fit in range(2)] for run in runs]
    assert privacy[0] == privacy[1]
    for fit in (RELEASE, 0, 1):
        one, two = (run.models.weights(fit) for run in runs)
        assert one.keys() == two.keys()
        for entry in one:
            assert one[entry].tobytes() == two[entry].tobytes(), (fit, entry)


THREADED = {
    "own seed": lambda: PureNoise(),
    "global generators": lambda: Global(),
    "vae": lambda: VAE(latent_dim=2, hidden=(64, 32), epochs=2, draws=8),
}


@pytest.mark.parametrize("name", THREADED)
def test_threads_in_this_process_change_nothing(name):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    with ThreadPoolExecutor(4) as executor:
        assert same(score(THREADED[name]()), score(THREADED[name](), executor=executor))
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_order_changes_nothing():
    assert same(
        score(VAE(latent_dim=2, hidden=(8,), epochs=1, draws=4)),
        score(VAE(latent_dim=2, hidden=(8,), epochs=1, draws=4), executor=Backwards()),
    )


def test_settings_of_this_process_are_put_back():
    import torch

    from byrote.models.torch_utils import denormals_are_flushed

    before = torch.get_num_threads(), denormals_are_flushed(), torch.get_rng_state()
    score(MODELS["vae"]())
    assert torch.get_num_threads() == before[0]
    assert denormals_are_flushed() == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])


def test_a_foreign_executor_that_breaks_leaves_a_resumable_run(tmp_path):
    x = np.concatenate([X, X + 1])
    x[0] = 0.0
    flag = tmp_path / "flag"
    flag.touch()
    model = Misbehaving("die", marked=0.0, flag=str(flag))
    how = {"plan": KFold(3, 1), "out": tmp_path / "run"}
    with ProcessPoolExecutor(1) as executor, pytest.raises(byrote.IncompleteRun, match="broke"):
        byrote.score_memorization(model, x, executor=executor, **how)
    flag.unlink()
    assert byrote.score_memorization(model, x, **how).summary().scored == 180


@pytest.mark.usefixtures("forked_workers")
def test_a_fit_whose_worker_dies_each_time_has_failed_and_takes_no_other_with_it(tmp_path):
    x = np.concatenate([X, X + 1])
    x[0] = 0.0
    how = {"out": tmp_path / "run", "executor": "processes", "workers": 1}  # of which 2 fits wait
    with pytest.raises(byrote.IncompleteRun, match="1 of 3 fits .*1 failed.*WorkerDied"):
        byrote.score_memorization(Misbehaving("die", marked=0.0), x, plan=KFold(3, 1), **how)
    assert len(byrote.open_run(tmp_path / "run").memorization(partial=True).missing) == 1


def test_an_executor_that_outlives_a_folder_sees_new_records(another_process, tmp_path):
    for x in (X, X + 1):
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        how = {"plan": PLAN, "out": tmp_path / "run", "executor": another_process}
        found = byrote.score_memorization(GaussianMixture(2), x, **how)
        assert same(found, byrote.score_memorization(GaussianMixture(2), x, plan=PLAN))


def test_a_model_that_loads_torch_late_is_the_same_when_resumed(resumed_elsewhere):
    """In a process where a fit in the middle of the run is the first to load torch."""
    whole, resumed = resumed_elsewhere
    assert resumed.result() == whole


def test_workers_stay_within_the_cores():
    from byrote.stats.threads import cores

    assert usable_workers(1000, 1) == cores()
    assert usable_workers(2, cores()) == 1


@pytest.fixture
def heeding_ctrl_c():
    """Where tests run in the background, a shell may have told them to ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_interruption_keeps_finished_fits(tmp_path, heeding_ctrl_c):
    class Interrupting(PureNoise):
        def fit(self, X, y=None):
            Interrupting.fits += 1
            if Interrupting.fits == 5:  # a rehearsal, three fits
                signal.raise_signal(signal.SIGINT)
            return super().fit(X)

    Interrupting.fits = 0
    with pytest.raises(KeyboardInterrupt):
        score(Interrupting(), out=tmp_path / "run")
    assert len(list((tmp_path / "run" / "fits").iterdir())) == 3
    resumed = score(Interrupting(), out=tmp_path / "run")
    assert same(resumed, score(PureNoise()))


@pytest.mark.usefixtures("forked_workers")
def test_workers_are_killed_when_the_block_fails():
    with pytest.raises(KeyError), open_pool("processes", 1, 1) as pool:
        future = pool.submit(_sleep, 60)
        raise KeyError
    assert future.exception() is not None


def _sleep(seconds):
    import time

    time.sleep(seconds)


BAD = {
    "executor": ({"executor": "slurm"}, "executor must be one of auto"),
    "no executor": ({"executor": 3}, "concurrent.futures.Executor; got int"),
    "workers": ({"workers": 0}, "workers must be an integer of at least 1"),
    "threads": ({"threads": 4096}, "threads must not exceed"),
    "seed": ({"seed": -1}, "seed must be an integer of at least 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_settings_are_refused(case, tmp_path):
    how, message = BAD[case]
    with pytest.raises(byrote.InvalidInput, match=message):
        score(PureNoise(), out=tmp_path / "run", **how)
    assert not (tmp_path / "run").exists()
