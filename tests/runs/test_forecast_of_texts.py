"""The forecast of an exposure run against what the run then takes."""

import numpy as np
import pytest

from byrote import Canary, Corpus
from byrote.data.canary_records import Measurement
from byrote.runs.execute import run_fits
from byrote.runs.forecast import extrapolated
from byrote.runs.request import Settings
from byrote.scores.exposure.score_exposure import exposure_request

from languages import Ngram

TEXT = Corpus(tuple(f"line {k} of a text about {k % 7} cats\n" * 5 for k in range(200)))


def request(settings=None, track=(), epochs=4, **more):
    return exposure_request(
        Ngram(order=5, epochs=epochs),
        TEXT,
        [Canary("the code is {digits:4}")],
        insertions=(1, 8),
        canaries_per_level=2,
        controls=3,
        settings=settings or Settings(),
        measurement=Measurement(references=200),
        track=track,
        **more,
    )


def test_time_and_disk_are_of_the_right_order(tmp_path):
    asked = request(Settings(), track=(1, 2))
    found = asked.forecast()
    run = run_fits(asked, tmp_path / "run")
    took = run.facts(0)["seconds"]
    assert found.seconds_per_fit / 10 < took < 10 * found.seconds_per_fit  # on a busy machine
    size = sum(path.stat().st_size for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert size / 2 < found.disk < 2 * size
    assert (found.times, found.losses) == (2, 4)


def test_counts_are_the_plans():
    found = request(Settings(), fits=3).forecast()
    assert (found.fits, found.canaries, found.copies, found.references) == (3, 7, 18, 200)
    assert (found.times, found.losses, found.passing) == (0, 0, 0)
    assert found.seconds - found.overhead == pytest.approx(3 * found.seconds_per_fit)
    assert found.pilot_characters <= found_characters()


def found_characters():
    return TEXT.split(0.1)[0].characters


def test_more_epochs_take_longer():
    few, many = (request(Settings(), epochs=n).forecast().training for n in (1, 50))
    assert many > 10 * few


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_growth_is_extrapolated(power):
    times = [(n, 3.0 * n**power) for n in (100, 200, 400)]
    assert extrapolated(times, 6400) == pytest.approx(3.0 * 6400**power)
    assert np.isclose(extrapolated(times[:1], 400), 4 * times[0][1])  # nothing known: as the size
