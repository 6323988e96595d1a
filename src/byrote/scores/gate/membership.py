"""max_auc: how well an attacker tells members from others."""

from collections.abc import Mapping

import numpy as np

from byrote.errors import InvalidInput
from byrote.scores.gate.bar import UNMEASURED, Measured
from byrote.scores.gate.source import Source
from byrote.scores.privacy.canary_table import attack_canaries, canary_table
from byrote.scores.privacy.membership import ATTACKS, MembershipInference, attack_table

UNIT = "area"
_RECORDS = (
    "area under the curve of the better of lira and loss; the interval speaks of other records and"
    " fits"
)
_CANARIES = (
    "area under the curve of loss, of canaries inserted among those that were not; the interval"
    " speaks of other secrets in the same fits"
)


def measure(source: Source, asked: float) -> Measured:  # noqa: ARG001 (each bar is asked alike)
    """The larger area of two attacks; each end's error is shared between them.

    Of canaries the loss alone: to LiRA the candidates beside them, in no fit, are nothing.
    """
    try:
        found = _of_canaries(source) if source.run.has_canaries else _of_records(source)
    except InvalidInput as error:
        return Measured(unit=UNIT, doubts=(f"{UNMEASURED}: {error}",))
    known = {name: one for name, one in found.items() if not np.isnan(one.interval[0])}
    if not known:
        reasons = {one.reason for one in found.values()} - {""}
        why = "; ".join(sorted(reasons)) or "too few fits"
        return Measured(unit=UNIT, doubts=(f"{UNMEASURED}: {why}",))
    return Measured(
        found=max(one.auc for one in known.values()),
        low=max(one.interval[0] for one in known.values()),
        high=max(one.interval[1] for one in known.values()),
        unit=UNIT,
        covers=_CANARIES if source.run.has_canaries else _RECORDS,
        doubts=() if source.run.has_canaries else _doubts(found, known),
        detail={"attacks": {name: _detail(one) for name, one in found.items()}},
    )


def _of_records(source: Source) -> dict[str, MembershipInference]:
    """Both ends of each attack are allowed half of what the bar allows."""
    level = 1 - 2 * source.tail / len(ATTACKS)
    return {attack: attack_table(source.table, attack, level=level) for attack in ATTACKS}


def _of_canaries(source: Source) -> dict[str, MembershipInference]:
    found = canary_table(source.run.folder, source.table)
    return {"loss": attack_canaries(found, "loss", level=1 - 2 * source.tail)}


def _doubts(
    found: Mapping[str, MembershipInference], known: Mapping[str, MembershipInference]
) -> tuple[str, ...]:
    return tuple(
        f"{name} could not be measured: too few fits, or densities of zero"
        if name not in known
        else f"{one.unscored:,} records have no score by {name}"
        for name, one in found.items()
        if name not in known or one.unscored
    )


def _detail(one: MembershipInference) -> dict[str, float]:
    low, high = one.interval
    return {"auc": one.auc, "low": low, "high": high, "unscored": one.unscored}
