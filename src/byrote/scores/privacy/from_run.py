"""Privacy evidence and membership inference from a run folder, without training."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from byrote import checks
from byrote.errors import InvalidInput
from byrote.runs.run_folder import RunFolder
from byrote.runs.table import Table
from byrote.scores.exposure.exposure import Exposure
from byrote.scores.privacy.canary_bounds import attack_canaries, canary_bounds, canary_table
from byrote.scores.privacy.evidence import DENSITY, EXPOSURE, ONE_RUN, RATES, PrivacyEvidence
from byrote.scores.privacy.guarantee import guarantee_of, windows
from byrote.scores.privacy.measures import canary_measures, record_measures
from byrote.scores.privacy.membership import ATTACKS, MembershipInference, attack_table
from byrote.scores.privacy.record_bounds import Claim, record_bounds


def membership_of(run: RunFolder, table: Table, attack: str) -> MembershipInference:
    """Attack the records or canaries of a run; see ``Run.membership``."""
    attack = checks.choice("attack", attack, ATTACKS)
    if run.design.inserts:
        return attack_canaries(canary_table(run, table), attack)
    return attack_table(table, attack)


def claim_of(
    run: RunFolder,
    table: Table,
    significance: float,
    delta: float | None,
    guesses: int | None,
    record: Any,
) -> Claim:
    """Check the arguments of ``Run.epsilon``, and fill in the guarantee's delta."""
    significance = run.design.per_look(checks.fraction("significance", significance))
    if delta is not None:
        delta = checks.share("delta", delta)
    if guesses is not None:
        guesses = checks.integer("guesses", guesses, at_least=1)
    for name, value in (("guesses", guesses), ("record", record)):
        if run.design.inserts and value is not None:
            raise InvalidInput(f"{name} belongs to runs that score records; this one has canaries")
    guarantee = guarantee_of(run, np.flatnonzero(table.counting()).tolist())
    if delta is None:
        delta = 0.0 if guarantee is None else guarantee["delta"]
    return Claim(delta, significance, guesses, record, run.manifest.seed, guarantee)


def evidence_of_records(run: RunFolder, table: Table, claim: Claim) -> PrivacyEvidence:
    """Bound the privacy loss of a run with records; see ``Run.epsilon``."""
    spec = run.manifest.plan.spec
    bounds = record_bounds(spec, table, run.ids, claim)
    method = _method(spec, claim.guarantee)
    headline = next(bound for bound in bounds if bound.method == method)
    attacks = tuple(attack_table(table, attack) for attack in ATTACKS)
    return PrivacyEvidence(
        kind="scores",
        method=method,
        bounds=bounds,
        membership=attacks,
        guarantee=claim.guarantee,
        measures=record_measures(table, attacks, headline),
        missing=table.missing,
        description=run.manifest.model_dump(mode="json"),
    )


def evidence_of_canaries(
    run: RunFolder, table: Table, exposure: Exposure, claim: Claim
) -> PrivacyEvidence:
    """Bound the privacy loss of a run with canaries, whose exposure is that of ``Run.exposure``."""
    canaries = canary_table(run, table)
    bounds = canary_bounds(canaries, claim, windows(claim.guarantee, canaries.longest))
    return PrivacyEvidence(
        kind="exposure",
        method=EXPOSURE,
        bounds=bounds,
        membership=tuple(attack_canaries(canaries, attack) for attack in ATTACKS),
        guarantee=claim.guarantee,
        measures=canary_measures(canaries, exposure, bounds[0], claim.guarantee),
        missing=table.missing,
        description=run.manifest.model_dump(mode="json"),
    )


def _method(spec: Mapping[str, Any], guarantee: Mapping[str, Any] | None) -> str:
    """Select the headline bound by the plan and the guarantee alone."""
    if spec["kind"] in ("subset", "leave-one-out"):
        return RATES
    pure = guarantee is not None and guarantee["delta"] == 0 and np.isfinite(guarantee["epsilon"])
    return DENSITY if pure and spec["kind"] != "probes" else ONE_RUN
