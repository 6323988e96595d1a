"""Scores and losses in the middle of training, and that looking changes nothing."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import norm

import byrote
from byrote import KFold
from byrote.runs.job import job_of
from byrote.runs.kinds import arrays
from byrote.runs.paths import RunPaths
from byrote.runs.request import Request, Settings
from byrote.runs.run_folder import RunFolder

from estimators import Kernel, Learner, Steps, Weighs

X = np.random.default_rng(0).normal(1.0, size=(30, 2))
PLAN = KFold(3, repeats=2)


def score(store=None, model=None, track=(), x=X, plan=PLAN, **more):
    return byrote.score_memorization(
        model or Steps(4, noise=0.1), x, plan=plan, out=store, track=track, **more
    )


def vae(epochs):
    from byrote.models import VAE

    return VAE(latent_dim=1, hidden=(4,), epochs=epochs, batch_size=4, draws=4, redraw=True)


def flow(epochs):
    from byrote.models import Flow

    return Flow("realnvp", hidden=(4,), epochs=epochs, batch_size=4)


def diffusion(epochs):
    from byrote.models import Diffusion

    return Diffusion(hidden=(4,), epochs=epochs, batch_size=4, levels=24, draws=1)


def steps(epochs):
    return Steps(epochs, noise=0.1)


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in RunPaths(folder).fits.iterdir()}


@pytest.mark.parametrize("make", [steps, vae, flow, diffusion])
def test_an_epoch_is_what_training_that_long_gives(tmp_path, make):
    x = np.random.default_rng(1).random((12, 5))
    plan = KFold(2, repeats=1)
    score(tmp_path / "run", make(3), [1, 3], x, plan)
    for epoch in (1, 3):
        alone = score(None, make(epoch), (), x, plan)
        frame = byrote.open_run(tmp_path / "run").memorization(epoch=epoch).to_frame()
        assert frame.equals(alone.to_frame()[frame.columns]), epoch  # which has diagnostics too
    last = byrote.open_run(tmp_path / "run").memorization()
    assert last.to_frame().equals(alone.to_frame())


def test_another_executor_gives_the_same(tmp_path):
    score(tmp_path / "one", track=[2])
    with ThreadPoolExecutor(2) as pool:
        score(tmp_path / "two", track=[2], executor=pool)
    for epoch in (2, 4):
        one, two = (
            byrote.open_run(tmp_path / name).memorization(epoch=epoch) for name in ("one", "two")
        )
        assert one.to_frame().equals(two.to_frame())


def test_a_fit_holds_epochs_then_records(tmp_path):
    score(tmp_path / "run", track=[3, 1, 3])
    path = RunPaths(tmp_path / "run").fit(0)
    table = pq.read_table(path).to_pandas()
    assert table["epoch"].tolist() == [1] * 30 + [3] * 30 + [4] * 30
    assert table["record"].tolist() == [*range(30)] * 3
    assert pq.ParquetFile(path).metadata.num_row_groups == 3
    assert json.loads((tmp_path / "run" / "run.json").read_text())["track"] == [1, 3]
    run = RunFolder.open(RunPaths(tmp_path / "run"))
    for epoch in (1, 3, 4):
        expected = table["log_prob"][table["epoch"] == epoch]
        np.testing.assert_array_equal(run.log_prob(0, epoch), expected)
    np.testing.assert_array_equal(run.log_prob(0), expected)


def test_losses_have_their_closed_form(tmp_path):
    score(tmp_path / "run", Steps(4), [2])
    run = RunFolder.open(RunPaths(tmp_path / "run"))
    for fit in range(run.design.fits):
        losses = run.facts(fit)["losses"]
        assert losses["epoch"] == [1, 2, 3, 4]
        assert losses["train"] == [1.0, 1 / 2, 1 / 3, 1 / 4]
        centre = X[run.design.training_rows(fit)].mean(axis=0)
        held_out = X[run.design.held_out[fit]]
        for epoch, loss in enumerate(losses["held_out"], start=1):
            mean = (1 - 0.7**epoch) * centre
            assert loss == pytest.approx(-norm.logpdf(held_out, mean).sum(axis=1).mean())


def test_without_tracking_there_is_no_held_out_loss(tmp_path):
    score(tmp_path / "run", Steps(2))
    losses = RunFolder.open(RunPaths(tmp_path / "run")).facts(0)["losses"]
    assert losses == {"epoch": [1, 2], "train": [1.0, 0.5], "held_out": [None, None]}


def test_losses_look_at_a_bounded_number_of_records(monkeypatch):
    monkeypatch.setattr(arrays, "LOSS_ROWS", 5)
    design = PLAN.draw(byrote.plans.Context(30, 0, np.arange(30), None))
    first, second = (job_of(design, fit, seed=0) for fit in (0, 1))
    rows = arrays.loss_rows(first)
    assert len(rows) == 5
    assert set(rows) < set(first.held_out)
    assert (np.diff(rows.astype(int)) > 0).all()
    np.testing.assert_array_equal(rows, arrays.loss_rows(first))
    assert set(arrays.loss_rows(second)) < set(second.held_out)


def test_more_tracked_epochs_extend_the_folder(tmp_path):
    first = score(tmp_path / "run", track=[2])
    before = times(tmp_path / "run")
    second = byrote.open_run(tmp_path / "run").memorization(epoch=2)
    score(tmp_path / "run", track=[2])
    assert times(tmp_path / "run") == before
    assert score(tmp_path / "run", track=[1, 2]).to_frame().equals(first.to_frame())
    assert all(times(tmp_path / "run")[name] != before[name] for name in before)
    assert (
        byrote.open_run(tmp_path / "run").memorization(epoch=2).to_frame().equals(second.to_frame())
    )
    score(tmp_path / "new", track=[1, 2])
    for epoch in (1, 2, 4):
        again, new = (
            byrote.open_run(tmp_path / n).memorization(epoch=epoch) for n in ("run", "new")
        )
        assert again.to_frame().equals(new.to_frame())
    # The last epoch is there already, tracked or not: nothing is done again.
    before = times(tmp_path / "run")
    score(tmp_path / "run", track=[1, 2, 4])
    assert times(tmp_path / "run") == before
    with pytest.raises(byrote.RunMismatch, match="tracked epochs 1, 2, 4 there, 2 here"):
        score(tmp_path / "run", track=[2])


def test_an_epoch_never_reached_fails_the_fit(tmp_path):
    model = Steps(9, rounds=3)
    with pytest.raises(
        byrote.IncompleteRun, match="6 failed.*EpochNeverReached .*ended at epoch 3; epoch 5 was"
    ):
        score(tmp_path / "run", model, track=[2, 5])


def test_fits_that_fail_while_epochs_are_added_keep_their_numbers(tmp_path):
    model = Steps(9, rounds=3)
    first = score(tmp_path / "run", model)
    with pytest.raises(byrote.IncompleteRun, match="6 of 6 fits lack tracked epochs"):
        score(tmp_path / "run", model, track=[5])
    with pytest.raises(byrote.IncompleteRun, match="6 of 6 fits lack tracked epochs in"):
        byrote.open_run(tmp_path / "run").memorization()
    partial = byrote.open_run(tmp_path / "run").memorization(partial=True)
    assert partial.to_frame().equals(first.to_frame())


class Fragile(Steps):
    def score_samples(self, X):
        if self.ready_:
            return super().score_samples(X)
        raise RuntimeError("not fitted yet")

    def fit(self, X, y=None, *, on_epoch=None):
        self.ready_ = False
        super().fit(X, on_epoch=on_epoch)
        self.ready_ = True
        return self


BAD = {
    "no on_epoch": (Kernel(), [1], "track needs a model whose fit takes on_epoch; that of Kernel"),
    "too late": (Learner(3), [2, 4], "track must lie within the 3 epochs of Learner; got 4"),
    "zero": (Learner(3), [0], "track must be a list of epochs"),
    "text": (Learner(3), "12", "track must be a list of epochs"),
    "number": (Learner(3), 2, "track must be a list of epochs"),
    "half": (Learner(3), [1.5], "track must be a list of epochs"),
    "cannot score yet": (Fragile(3), [1], "not fitted yet"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_tracked_is_refused(tmp_path, case):
    model, track, message = BAD[case]
    with pytest.raises(byrote.InvalidInput, match=message):
        score(tmp_path / "run", model, track)
    assert not (tmp_path / "run").exists()


def test_an_epoch_that_was_not_scored_is_refused(tmp_path):
    score(tmp_path / "run", track=[2])
    with pytest.raises(byrote.InvalidInput, match="of the scored epochs, 2, 4; got 3"):
        byrote.open_run(tmp_path / "run").memorization(epoch=3)
    with pytest.raises(byrote.InvalidInput, match="epoch must be an integer"):
        byrote.open_run(tmp_path / "run").memorization(epoch="2")
    score(tmp_path / "untracked")
    with pytest.raises(byrote.InvalidInput, match=r"epochs, 4 \(the run was not tracked\); got 2"):
        byrote.open_run(tmp_path / "untracked").memorization(epoch=2)


def test_a_damaged_epoch_is_found_and_done_again(tmp_path):
    first = score(tmp_path / "run", track=[2])
    path = RunPaths(tmp_path / "run").fit(1)
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF  # in the first row group, which holds epoch 2
    path.write_bytes(content)
    with pytest.raises(byrote.CorruptFile, match="fit-000001"):
        byrote.open_run(tmp_path / "run").memorization(epoch=2)
    with pytest.warns(UserWarning, match="fit-000001.*done again"):
        assert score(tmp_path / "run", track=[2]).to_frame().equals(first.to_frame())


@pytest.mark.parametrize(("model", "track"), [(Weighs(), ()), (Steps(4), ()), (Steps(4), (1, 2))])
def test_the_forecast_of_the_disk_is_about_the_size_of_the_files(tmp_path, model, track):
    x = np.random.default_rng(0).normal(size=(4000, 2))
    plan = KFold(2, repeats=1)
    request = Request(model, byrote.Records(x), plan, Settings(), track=track)
    score(tmp_path / "run", model, track, x, plan)
    size = sum(path.stat().st_size for path in RunPaths(tmp_path / "run").fits.iterdir())
    assert 0.8 < request.forecast().disk / size < 1.5
