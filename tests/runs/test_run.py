"""Run folders: resuming, extending, refusing, failing."""

import json
import os
import shutil
import stat

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import byrote
from byrote import KFold, Probes, Subset
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder
from sealing import edit_json, edit_parquet

from estimators import ByPosition, Global, Kernel, Learner, Misbehaving, PureNoise, Writes

X = np.random.default_rng(0).normal(size=(90, 2))
X[0] = 0.0


def score(store=None, model=None, plan=None, x=X, **more):
    return byrote.score_memorization(
        model or PureNoise(), x, plan=plan or KFold(3, repeats=2), out=store, **more
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run, made once, and its scores."""
    folder = tmp_path_factory.mktemp("made") / "run"
    return folder, score(folder)


@pytest.fixture
def run(made, tmp_path):
    """A copy of the finished run."""
    return shutil.copytree(made[0], tmp_path / "run")


def same(first, second):
    return first.to_frame().equals(second.to_frame())


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in RunPaths(folder).fits.iterdir()}


def test_with_and_without_a_folder_and_reloaded(tmp_path):
    kept = score(tmp_path / "run")
    assert same(kept, score())
    assert same(kept, byrote.open_run(tmp_path / "run").memorization())


def test_a_finished_run_is_not_done_again(tmp_path):
    first = score(tmp_path / "run")
    before = times(tmp_path / "run")
    assert same(first, score(tmp_path / "run"))
    assert times(tmp_path / "run") == before


@pytest.mark.parametrize(
    ("small", "large"),
    [
        (KFold(3, repeats=2), KFold(3, repeats=4)),
        (Subset(0.6, fits=3), Subset(0.6, fits=5)),
        (byrote.LeaveOneOut(1), byrote.LeaveOneOut(2)),
    ],
)
def test_a_larger_plan_extends_the_folder(tmp_path, small, large):
    x = X[:20]
    score(tmp_path / "run", plan=small, x=x)
    before = times(tmp_path / "run")
    extended = score(tmp_path / "run", plan=large, x=x)
    after = times(tmp_path / "run")
    assert {name: after[name] for name in before} == before
    assert len(after) > len(before)
    assert same(extended, score(plan=large, x=x))
    with pytest.raises(byrote.RunMismatch, match="there"):
        score(tmp_path / "run", plan=small, x=x)


def test_what_a_model_says_of_a_fit_is_kept_with_it(tmp_path):
    score(tmp_path / "run", Learner(), plan=KFold(3, repeats=1))
    run = RunFolder.open(RunPaths(tmp_path / "run"))
    sizes = [run.facts(fit)["learned"]["records"] for fit in range(3)]
    assert sizes == [len(run.design.training_rows(fit)) for fit in range(3)]


def test_probes_extend_by_a_group_of_their_own(tmp_path):
    score(tmp_path / "run", plan=Probes(10, fits=4))
    extended = score(tmp_path / "run", plan=Probes(10, fits=10), test="exact")
    assert set(extended.n_in[extended.n_in > 0]) == {5}
    assert extended.summary().smallest_p == 1 / (6 * 20)
    assert same(extended, score(tmp_path / "run", plan=Probes(10, fits=10), test="exact"))


def test_probes_with_bystanders_are_resumed_and_extended(tmp_path):
    x = np.random.default_rng(4).normal(size=(150, 2))

    def plan(fits, bystanders=120):
        return Probes(20, fits=fits, bystanders=bystanders)

    whole = score(tmp_path / "run", x=x, plan=plan(6))
    assert whole.summary().sensitivity.control == "bystanders"
    assert whole.summary().scored == 20
    RunPaths(tmp_path / "run").fit(3).unlink()
    before = times(tmp_path / "run")
    assert same(score(tmp_path / "run", x=x, plan=plan(6)), whole)
    assert before.items() < times(tmp_path / "run").items()
    assert same(byrote.open_run(tmp_path / "run").memorization(), whole)
    extended = score(tmp_path / "run", x=x, plan=plan(8))
    assert before.items() < times(tmp_path / "run").items()
    assert same(extended, byrote.open_run(tmp_path / "run").memorization())
    assert set(extended.n_in[extended.n_in > 0]) == {4}
    with pytest.raises(byrote.RunMismatch, match="plan bystanders 120 there, 100 here"):
        score(tmp_path / "run", x=x, plan=plan(8, 100))


PAIRED = Probes(10, fits=6, pairs=True)


def test_twins_differ_by_what_they_learn_alone(tmp_path):
    noise = score(tmp_path / "run", plan=PAIRED)
    probed = noise.n_in > 0
    assert (noise.mean_log[probed] == 0).all()
    assert (noise.standard_error["mean_log"][probed] == 0).all()
    assert (noise.p_value[probed] == 1).all()
    assert np.ptp(noise.log_prob_in[probed]) > 0


def test_pairs_extend_and_are_not_mixed_with_other_probes(tmp_path):
    model, plan = ByPosition(), Probes(10, fits=4, pairs=True)
    score(tmp_path / "run", model, plan)
    before = times(tmp_path / "run")
    extended = score(tmp_path / "run", model, PAIRED)
    assert {name: times(tmp_path / "run")[name] for name in before} == before
    assert same(extended, score(None, model, PAIRED))
    assert extended.summary().smallest_p < 0.05
    with pytest.raises(byrote.RunMismatch, match="plan pairs True there, None here"):
        score(tmp_path / "run", model, Probes(10, fits=6))


def test_half_a_pair_alone_is_no_result(tmp_path):
    score(tmp_path / "run", ByPosition(), Probes(10, fits=2, pairs=True))
    RunPaths(tmp_path / "run").fit(1).unlink()
    with pytest.raises(byrote.IncompleteRun, match="1 of 2 fits are missing"):
        byrote.open_run(tmp_path / "run").memorization(partial=True)


MISMATCHES = {
    "folds": ({"plan": KFold(4, repeats=2)}, "plan folds 3 there, 4 here"),
    "plan": ({"plan": Subset(0.5, fits=6)}, "plan kind 'kfold' there, 'subset' here"),
    "parameter": ({"model": PureNoise(2.0)}, "model spread 1.0 there, 2.0 here"),
    "class": ({"model": Kernel()}, "model class"),
    "data": ({"x": X + 1e-9}, "data content"),
    "number": ({"x": X[:80]}, "data records 90 there, 80 here"),
    "seed": ({"seed": 5}, "run seed 0 there, 5 here"),
    "labels": ({"labels": np.arange(90) % 2}, r"data content \(values, labels or ids\)"),
}


@pytest.mark.parametrize("case", MISMATCHES)
def test_another_run_is_refused_with_what_differs(run, case):
    before = times(run)
    changed, message = MISMATCHES[case]
    with pytest.raises(byrote.RunMismatch, match=message):
        score(run, **changed)
    assert times(run) == before


def test_threads_belong_to_the_run(run):
    if os.cpu_count() < 2:
        pytest.skip("needs two cores")
    with pytest.raises(byrote.RunMismatch, match="run threads 1 there, 2 here"):
        score(run, threads=2)


def test_files_are_private_and_described(run):
    for path in run.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["plan"]["spec"] == {
        "kind": "kfold",
        "folds": 3,
        "repeats": 2,
        "stratify": False,
    }
    assert manifest["environment"]["numpy"] == np.__version__
    table = pq.read_table(RunPaths(run).fit(0))
    assert table.schema.field("record").type == pa.uint32()
    assert table.column_names == ["record", "epoch", "included", "log_prob"]
    facts = RunFolder.open(RunPaths(run)).facts(0)
    assert {"seconds", "peak_memory_mb", "threads", "numpy", "processor"} <= set(facts)


def damage_truncate(path):
    path.write_bytes(path.read_bytes()[:-20])


def damage_flip(path):
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)


def damage_empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [damage_truncate, damage_flip, damage_empty])
def test_a_damaged_fit_is_named_and_done_again(made, run, damage):
    victim = RunPaths(run).fit(4)
    before = times(run)
    damage(victim)
    with pytest.raises(byrote.CorruptFile, match="fit-000004"):
        byrote.open_run(run).memorization()
    with pytest.warns(UserWarning, match="fit-000004.*done again"):
        again = score(run)
    assert same(made[1], again)
    after = times(run)
    assert [name for name in after if after[name] != before[name]] == [victim.name]


def test_a_foreign_fit_is_refused(run, tmp_path):
    score(tmp_path / "other", seed=1)
    foreign = RunPaths(tmp_path / "other").fit(2).read_bytes()
    RunPaths(run).fit(2).write_bytes(foreign)
    with pytest.raises(byrote.CorruptFile, match="another run or fit"):
        score(run)
    with pytest.raises(byrote.CorruptFile, match="another run or fit"):
        byrote.open_run(run).memorization()


@pytest.mark.parametrize(
    ("name", "message"), [("run.json", "run.json is damaged"), ("plan.parquet", "cannot be read")]
)
def test_a_damaged_description_is_named(run, name, message):
    path = run / name
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(byrote.CorruptFile, match=message):
        byrote.open_run(run).memorization()


def test_a_newer_format_is_refused(run):
    edit_json(run / "run.json", lambda data: data.update(schema_version=9, later=True))
    with pytest.raises(byrote.InvalidInput, match="schema version 9"):
        byrote.open_run(run).memorization()


FAILURES = {
    "raise": "ValueError at estimators.py:",
    "nan": "BadLogProb .* must not return NaN",
    "inf": r"BadLogProb .* or \+inf",
    "short": "BadLogProb .* must return shape",
}


@pytest.mark.parametrize("how", FAILURES)
def test_a_failed_fit_is_named_and_the_others_go_on(tmp_path, how):
    flag = tmp_path / "flag"
    flag.touch()
    model = Misbehaving(how, marked=0.0, flag=str(flag))
    x = np.concatenate([X, X + 1])
    with pytest.raises(byrote.IncompleteRun, match=f"2 of 6 fits .*{FAILURES[how]}") as caught:
        score(tmp_path / "run", model=model, x=x)
    assert "secret" not in str(caught.value)
    assert len(times(tmp_path / "run")) == 4
    before = times(tmp_path / "run")
    partial = byrote.open_run(tmp_path / "run").memorization(partial=True)
    assert len(partial.missing) == 2
    flag.unlink()  # the fault is gone: the next start retries
    repaired = score(tmp_path / "run", model=model, x=x)
    assert repaired.missing == ()
    after = times(tmp_path / "run")
    assert {name: after[name] for name in before} == before
    assert not list(RunPaths(tmp_path / "run").failures.iterdir())


def test_the_text_of_a_failure_is_kept_on_request_only(tmp_path):
    x = np.concatenate([X, X + 1])
    for debug in (False, True):
        run = tmp_path / f"run{debug}"
        with pytest.raises(byrote.IncompleteRun):
            score(run, model=Misbehaving(marked=0.0), x=x, debug=debug)
        texts = [path.read_text() for path in RunPaths(run).failures.iterdir()]
        assert all(("secret" in text) is debug for text in texts)


def test_a_model_that_refuses_its_parameters_leaves_no_folder(tmp_path):
    from sklearn.neighbors import KernelDensity

    with pytest.raises(byrote.InvalidInput, match="bandwidth.*must be.*Got -1"):
        score(tmp_path / "run", model=KernelDensity(bandwidth=-1))
    assert not (tmp_path / "run").exists()


def test_a_model_that_refuses_the_records_leaves_no_folder_and_no_record(tmp_path):
    class Picky(Kernel):
        def fit(self, X, y=None):
            if (X == 0.125).any():
                raise ValueError(f"found {X[0]}")
            return super().fit(X)

    x = np.full((20, 1), 0.125) + np.arange(20)[:, None] * 0
    with pytest.raises(byrote.InvalidInput, match="refuses the records: ValueError") as caught:
        score(tmp_path / "run", model=Picky(), x=x)
    assert "0.125" not in str(caught.value)
    with pytest.raises(byrote.InvalidInput, match=r"found \[0.125\]"):
        score(tmp_path / "run", model=Picky(), x=x, debug=True)
    assert not (tmp_path / "run").exists()


def test_a_model_that_needs_many_records_is_rehearsed_on_many(tmp_path):
    from sklearn.mixture import GaussianMixture

    x = np.random.default_rng(0).normal(size=(240, 1))
    assert score(model=GaussianMixture(100), x=x, plan=KFold(2, 1)).summary().scored == 240


class Counts(Kernel):
    """Takes whole numbers of at least 0, as made-up records are not."""

    def fit(self, X, y=None):
        if (X < 0).any() or (np.round(X) != X).any():
            raise ValueError("counts must be whole")
        Counts.sizes.append(len(X))
        if len(X) < self.least:
            raise ValueError("too few")
        return super().fit(X)

    def __init__(self, least=0):
        self.least = least


def test_a_model_with_a_taste_of_its_own_is_rehearsed_on_its_own_records():
    x = np.random.default_rng(0).poisson(3.0, size=(40, 1)).astype(float)
    Counts.sizes = []
    assert score(model=Counts(), x=x).summary().scored == 40


def test_a_rehearsal_doubles_until_the_model_is_content():
    x = np.random.default_rng(0).poisson(3.0, size=(1500, 1)).astype(float)
    Counts.sizes = []
    score(model=Counts(least=200), x=x, plan=KFold(3, 1))
    assert Counts.sizes == [64, 128, 256, 1000, 1000, 1000]


def test_a_model_cannot_change_the_records():
    x = X.copy()
    with pytest.raises(byrote.InvalidInput, match="Writes"):
        score(model=Writes(), x=x)
    assert np.array_equal(x, X)


def test_global_generators_are_seeded_and_put_back():
    np.random.seed(1)  # noqa: NPY002
    expected = np.random.normal(size=2)  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    first = score(model=Global())
    assert np.array_equal(np.random.normal(size=2), expected)  # noqa: NPY002
    assert same(first, score(model=Global()))


def test_epochs_are_followed_and_recorded(tmp_path):
    score(tmp_path / "run", model=Learner(epochs=4))
    table = pq.read_table(RunPaths(tmp_path / "run").fit(0))
    assert set(table["epoch"].to_pylist()) == {4}


def test_two_at_once_are_refused(tmp_path):
    from filelock import FileLock

    score(tmp_path / "run")
    with (
        FileLock(tmp_path / "run" / "run.lock"),
        pytest.raises(byrote.RunMismatch, match="another process"),
    ):
        score(tmp_path / "run")


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(
        byrote.InvalidInput, match=r"not empty and holds no run \(it has thesis.tex\)"
    ):
        score(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_that_lost_its_description_is_left_alone(run):
    (run / "run.json").unlink()
    before = {path: path.read_bytes() for path in run.rglob("*.parquet")}
    with pytest.raises(byrote.InvalidInput, match="holds no run"):
        score(run, x=X + 1)
    assert {path: path.read_bytes() for path in run.rglob("*.parquet")} == before


def test_a_damaged_fit_whose_repetition_fails_is_missing(tmp_path):
    flag = tmp_path / "flag"
    x = np.concatenate([X, X + 1])
    model = Misbehaving("raise", marked=0.0, flag=str(flag))
    score(tmp_path / "run", model=model, x=x)
    for fit in range(6):
        damage_truncate(RunPaths(tmp_path / "run").fit(fit))
    flag.touch()
    with pytest.warns(UserWarning, match="done again"), pytest.raises(byrote.IncompleteRun):
        score(tmp_path / "run", model=model, x=x)
    assert len(byrote.open_run(tmp_path / "run").memorization(partial=True).missing) == 2


def test_a_fit_without_a_column_is_damaged(run):
    path = RunPaths(run).fit(0)
    edit_parquet(path, lambda table: table.drop_columns(["epoch"]))
    with pytest.raises(byrote.CorruptFile, match="epoch"):
        byrote.open_run(run).memorization()


def test_a_failure_that_cannot_be_read_is_still_a_failure(tmp_path):
    x = np.concatenate([X, X + 1])
    with pytest.raises(byrote.IncompleteRun):
        score(tmp_path / "run", model=Misbehaving(marked=0.0), x=x)
    for path in RunPaths(tmp_path / "run").failures.iterdir():
        path.write_text("{")
    with pytest.raises(byrote.IncompleteRun, match="2 failed: .*cannot be read"):
        byrote.open_run(tmp_path / "run").memorization()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(byrote.InvalidInput, match="is a file"):
        score(tmp_path / "file" / "run")


def test_a_folder_without_a_run_cannot_be_loaded(tmp_path):
    with pytest.raises(byrote.InvalidInput, match=r"holds no run"):
        byrote.open_run(tmp_path).memorization()
