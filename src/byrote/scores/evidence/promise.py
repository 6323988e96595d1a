"""What the fits of a run promise: their facts "privacy", or a model's own parameter."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from byrote.fits.run_folder import RunFolder
from byrote.stats.exposure import group_privacy

HISTOGRAM = "byrote.models.laplace_histogram.LaplaceHistogram"
UNREADABLE = "its fits' facts named privacy hold no epsilon of at least 0 with a delta below 1"


def promised_by(run: RunFolder, fits: Sequence[int]) -> dict[str, Any] | None:
    """The promise of the fit with the largest epsilon; None where no fit promises anything.

    ``delta`` is the largest of any fit: what each of them keeps. ``epsilon`` is infinite where it
    is null, and where some fits promise nothing; ``fits`` is how many promise something,
    ``smallest_epsilon`` the least that any does, if they differ.
    """
    if run.manifest.model.name == HISTOGRAM:
        return _of_histogram(float(run.manifest.model.parameters["epsilon"]), len(fits))
    found = [run.facts(fit).get("privacy") for fit in fits]
    given = [_readable(promise) for promise in found if promise is not None]
    if not given:
        return None
    given.sort(key=lambda promise: promise["epsilon"])
    least, most = given[0], given[-1]
    delta = max(promise["delta"] for promise in given)
    result = {**most, "delta": delta, "fits": len(given)}
    if least["epsilon"] < most["epsilon"]:
        result["smallest_epsilon"] = least["epsilon"]
    if len(given) < len(fits):
        result.update(epsilon=np.inf, label=f"{len(fits) - len(given)} fits promise nothing")
    return result


def allowed(promised: Mapping[str, Any] | None, delta: float, relation: str) -> float:
    """The epsilon promised at this delta for such neighbours; NaN where nothing is promised.

    What holds for adding or removing a record holds twice over for replacing one, as for a group of
    two. A promise at a delta holds at every larger one, and says nothing at a smaller.
    """
    if promised is None:
        return float("nan")
    epsilon, own = promised["epsilon"], promised["delta"]
    given = promised.get("relation", "add/remove")
    if given == "replacement" and relation == "add/remove":
        epsilon = promised.get("epsilon_add_remove", np.nan)
    elif given != relation:
        epsilon, own = group_privacy(epsilon, own, 2)
    return float(epsilon) if own <= delta else float("nan")


def _of_histogram(epsilon: float, fits: int) -> dict[str, Any]:
    """Purely private by construction; its docstring has the proof."""
    return {
        "epsilon": epsilon,
        "delta": 0.0,
        "unit": "record",
        "relation": "replacement",
        "epsilon_add_remove": epsilon / 2,
        "accountant": "Laplace noise",
        "fits": fits,
    }


def _readable(promise: Any) -> dict[str, Any]:
    facts = dict(promise) if isinstance(promise, Mapping) else {}
    epsilon, delta = facts.get("epsilon", np.nan), facts.get("delta", np.nan)
    epsilon = np.inf if epsilon is None else epsilon
    if not all(isinstance(value, int | float) for value in (epsilon, delta)) or not (
        epsilon >= 0 and 0 <= delta < 1
    ):
        return {"epsilon": float("inf"), "delta": 0.0, "label": UNREADABLE}
    return {**facts, "epsilon": float(epsilon), "delta": float(delta)}
