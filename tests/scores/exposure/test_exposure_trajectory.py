"""Exposure in the course of training: steps, rows of fits, losses."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import byrote
from byrote import Canary, score_exposure
from byrote.report.figures.exposure_training import curves_of
from byrote.report.trajectory import exposure_rows

from languages import Ngram

TEXT = [f"line {k} of a text about {k % 7} cats and {k % 11} dogs\n" * 3 for k in range(60)]
OPTIONS = {"insertions": (1, 6), "canaries_per_level": 2, "controls": 3, "references": 50}


def run(folder, **more):
    model = Ngram(order=5, epochs=3)
    canary = Canary("the code is {digits:4}")
    return score_exposure(model, TEXT, canary, **OPTIONS, out=folder, **more)


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracked") / "run"
    run(folder, fits=2, track=[1, 2])
    return folder


def test_it_is_the_exposures_at_each_epoch_of_each_fit(tracked):
    course = byrote.open_run(tracked).trajectory()
    assert (course.unit, course.steps.tolist()) == ("epoch", [1, 2, 3])
    assert course.bits.shape == (14, 3)
    for column, epoch in enumerate((1, 2, 3)):
        one = byrote.open_run(tracked).exposure(epoch=epoch)
        for name in ("bits", "low", "high", "saturated", "p_value"):
            expected = getattr(one.exposure, name)
            assert np.array_equal(getattr(course, name)[:, column], expected, equal_nan=True)
    frame = course.to_frame()
    assert len(frame) == 42
    last = frame[frame.epoch == 3]
    assert last.bits.tolist() == course.bits[:, 2].tolist()
    assert last.inserted.tolist() == course.inserted.tolist()


def test_losses_are_those_of_the_models(tmp_path):
    found = run(tmp_path / "run", track=[2])
    course = byrote.open_run(tmp_path / "run").trajectory()
    assert course.loss_steps.tolist() == [1, 2, 3]
    assert course.test_loss[0, -1] == found.test_loss[0]
    assert (np.diff(course.train_loss[0]) < 0).all()  # more counts against the same alpha
    assert course.mean_losses(2) == (course.train_loss[0, 1], course.test_loss[0, 1])
    assert 0 < course.cost < 1
    (first, last) = exposure_rows(course)
    assert (first["step"], last["step"]) == (2, 3)
    assert last["mean_exposure"]["6"] == course.bits[course.inserted == 6, -1].mean()
    figure = curves_of(course)
    assert figure.test_loss.tolist() == course.test_loss[0].tolist()


def test_a_run_that_was_not_tracked_has_its_end(tmp_path):
    found = run(tmp_path / "run")
    course = byrote.open_run(tmp_path / "run").trajectory()
    assert course.steps.tolist() == [3]
    assert course.bits[:, 0].tolist() == found.exposure.bits.tolist()
    assert np.isnan(course.cost)
    assert np.isnan(course.test_loss[0, :2]).all()
    assert course.test_loss[0, 2] == found.test_loss[0]


def test_missing_fits_and_epochs_are_told_or_left_out(tracked, tmp_path):
    shutil.copytree(tracked, tmp_path / "run")
    Path(tmp_path / "run/fits/fit-000000.parquet").unlink()
    with pytest.raises(byrote.IncompleteRun, match="1 of 2 fits"):
        byrote.open_run(tmp_path / "run").trajectory()
    course = byrote.open_run(tmp_path / "run").trajectory(partial=True)
    assert set(course.fit.tolist()) == {1}
    assert course.train_loss.shape == (1, 3)


def test_a_run_of_scores_has_none(tmp_path):
    from sklearn.neighbors import KernelDensity

    x = np.random.default_rng(0).normal(size=(20, 1))
    byrote.score_memorization(
        KernelDensity(), x, plan=byrote.KFold(2, repeats=1), out=tmp_path / "run"
    )
    with pytest.raises(byrote.InvalidInput, match="is not an exposure run"):
        byrote.open_run(tmp_path / "run").exposure()
    assert isinstance(byrote.open_run(tmp_path / "run").trajectory(), byrote.Trajectory)
