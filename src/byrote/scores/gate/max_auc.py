"""max_auc: how well an attacker infers membership."""

from collections.abc import Mapping

import numpy as np

from byrote.errors import InvalidInput
from byrote.scores.gate.threshold import GatedRun, Measured, ThresholdKind
from byrote.scores.privacy.canary_bounds import attack_canaries, canary_table
from byrote.scores.privacy.membership import ATTACKS, MembershipInference, attack_table

UNIT = "area"
_RECORDS = (
    "area under the curve of the better of lira and loss; the interval is for other records and"
    " fits"
)
_CANARIES = (
    "area under the curve of loss, of canaries inserted among those that were not; the interval"
    " is for other secrets in the same fits"
)


def measure(gated: GatedRun, asked: float) -> Measured:  # noqa: ARG001 (one signature for all)
    """Measure the larger area of two attacks, which share the error of each end.

    Canaries are attacked by the loss alone: LiRA has no use for candidates that are in no fit.
    """
    try:
        attacks = _of_canaries(gated) if gated.run.has_canaries else _of_records(gated)
    except InvalidInput as error:
        return Measured.missing(UNIT, str(error))
    known = {name: attack for name, attack in attacks.items() if not np.isnan(attack.interval[0])}
    if not known:
        reasons = {attack.reason for attack in attacks.values()} - {""}
        why = "; ".join(sorted(reasons)) or "too few fits"
        return Measured.missing(UNIT, why)
    return Measured(
        found=max(attack.auc for attack in known.values()),
        low=max(attack.interval[0] for attack in known.values()),
        high=max(attack.interval[1] for attack in known.values()),
        unit=UNIT,
        covers=_CANARIES if gated.run.has_canaries else _RECORDS,
        doubts=() if gated.run.has_canaries else _doubts(attacks, known),
        detail={"attacks": {name: _detail(attack) for name, attack in attacks.items()}},
    )


def _of_records(gated: GatedRun) -> dict[str, MembershipInference]:
    """Attack records; each attack gets half of the threshold's error."""
    level = 1 - 2 * gated.tail / len(ATTACKS)
    return {attack: attack_table(gated.table, attack, level=level) for attack in ATTACKS}


def _of_canaries(gated: GatedRun) -> dict[str, MembershipInference]:
    canaries = canary_table(gated.run.folder, gated.table)
    return {"loss": attack_canaries(canaries, "loss", level=1 - 2 * gated.tail)}


def _doubts(
    attacks: Mapping[str, MembershipInference], known: Mapping[str, MembershipInference]
) -> tuple[str, ...]:
    return tuple(
        f"{name} could not be measured: too few fits, or densities of zero"
        if name not in known
        else f"{attack.unscored:,} of {attack.attacked:,} records have no score by {name}"
        for name, attack in attacks.items()
        if name not in known or attack.unscored
    )


def _detail(attack: MembershipInference) -> dict[str, float]:
    low, high = attack.interval
    return {"auc": attack.auc, "low": low, "high": high, "unscored": attack.unscored}


MAX_AUC = ThresholdKind(
    "max_auc",
    0.5,
    1.0,
    "an area of at least 0.5 and below 1, like 60% or 0.6",
    measure,
    percent=True,
)
