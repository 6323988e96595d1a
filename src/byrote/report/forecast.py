"""A forecast as text."""

import numpy as np
from rich.text import Text

from byrote.fits.forecast import Costs
from byrote.fits.kinds.arrays import Forecast
from byrote.fits.kinds.canaries import ExposureForecast
from byrote.report.text import number


def render(costs: Costs) -> Text:
    """Fits, time, memory and disk of a run, with what else its kind has to forecast."""
    if isinstance(costs, ExposureForecast):
        return _of_canaries(costs)
    assert isinstance(costs, Forecast)  # noqa: S101 (there are no others)
    return _of_records(costs)


def _of_records(forecast: Forecast) -> Text:
    """Fits, time, memory, disk and the standard error to expect."""
    error = (
        f"one {forecast.units.removesuffix('s')} has no standard error"
        if np.isnan(forecast.standard_error)
        else f"standard error of mean_log about {number(forecast.standard_error)} nats"
    )
    less = ", uncompiled; the run will be compiled and faster" if forecast.compiled else ""
    started = ", starting workers included" if forecast.starting else ""
    release = " and one on all records" if forecast.release else ""
    return Text(
        f"{forecast.fits:,} fits{release}, each about {duration(forecast.seconds_per_fit)}:"
        f" {duration(forecast.seconds)} in all{started}\n"
        f"memory about {size(forecast.memory)}, disk about {size(forecast.disk)}\n"
        f"a record has {forecast.values_in:.4g} values in and {forecast.values_out:.4g} out;"
        f" {error}\n"
        f"(rough: extrapolated from pilot fits of {forecast.pilot_records:,} records{less})"
    )


def _of_canaries(forecast: ExposureForecast) -> Text:
    """Fits, time, memory, disk of an exposure run, and what is planted."""
    fits = f"{forecast.fits:,} fit{'' if forecast.fits == 1 else 's, each'}"
    asked = forecast.times * forecast.passing + forecast.losses * forecast.loss
    passing = f" {duration(asked)} on the way and" if forecast.losses else ""
    started = ", starting workers included" if forecast.starting else ""
    return Text(
        f"{fits} about {duration(forecast.seconds_per_fit)}: training"
        f" {duration(forecast.training)}, measuring{passing} {duration(forecast.measuring)} at the"
        f" end; {duration(forecast.seconds)} in all{started}\n"
        f"memory about {size(forecast.memory)}, disk about {size(forecast.disk)}\n"
        f"{forecast.canaries:,} canaries, controls included, {forecast.copies:,} copies before"
        f" {forecast.places:,} lines, {forecast.references:,} reference candidates\n"
        f"(rough: extrapolated from one epoch on {forecast.pilot_characters:,} characters; what a"
        " search takes depends on the model)"
    )


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """Bytes in the unit that suits them."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return (
                f"{count:.0f} {unit}" if count >= 10 or unit == "bytes" else f"{count:.1f} {unit}"
            )
        count /= 1000
    raise AssertionError
