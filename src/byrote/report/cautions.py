"""Why numbers of a memorization result may be less sure than they look, a sentence each."""

import numpy as np

from byrote.models.registry import approximations
from byrote.report import per_token
from byrote.scores.memorization.memorization_result import MemorizationResult

_FEW = 4  # units of a jackknife below which its error is a rough guess
_COLLAPSE = 10  # nats per value that training adds to the median record: a factor of 22,000 each


def all_of(result: MemorizationResult) -> list[str]:
    """Return all cautions of a result."""
    return [
        *few_repeats(result),
        *wider_held_out(result),
        *approximate(result),
        *degenerate(result),
    ]


def few_repeats(result: MemorizationResult) -> list[str]:
    """Warn of standard errors that rest on few units."""
    plan = result.description["plan"]
    count, units = plan["spec"].get("repeats"), "repeats"
    if plan["units"] == "pairs":
        count, units = plan["fits"] // 2, "pairs"
    elif plan["units"] == "fits":
        values = np.minimum(result.n_in, result.n_out)[~np.isnan(result.score)]
        count, units = int(np.median(values)) if len(values) else None, "values on a side"
    if result.summary().standard_error_reason or count is None or not 2 <= count < _FEW:
        return []
    return [f"Standard errors are uncertain themselves: they rest on only {count} {units}."]


def wider_held_out(result: MemorizationResult) -> list[str]:
    """Warn of values that vary more where records are held out, and fewer of them."""
    sensitivity = result.summary().sensitivity
    if not sensitivity.spreads_differ:
        return []
    return [
        f"A record's values vary {sensitivity.held_out_spread:.2g} times as much where it is held"
        " out. The test takes them to vary alike: with few values held out it may find a record for"
        " that alone, and limits of effects are too narrow. A plan that holds out half of the"
        " records (--plan probes) hardly has this."
    ]


def degenerate(result: MemorizationResult) -> list[str]:
    """Warn of densities that collapse where a record is held out."""
    gain = result.summary().distribution["score"]["median"].value
    values, noun = float(np.prod(result.description["data"]["shape"])), "value"
    if result.description["data"].get("texts"):
        values, noun = per_token.mean_tokens(result), "token"
    if not gain > _COLLAPSE * values:
        return []
    return [
        f"Half of the records gain more than {_COLLAPSE} nats per {noun}: the density collapses"
        " where they are held out, and the size of M is arbitrary. Regularize the model."
    ]


def approximate(result: MemorizationResult) -> list[str]:
    """Warn of a model whose log-densities are known to be inexact."""
    model, records = result.description["model"], result.description["data"]["records"]
    return approximations(model["name"], model["parameters"], records)
