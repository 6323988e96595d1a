"""Privacy evidence from a run folder, without training."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from byrote import checks
from byrote.errors import IncompleteRun, InvalidInput
from byrote.fits.run_folder import RunFolder
from byrote.fits.table import Table
from byrote.scores.evidence.attacks import of_planted, of_table
from byrote.scores.evidence.audits import Claim, bounds_of
from byrote.scores.evidence.canary_bounds import canary_bounds
from byrote.scores.evidence.canary_sides import canary_sides
from byrote.scores.evidence.planted import planted, windows
from byrote.scores.evidence.promise import promised_by
from byrote.scores.evidence.result import (
    DENSITY,
    EXPOSURE,
    ONE_RUN,
    RATES,
    PrivacyEvidence,
)
from byrote.scores.evidence.sides import score_sides
from byrote.scores.exposure.loading import exposure_of
from byrote.scores.membership import ATTACKS


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
    ...     found = byrote.open_run(folder + "/run").epsilon()
    >>> found.method, found.headline.detail["correct"], round(found.proven, 2)
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
    promised = promised_by(run, np.flatnonzero(table.counting()).tolist())
    if delta is None:
        delta = 0.0 if promised is None else promised["delta"]
    claim = Claim(delta, significance, guesses, record, run.manifest.seed, promised)
    found = _of_canaries if run.design.inserts else _of_scores
    return found(run, table, claim, partial)


def _of_scores(run: RunFolder, table: Table, claim: Claim, partial: bool) -> PrivacyEvidence:
    """The evidence of records that are in or out of fits."""
    del partial
    spec, ids = run.manifest.plan.spec, run.ids
    bounds = bounds_of(spec, table, ids, claim)
    method = _method(spec, claim.promised)
    headline = next(bound for bound in bounds if bound.method == method)
    attacks = tuple(of_table(table, attack) for attack in ATTACKS)
    return PrivacyEvidence(
        kind="scores",
        method=method,
        bounds=bounds,
        membership=attacks,
        promised=claim.promised,
        sides=score_sides(table, attacks, headline),
        missing=table.missing,
        description=run.manifest.model_dump(mode="json"),
    )


def _of_canaries(run: RunFolder, table: Table, claim: Claim, partial: bool) -> PrivacyEvidence:
    """The evidence of canaries that are inserted into a text."""
    _refuse(claim)
    found = planted(run, table)
    bounds = canary_bounds(found, claim, windows(claim.promised, found.longest))
    exposed = exposure_of(run, partial=partial).exposure
    return PrivacyEvidence(
        kind="exposure",
        method=EXPOSURE,
        bounds=bounds,
        membership=tuple(of_planted(found, attack) for attack in ATTACKS),
        promised=claim.promised,
        sides=canary_sides(found, exposed, bounds[0], claim.promised),
        missing=table.missing,
        description=run.manifest.model_dump(mode="json"),
    )


def _refuse(claim: Claim) -> None:
    """Options of audits that canaries have none of."""
    for name in ("guesses", "record"):
        if getattr(claim, name) is not None:
            raise InvalidInput(f"{name} belongs to runs that score records; this one has canaries")


def _method(spec: Mapping[str, Any], promised: Mapping[str, Any] | None) -> str:
    """The bound that counts: settled by the plan and the promise alone."""
    if spec["kind"] in ("subset", "leave-one-out"):
        return RATES
    pure = promised is not None and promised["delta"] == 0 and np.isfinite(promised["epsilon"])
    return DENSITY if pure and spec["kind"] != "probes" else ONE_RUN
