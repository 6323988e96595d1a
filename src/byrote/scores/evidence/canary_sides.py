"""Memorization, exposure, membership and epsilon of canaries, by how often they are inserted."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.scores.epsilon import exposure_bound
from byrote.scores.evidence.attacks import of_planted
from byrote.scores.evidence.planted import Planted
from byrote.scores.evidence.promise import allowed
from byrote.scores.evidence.result import Bound, Side
from byrote.scores.exposure.levels import NULL_MEAN, by_insertions
from byrote.scores.exposure.result import Exposure
from byrote.stats.estimate import mean

Array = NDArray[np.float64]

LEVEL = 0.95
ZERO = "some candidates have a probability of zero"
FLOORS = "{} of {} are lower bounds, and so is the mean"


def canary_sides(
    found: Planted, exposure: Exposure, bound: Bound, promised: Mapping[str, Any] | None
) -> tuple[Side, ...]:
    """A row of four for each level, and controls, of which there is no epsilon, first.

    ``exposure`` has the canaries of every fit, fit by fit. The mean exposure is held against what
    the promise allows (``promised_mean_bits``), every copy counted once for each training window
    that it may touch.
    """
    proven = {row["insertions"]: row for row in bound.detail.get("levels", ())}
    windows = bound.detail.get("windows", 1)
    promised = None if bound.reason else promised  # how many windows are changed is not known
    sides = []
    for level in [0, *found.levels]:
        cells = found.drawn(level)
        if not cells.any():
            continue
        group = _name(int(cells.sum()), level)
        sides += [
            _memorization(group, found, cells),
            _exposure(group, exposure, cells, level, _promised(found, promised, level * windows)),
        ]
        if level:
            epsilon = _epsilon(group, proven[level]) if level in proven else _none(group, bound)
            sides += [_membership(group, found, level), epsilon]
    return tuple(sides)


def _name(count: int, level: int) -> str:
    if not level:
        return f"{count} {'control' if count == 1 else 'controls'}"
    times = "once" if level == 1 else f"{level} times"
    return f"{count} {'canary' if count == 1 else 'canaries'} inserted {times}"


def _memorization(group: str, found: Planted, cells: NDArray[np.bool_]) -> Side:
    """Mean log-likelihood of secrets less that of others that might have come in their place.

    The reference candidates of the same fit are draws as the secrets are, never inserted: their
    mean is what the secrets' own would be, had they been left out.
    """
    gain = np.empty((len(found.fits), found.canaries))
    for number in range(len(found.sizes)):
        of_pattern = found.pattern == number
        own = np.flatnonzero(of_pattern[: found.canaries])
        references = np.flatnonzero(of_pattern[found.canaries :]) + found.canaries
        outside = found.log_prob[:, references].mean(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            gain[:, own] = found.log_prob[:, own] - outside
    values, secrets = gain[cells], found.names[cells]
    if not np.isfinite(values).all():
        return Side(group, "memorization", np.nan, np.nan, np.nan, LEVEL, 0.0, ZERO)
    gained = mean(values, secrets, level=LEVEL)
    return Side(group, "memorization", gained.value, *gained.interval, LEVEL, 0.0)


def _exposure(
    group: str, exposure: Exposure, cells: NDArray[np.bool_], level: int, promised: float
) -> Side:
    which = cells.ravel()
    columns = {
        field.name: getattr(exposure, field.name)[which]
        for field in fields(Exposure)
        if field.name not in ("level", "fits")
    }
    (found,) = by_insertions(Exposure(**columns), np.full(int(which.sum()), level))
    reason = FLOORS.format(found.saturated, found.canaries) if found.saturated else ""
    detail = {**found.to_dict(), "promised_mean_bits": promised}
    ends = (found.low, found.high)
    return Side(group, "exposure", found.mean, *ends, LEVEL, NULL_MEAN, reason, detail)


def _promised(found: Planted, promised: Mapping[str, Any] | None, units: int) -> float:
    """The most that the promise lets the mean exposure be, in the largest space; NaN for none."""
    epsilon = allowed(promised, 1.0, "add/remove")
    if promised is None or not np.isfinite(epsilon) or not units:
        return float("nan")
    bound = exposure_bound(
        epsilon=epsilon,
        delta=promised["delta"],
        insertions=units,
        space_size=max(found.sizes),
    )
    return bound.mean_bits


def _membership(group: str, found: Planted, level: int) -> Side:
    attack = of_planted(found, "loss", level)
    return Side(group, "membership", attack.auc, *attack.interval, attack.level, 0.5, attack.reason)


def _none(group: str, bound: Bound) -> Side:
    unknown = (np.nan, np.nan, np.nan)
    return Side(group, "epsilon", *unknown, 1 - bound.significance, 0.0, bound.reason)


def _epsilon(group: str, row: Mapping[str, Any]) -> Side:
    level = 1 - row["significance"]
    return Side(group, "epsilon", row["epsilon"], row["epsilon"], np.inf, level, 0.0, detail=row)
