"""Forecasts of a run as text for the terminal."""

import numpy as np
from rich.text import Text

from byrote.report.format import byte_size, duration, number, plural
from byrote.runs.forecast import Costs
from byrote.runs.kinds.arrays import Forecast
from byrote.runs.kinds.canaries import ExposureForecast


def render(costs: Costs) -> Text:
    """Return number of fits, time, memory, disk, and forecasts of the kind of run."""
    if isinstance(costs, ExposureForecast):
        return _of_canaries(costs)
    assert isinstance(costs, Forecast)  # noqa: S101 (there are no others)
    return _of_records(costs)


def _of_records(forecast: Forecast) -> Text:
    error = (
        f"one {forecast.units.removesuffix('s')} has no standard error"
        if np.isnan(forecast.standard_error)
        else f"standard error of mean_log about {number(forecast.standard_error)} nats"
    )
    less = ", uncompiled; the run will be compiled and faster" if forecast.compiled else ""
    started = ", starting workers included" if forecast.starting else ""
    release = " and one on all records" if forecast.release else ""
    return Text(
        f"{plural(forecast.fits, 'fit')}{release}, each about {duration(forecast.seconds_per_fit)}:"
        f" {duration(forecast.seconds)} in total{started}\n"
        f"{_memory_and_disk(forecast)}\n"
        f"per record {forecast.values_in:.4g} values in training and {forecast.values_out:.4g} held"
        f" out; {error}\n"
        f"(rough: extrapolated from pilot fits of {plural(forecast.pilot_records, 'record')}{less})"
    )


def _of_canaries(forecast: ExposureForecast) -> Text:
    fits = plural(forecast.fits, "fit") + ("" if forecast.fits == 1 else ", each")
    tracking = forecast.times * forecast.passing + forecast.losses * forecast.loss
    during = f" {duration(tracking)} during training and" if forecast.losses else ""
    started = ", starting workers included" if forecast.starting else ""
    return Text(
        f"{fits} about {duration(forecast.seconds_per_fit)}: training"
        f" {duration(forecast.training)}, measuring{during} {duration(forecast.measuring)} after"
        f" it; {duration(forecast.seconds)} in total{started}\n"
        f"{_memory_and_disk(forecast)}\n"
        f"{forecast.canaries:,} canaries with controls, {forecast.copies:,} copies inserted before"
        f" {forecast.places:,} lines, {forecast.references:,} reference candidates\n"
        f"(rough: extrapolated from one epoch on {forecast.pilot_characters:,} characters; the"
        " time of a search depends on the model)"
    )


def _memory_and_disk(costs: Costs) -> str:
    memory, disk = (byte_size(size, rough=True) for size in (costs.memory, costs.disk))
    return f"memory about {memory}, disk about {disk}"
