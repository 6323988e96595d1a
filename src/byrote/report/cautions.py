"""What must be known to read the numbers of a run, a sentence each."""

import numpy as np

from byrote.models.inexact_densities import approximations
from byrote.scores.memorization.memorization_result import MemorizationResult

FEW = 4  # units of a jackknife below which its error is a rough guess
COLLAPSE = 10  # nats per value that training adds to the median record: a factor of 22,000 each


def few(result: MemorizationResult) -> list[str]:
    """How little the standard errors rest on, where it is little: they are uncertain themselves."""
    plan = result.description["plan"]
    count, units = plan["spec"].get("repeats"), "repeats"
    if plan["units"] == "pairs":
        count, units = plan["fits"] // 2, "pairs"
    elif plan["units"] == "fits":
        values = np.minimum(result.n_in, result.n_out)[~np.isnan(result.score)]
        count, units = int(np.median(values)) if len(values) else None, "values on a side"
    if result.summary().standard_error_reason or count is None or not 2 <= count < FEW:
        return []
    return [f"± is one standard error, from {count} {units} only: itself uncertain."]


def degenerate(result: MemorizationResult) -> list[str]:
    """A caution where the density of the median record changes beyond all measure."""
    gain = result.summary().distribution["score"]["median"].value
    if not gain > COLLAPSE * np.prod(result.description["data"]["shape"]):
        return []
    return [
        f"Half of the records gain more than {COLLAPSE} nats per value: the density collapses where"
        " they are held out, and the size of M is arbitrary. Regularize the model."
    ]


def approximate(result: MemorizationResult) -> list[str]:
    """Where the model is known not to give quite the log-density."""
    model, records = result.description["model"], result.description["data"]["records"]
    return approximations(model["name"], model["parameters"], records)


def lever(result: MemorizationResult) -> str:
    """What makes the plan larger."""
    spec = result.description["plan"]["spec"]
    if spec["kind"] in ("kfold", "leave-one-out"):
        return "more repeats (--repeats)"
    return "more fits (--fits)" if spec["kind"] in ("probes", "subset") else "one with more fits"


ALL = (few, approximate, degenerate)
