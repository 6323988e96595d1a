"""Stored pixels on their way to a model: as they are, or as numbers, and never too much memory."""

import tracemalloc

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.neighbors import KernelDensity

import byrote
from byrote import KFold, Records
from byrote.models import contract
from byrote.runs.job import Job, Task
from byrote.runs.kinds.arrays import ArrayContent
from byrote.runs.request import Request, Settings
from byrote.runs.sharing import InMemory, readonly, share_as_file
from byrote.runs.worker import run_job

from estimators import Kernel, KnownVariance, OfPixels

PIXELS = np.random.default_rng(0).integers(0, 256, (80, 4, 3), dtype=np.uint8)
NUMBERS = (PIXELS / 255).astype(np.float32)


def job(n, held_out, counted=None):
    return Job(0, n, np.array(held_out, np.uint32), counted, 0, 0, 0)


@pytest.mark.parametrize("model", [KnownVariance(), Kernel(), KernelDensity()])
@pytest.mark.parametrize("counted", [None, np.arange(10, dtype=np.uint32)])
def test_other_models_get_the_numbers(model, counted):
    found, expected = (
        run_job(
            Task(model, InMemory(readonly(x)), ArrayContent), job(80, range(8), counted)
        ).log_prob
        for x in (PIXELS, NUMBERS)
    )
    assert len(found) == (80 if counted is None else 10)
    np.testing.assert_array_equal(found, expected)


def test_a_run_on_pixels_scores_as_one_on_numbers():
    plan = KFold(4, repeats=2)
    found, expected = (byrote.score_memorization(Kernel(), x, plan=plan) for x in (PIXELS, NUMBERS))
    np.testing.assert_array_equal(found.score, expected.score)


def test_a_model_that_takes_pixels_gets_them():
    """Its scores have a closed form, and its training fails on anything but images of uint8."""
    plan = KFold(4, repeats=2)
    found = byrote.score_memorization(OfPixels(), PIXELS, plan=plan)
    design = plan.draw(Request(OfPixels(), Records(PIXELS), plan, Settings()).context())
    values = np.empty((design.fits, 80))
    for fit in range(design.fits):
        mean = (PIXELS[design.training_rows(fit)] / 255).mean(axis=0)
        values[fit] = -((PIXELS / 255 - mean) ** 2).sum(axis=(1, 2))
    inside = np.array([design.role(fit) > 0 for fit in range(design.fits)])
    expected = [values[i, r].mean() - values[~i, r].mean() for r, i in enumerate(inside.T)]
    np.testing.assert_allclose(found.mean_log, expected, atol=1e-12)


def test_pixels_in_a_mapped_file_are_the_same(tmp_path):
    shared = share_as_file(PIXELS, tmp_path)
    assert shared.get().dtype == np.uint8
    for model in (OfPixels(), Kernel()):
        found, expected = (
            run_job(Task(model, data, ArrayContent), job(80, range(8))).log_prob
            for data in (shared, InMemory(PIXELS))
        )
        np.testing.assert_array_equal(found, expected)


def test_what_a_model_takes_is_told_by_its_class_or_the_instance():
    model = KnownVariance()
    rows = contract.as_input(model, PIXELS)
    assert (rows.dtype, rows.shape) == (np.float32, (80, 12))
    model.takes_pixels = True
    assert contract.as_input(model, PIXELS) is PIXELS
    assert contract.as_input(OfPixels(), PIXELS) is PIXELS
    assert contract.as_input(OfPixels(), NUMBERS).shape == (80, 12)  # these are none
    table = Records(PIXELS[:, 0]).x
    assert contract.as_input(OfPixels(), table) is not None
    assert contract.as_input(OfPixels(), table).dtype == np.float64


class Opinion(KnownVariance):
    """Notes what it is asked to check."""

    seen: list = []  # noqa: RUF012

    def check_input(self, X):
        self.seen.append((X.dtype.name, X.shape))


class OpinionOnPixels(Opinion):
    takes_pixels = True


def test_the_models_own_check_sees_what_the_model_gets():
    Opinion.seen.clear()
    contract.check_input(Opinion(), PIXELS)
    contract.check_input(OpinionOnPixels(), PIXELS)
    assert Opinion.seen == [("float32", (80, 12)), ("uint8", (80, 4, 3))]


class Fussy(BaseEstimator):
    """Fails on any records."""

    def fit(self, X):
        raise ValueError(f"{X.dtype} {X.shape}, {X.min():.2f} to {X.max():.2f}")

    def score_samples(self, X):
        return X


class FussyAboutPixels(Fussy):
    takes_pixels = True


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        (Fussy(), "float32 (60, 12), 0.00 to 1.00"),
        (FussyAboutPixels(), "uint8 (60, 4, 3), 0.00 to 255.00"),
    ],
)
def test_made_up_records_are_pixels_too(model, shown):
    with pytest.raises(byrote.InvalidInput, match="not even on made-up records") as caught:
        byrote.score_memorization(model, PIXELS, plan=KFold(4, 1))
    assert shown in str(caught.value)


@pytest.mark.parametrize("model", [OfPixels(), KernelDensity()])
def test_a_forecast_on_pixels(model):
    request = Request(model, Records(PIXELS), KFold(4, 2), Settings())
    assert request.forecast().fits == 8


def test_what_a_model_takes_in_bytes():
    assert contract.input_bytes(OfPixels(), PIXELS) == PIXELS.nbytes
    assert contract.input_bytes(Kernel(), PIXELS) == NUMBERS.nbytes
    assert contract.input_bytes(Kernel(), NUMBERS) == NUMBERS.nbytes


@pytest.mark.parametrize(("model", "floats"), [(OfPixels(), False), (KnownVariance(), True)])
def test_memory_of_a_fit(model, floats):
    """Beside the data a model of pixels gets one copy, of the rows it trains on; no floats."""
    x = np.random.default_rng(0).integers(0, 256, (2000, 32, 32), dtype=np.uint8)
    task, work = Task(model, InMemory(readonly(x)), ArrayContent), job(2000, range(200))
    run_job(task, work)  # what is imported on the way is not counted
    tracemalloc.start()
    try:
        outcome = run_job(task, work)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome.log_prob is not None
    if floats:
        assert peak > 4 * x.nbytes  # the test sees floats where there are some
    else:
        assert peak < 1.2 * x.nbytes
