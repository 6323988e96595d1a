"""max_auc: how well an attacker tells members from others."""

from collections.abc import Mapping

import numpy as np

from byrote.errors import InvalidInput
from byrote.scores.evidence.attacks import of_table
from byrote.scores.gate.bar import UNMEASURED, Measured
from byrote.scores.gate.source import Source
from byrote.scores.membership import ATTACKS
from byrote.stats.roc import Cells, area

Area = dict[str, float]
TWINS = "the fits of a pair share their seeds, by which lira is misled: use a plan without pairs"
UNIT = "area"


def measure(source: Source, asked: float) -> Measured:  # noqa: ARG001 (each bar is asked alike)
    """The larger area of two attacks; each end's error is shared between them."""
    if source.inserts:
        return Measured(unit=UNIT, doubts=(f"{UNMEASURED}: in this run canaries are the members",))
    found = {}
    for attack in ATTACKS:
        try:
            found[attack] = _attack(source, attack)
        except InvalidInput as error:
            return Measured(unit=UNIT, doubts=(f"{UNMEASURED}: {error}",))
    known = {name: one for name, one in found.items() if not np.isnan(one["low"])}
    if not known:
        return Measured(unit=UNIT, doubts=(f"{UNMEASURED}: too few fits",))
    return Measured(
        found=max(one["auc"] for one in known.values()),
        low=max(one["low"] for one in known.values()),
        high=max(one["high"] for one in known.values()),
        unit=UNIT,
        covers="area under the curve of the better of lira and loss; the interval speaks of other"
        " records and fits",
        doubts=_doubts(source, found, known),
        detail={"attacks": found},
    )


def _doubts(
    source: Source, found: Mapping[str, Area], known: Mapping[str, Area]
) -> tuple[str, ...]:
    twins = source.run.design.units == "pairs"  # lira then finds less than half without learning
    return (TWINS,) * twins + tuple(
        f"{name} could not be measured: too few fits, or densities of zero"
        if name not in known
        else f"{int(one['unscored']):,} records have no score by {name}"
        for name, one in found.items()
        if name not in known or one["unscored"]
    )


def _attack(source: Source, attack: str) -> Area:
    """The area of one attack with its interval, both ends allowed half of what the bar allows."""
    scores = of_table(source.table, attack)
    there = ~np.isnan(scores.scores)
    fit, record = np.nonzero(there)
    cells = Cells(scores.scores[there], scores.included[there], record, fit)
    level = 1 - 2 * source.tail / len(ATTACKS)
    auc, (low, high) = area(cells, level=level) if len(fit) else (np.nan, (np.nan, np.nan))
    return {"auc": auc, "low": low, "high": high, "unscored": scores.unscored}
