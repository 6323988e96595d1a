"""Forecasts of a run as text for the terminal."""

import numpy as np
from rich.text import Text

from byrote.report.format import byte_size, duration, number, p_value, plural
from byrote.runs.forecast import Costs
from byrote.runs.kinds.arrays import Forecast
from byrote.runs.kinds.canaries import ExposureForecast
from byrote.scores.outlook.outlook import Outlook


def of_records(forecast: Forecast, prospects: Outlook) -> Text:
    """Return number of fits, time, memory, disk, and what a run of this plan can find."""
    error = (
        "there are too few fits for standard errors"
        if np.isnan(prospects.standard_error)
        else f"standard error of mean_log about {number(prospects.standard_error)} nats"
    )
    less = ", uncompiled; the run will be compiled and faster" if forecast.compiled else ""
    release = " and one on all records" if forecast.release else ""
    text = Text(
        f"{plural(forecast.fits, 'fit')}{release}, each about {duration(forecast.seconds_per_fit)}:"
        f" {_in_total(forecast)}\n"
        f"{_memory_and_disk(forecast)}\n"
        f"per record {prospects.values_in:.4g} values in training and {prospects.values_out:.4g}"
        f" held out; {error}\n"
    )
    text.append(f"{_what_is_found(prospects)}\n", style="bold" if prospects.blind else "")
    proven = (
        f"could prove an epsilon of {number(prospects.epsilon)} at best"
        if prospects.epsilon
        else "cannot prove any privacy loss, however large it is"
    )
    return text.append(
        f"smallest p-value of the exact test {p_value(prospects.smallest_p)}; {proven}\n"
        f"(rough: extrapolated from {plural(forecast.pilot_fits, 'pilot fit')} of"
        f" {plural(forecast.pilot_records, 'record')}{less})"
    )


def _what_is_found(prospects: Outlook) -> str:
    if prospects.blind:
        return (
            f"WARNING: this plan can find no single record, whatever its effect:"
            f" {prospects.reason or 'there are too few fits'}"
        )
    if np.isnan(prospects.detectable):
        return f"only the exact test can find single records: {prospects.reason}"
    unsure = "; unsure, as noise in the pilot is far from normal" if prospects.unsure else ""
    return (
        f"finds a single one of {plural(prospects.tested, 'record')} with 80% power if training"
        f" raises its log-likelihood by {number(prospects.detectable)} nats, a noisy one by"
        f" {number(prospects.detectable_noisy)}{unsure}"
    )


def of_canaries(forecast: ExposureForecast) -> Text:
    """Return number of fits, time, memory, disk, and what is inserted and measured."""
    fits = plural(forecast.fits, "fit") + ("" if forecast.fits == 1 else ", each")
    tracking = forecast.times * forecast.passing + forecast.losses * forecast.loss
    during = f" {duration(tracking)} during training and" if forecast.losses else ""
    return Text(
        f"{fits} about {duration(forecast.seconds_per_fit)}: training"
        f" {duration(forecast.training)}, measuring{during} {duration(forecast.measuring)} after"
        f" it; {_in_total(forecast)}\n"
        f"{_memory_and_disk(forecast)}\n"
        f"{forecast.canaries:,} canaries with controls, {forecast.copies:,} copies inserted before"
        f" {forecast.places:,} lines, {forecast.references:,} reference candidates\n"
        f"(rough: extrapolated from one epoch on {forecast.pilot_characters:,} characters; the"
        " time of a search depends on the model)"
    )


def _in_total(costs: Costs) -> str:
    total, overhead = duration(costs.seconds), duration(costs.overhead)
    return f"{total} in total, of which {overhead} not for fits"


def _memory_and_disk(costs: Costs) -> str:
    memory, disk = (byte_size(size, rough=True) for size in (costs.memory, costs.disk))
    return f"memory about {memory}, disk about {disk}"
