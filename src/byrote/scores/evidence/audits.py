"""Every bound that a table of log-likelihoods may give, with the reason where one may not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.data.records import id_as_text
from byrote.errors import InvalidInput
from byrote.fits.table import Table
from byrote.models.privacy.guarantee import ADD_REMOVE, REPLACEMENT
from byrote.plans import IN, OUT
from byrote.scores.epsilon import audit_one_run, epsilon_from_density, epsilon_from_scores
from byrote.scores.evidence.coins import Flags, coins_of
from byrote.scores.evidence.promise import allowed
from byrote.scores.evidence.result import (
    DENSITY,
    GAUSSIAN,
    ONE_RUN,
    RATES,
    Bound,
)

NO_DELTA = "Gaussian privacy has no finite epsilon at a delta of 0: give a delta"
VACUOUS = (
    "under (epsilon, delta) no score is bounded but by log(e^epsilon + delta sup p / P_out), which"
    " is vacuous for a density without a small upper bound: a record may be memorized without"
    " limit with probability delta"
)
TOO_FEW = (
    "at most {} pairs of fits, one that trained on a record and one that did not, are too few to"
    " prove anything of mean densities at a significance of {:.4g}"
)
TWINS = "the fits of a pair share their seeds: they are no independent trials"
_MATRIX = "a matrix of memberships does not say which data sets are neighbours"
_FIXED = "the splitter's parts are not known to be random"
_BALANCED = (
    "inclusions balance across the fits, so the other probes make fits depend on each other;"
    " byrote.Probes(…, coins=True), --plan probes --coins, has independent fits"
)
_FOLDS = "the fits of a repeat hold out different folds: they are no independent trials"
_NEIGHBOURS = {"probes": ADD_REMOVE, "leave-one-out": ADD_REMOVE}  # others exchange records


@dataclass(frozen=True)
class Claim:
    """What is to be proven of a run, settled before its scores are looked at."""

    delta: float
    significance: float
    guesses: int | None = None
    record: Any = None
    seed: int = 0
    promised: Mapping[str, Any] | None = None

    def bound(self, method: str, epsilon: float, **detail: Any) -> Bound:
        """A bound that could be computed."""
        return Bound(method, epsilon, self.delta, self.significance, detail=detail)

    def none(self, method: str, reason: str, **detail: Any) -> Bound:
        """A method that does not apply."""
        return Bound(method, float("nan"), self.delta, self.significance, reason, detail)


def bounds_of(
    spec: Mapping[str, Any], table: Table, ids: NDArray[Any], claim: Claim
) -> tuple[Bound, ...]:
    """One bound by every method for records that are in or out of fits."""
    return *one_run(spec, table, claim), rates(spec, table, ids, claim), density(spec, table, claim)


def one_run(spec: Mapping[str, Any], table: Table, claim: Claim) -> tuple[Bound, Bound]:
    """The one-run audits, for any mechanism and for a Gaussian one, by the same guesses."""
    coins = coins_of(spec, table)
    if isinstance(coins, str):
        return claim.none(ONE_RUN, coins), claim.none(GAUSSIAN, coins)
    guesses = coins.guesses if claim.guesses is None else claim.guesses
    if checks.integer("guesses", guesses, at_least=1) > len(coins.scores):
        raise InvalidInput(f"guesses must be at most the {len(coins.scores)} coins; got {guesses}")
    found = audit_one_run(
        coins.scores,
        coins.included,
        guesses=guesses,
        delta=claim.delta,
        significance=claim.significance,
        seed=claim.seed,
    )
    detail = {
        "coins": found.canaries,
        "guesses": found.guesses,
        "correct": found.correct,
        "fits": coins.fits,
        "score": coins.told,
        "relation": ADD_REMOVE,
    }
    gaussian = {**detail, "mu": found.mu, "assumes": "a Gaussian mechanism"}
    return claim.bound(ONE_RUN, found.epsilon, **detail), (
        claim.bound(GAUSSIAN, found.gaussian_epsilon, **gaussian)
        if claim.delta
        else claim.none(GAUSSIAN, NO_DELTA, **gaussian)
    )


def rates(spec: Mapping[str, Any], table: Table, ids: NDArray[Any], claim: Claim) -> Bound:
    """Clopper and Pearson's bound: one record, one trial per fit."""
    reason = _no_trials(spec, len(table.rows))
    if reason:
        return claim.none(RATES, reason)
    row = _chosen(ids[table.rows], claim)
    role, values = table.roles()[:, row], table.log_prob[:, row]
    inside, outside = values[role == IN], values[role == OUT]
    if min(len(inside), len(outside)) < 2:
        reason = f"the record has {len(inside)} fits in and {len(outside)} out; it needs 2 of each"
        return claim.none(RATES, reason)
    found = epsilon_from_scores(
        inside, outside, delta=claim.delta, significance=claim.significance, seed=claim.seed
    )
    detail = found.to_dict()
    for name in ("epsilon", "delta", "significance"):
        del detail[name]
    detail.update(record=ids[table.rows][row].item(), relation=_relation(spec))
    return claim.bound(RATES, found.epsilon, **detail)


def density(spec: Mapping[str, Any], table: Table, claim: Claim) -> Bound:
    """The paper's bound: under pure epsilon-DP no memorization score exceeds epsilon."""
    reason = _no_densities(spec, table)
    if reason:
        return claim.none(DENSITY, reason)
    if claim.delta:
        return claim.none(DENSITY, VACUOUS)
    roles = table.roles()
    values = np.where((roles == 0) | _torn(table)[:, None], np.nan, table.log_prob)
    inside, relation = roles == IN, _relation(spec)
    limit = allowed(claim.promised, 0.0, relation)
    found = epsilon_from_density(
        values,
        inside,
        epsilon=limit if np.isfinite(limit) else None,
        significance=claim.significance,
    )
    detail = {**found.to_dict(), "relation": relation}
    for name in ("epsilon", "significance"):
        del detail[name]
    if not found.provable:
        reason = TOO_FEW.format(found.pairs, found.significance)
        return claim.none(DENSITY, reason, **detail)
    return claim.bound(DENSITY, found.epsilon, **detail)


def _no_trials(spec: Mapping[str, Any], records: int) -> str:
    """Why the fits are no independent trials of one record; empty where they are."""
    kind = spec["kind"]
    if kind == "probes" and not spec.get("pairs"):
        return "" if spec.get("coins") or records == 1 else _BALANCED
    if kind in ("subset", "leave-one-out"):
        return ""
    return TWINS if spec.get("pairs") else _MATRIX if kind == "membership" else _FOLDS


def _no_densities(spec: Mapping[str, Any], table: Table) -> str:
    """Why the two sides are no means over random neighbours; empty where they are."""
    if spec.get("pairs"):
        return TWINS
    if spec["kind"] == "membership":
        return _MATRIX
    return "" if table.design.randomized else _FIXED


def _torn(table: Table) -> Flags:
    """(F,) fits of a repeat of which others are missing: without these they are no pair."""
    if table.design.units != "repeats":
        return np.zeros(table.design.fits, dtype=bool)
    return np.isin(table.design.repeat, table.design.repeat[~table.counting()])


def _relation(spec: Mapping[str, Any]) -> str:
    """What tells the two data sets apart, with the record and without, the others at random."""
    return _NEIGHBOURS.get(spec["kind"], REPLACEMENT)


def _chosen(ids: NDArray[Any], claim: Claim) -> int:
    """The place of the record that was asked for, or of one drawn by the run's seed."""
    if claim.record is None:
        generator = seeds.generator(claim.seed, seeds.Purpose.CHOICE, 1)
        return int(generator.integers(len(ids)))
    written = id_as_text(claim.record)
    found = (
        np.flatnonzero(ids.astype(str) == written) if written is not None else np.empty(0, np.intp)
    )
    if len(found) != 1:
        got = checks.brief(claim.record)
        raise InvalidInput(f"record must be the id of a scored record; {got} is none")
    return int(found[0])
