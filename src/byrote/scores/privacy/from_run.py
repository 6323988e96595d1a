"""Privacy evidence and membership inference from a run folder, without training."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from byrote import checks
from byrote.errors import IncompleteRun, InvalidInput
from byrote.runs.run_folder import RunFolder
from byrote.runs.table import Table
from byrote.scores.exposure.exposure_result import exposure_of_run
from byrote.scores.privacy.canary_evidence import canary_bounds, canary_measures
from byrote.scores.privacy.canary_table import attack_canaries, canary_table
from byrote.scores.privacy.evidence import DENSITY, EXPOSURE, ONE_RUN, RATES, PrivacyEvidence
from byrote.scores.privacy.guarantee import guarantee_of, windows
from byrote.scores.privacy.membership import ATTACKS, MembershipInference, attack_table
from byrote.scores.privacy.record_bounds import Claim, record_bounds
from byrote.scores.privacy.record_measures import record_measures


def membership_of(
    run: RunFolder, attack: str = "lira", *, partial: bool = False
) -> MembershipInference:
    """Attack the records or canaries of a run; see ``Run.membership``."""
    partial, attack = checks.flag("partial", partial), checks.choice("attack", attack, ATTACKS)
    table = run.table(partial=partial)
    if not table.counting().any():
        raise IncompleteRun(run.complaint(table.missing))
    if run.design.inserts:
        return attack_canaries(canary_table(run, table), attack)
    return attack_table(table, attack)


def evidence_of(
    run: RunFolder,
    *,
    significance: float = 0.05,
    delta: float | None = None,
    guesses: int | None = None,
    record: Any = None,
    partial: bool = False,
) -> PrivacyEvidence:
    """Bound the privacy loss of a run from below; see ``Run.epsilon``.

    Examples
    --------
    >>> import byrote, numpy as np, tempfile
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(300, 2))
    >>> model, plan = KernelDensity(bandwidth=0.1), byrote.Probes(100, fits=9, coins=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = byrote.score_memorization(model, x, plan=plan, out=folder + "/run")
    ...     evidence = byrote.open_run(folder + "/run").epsilon()
    >>> evidence.method, evidence.headline.detail["correct"], round(evidence.proven, 2)
    ('one-run', 100, 3.49)
    """
    significance = checks.fraction("significance", significance)
    if delta is not None:
        delta = checks.share("delta", delta)
    if guesses is not None:
        guesses = checks.integer("guesses", guesses, at_least=1)
    partial = checks.flag("partial", partial)
    table = run.table(partial=partial)
    if not table.counting().any():
        raise IncompleteRun(run.complaint(table.missing))
    guarantee = guarantee_of(run, np.flatnonzero(table.counting()).tolist())
    if delta is None:
        delta = 0.0 if guarantee is None else guarantee["delta"]
    claim = Claim(delta, significance, guesses, record, run.manifest.seed, guarantee)
    if run.design.inserts:
        return _of_canaries(run, table, claim, partial=partial)
    return _of_records(run, table, claim)


def _of_records(run: RunFolder, table: Table, claim: Claim) -> PrivacyEvidence:
    spec, ids = run.manifest.plan.spec, run.ids
    bounds = record_bounds(spec, table, ids, claim)
    method = _method(spec, claim.guarantee)
    headline = next(bound for bound in bounds if bound.method == method)
    attacks = tuple(attack_table(table, attack) for attack in ATTACKS)
    return PrivacyEvidence(
        kind="scores",
        method=method,
        bounds=bounds,
        membership=attacks,
        promised=claim.guarantee,
        sides=record_measures(table, attacks, headline),
        missing=table.missing,
        description=run.manifest.model_dump(mode="json"),
    )


def _of_canaries(run: RunFolder, table: Table, claim: Claim, *, partial: bool) -> PrivacyEvidence:
    for name in ("guesses", "record"):
        if getattr(claim, name) is not None:
            raise InvalidInput(f"{name} belongs to runs that score records; this one has canaries")
    canaries = canary_table(run, table)
    bounds = canary_bounds(canaries, claim, windows(claim.guarantee, canaries.longest))
    exposure = exposure_of_run(run, partial=partial).exposure
    return PrivacyEvidence(
        kind="exposure",
        method=EXPOSURE,
        bounds=bounds,
        membership=tuple(attack_canaries(canaries, attack) for attack in ATTACKS),
        promised=claim.guarantee,
        sides=canary_measures(canaries, exposure, bounds[0], claim.guarantee),
        missing=table.missing,
        description=run.manifest.model_dump(mode="json"),
    )


def _method(spec: Mapping[str, Any], guarantee: Mapping[str, Any] | None) -> str:
    """Select the headline bound by the plan and the guarantee alone."""
    if spec["kind"] in ("subset", "leave-one-out"):
        return RATES
    pure = guarantee is not None and guarantee["delta"] == 0 and np.isfinite(guarantee["epsilon"])
    return DENSITY if pure and spec["kind"] != "probes" else ONE_RUN
