"""Lower bounds on epsilon for records in or out of fits, or why they do not apply."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.data.records import id_as_text
from byrote.errors import InvalidInput
from byrote.models.privacy.dp import ADD_REMOVE, REPLACEMENT
from byrote.plans import IN
from byrote.runs.table import Table
from byrote.scores.privacy.centring import centred
from byrote.scores.privacy.density import density_bound_of
from byrote.scores.privacy.evidence import DENSITY, GAUSSIAN, ONE_RUN, RATES, Bound
from byrote.scores.privacy.guarantee import allowed
from byrote.scores.privacy.one_run import audit_one_run
from byrote.scores.privacy.rates import epsilon_from_scores

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
SHARE, LEAST = 0.1, 100  # share of the coins that are guessed, and the fewest
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
TWINS = "the fits of a pair share their seeds: they are not independent trials"
_MATRIX = "a matrix of memberships does not define which data sets are neighbours"
_GROUPS = "groups of records are held out together, and epsilon is about a single one"
_FIXED = "the splitter's parts are not known to be random"
_BALANCED = (
    "inclusions balance across the fits, so the other probes make fits depend on each other;"
    " byrote.Probes(…, coins=True), --plan probes --coins, has independent fits"
)
_FOLDS = "the fits of a repeat hold out different folds: they are not independent trials"
_NEIGHBOURS = {"probes": ADD_REMOVE, "leave-one-out": ADD_REMOVE}  # others exchange records
_NO_COINS = {
    "kfold": "folds are not independent coins: every record is held out exactly once in a repeat",
    "leave-one-out": "each record is held out alone: there are no coins",
    "subset": "subsets of a fixed size are not independent coins",
    "splitter": "a splitter's parts of fixed sizes are not independent coins",
    "membership": "a matrix of memberships is not known to be tossed by independent fair coins",
}
_PAIRS = (
    "exactly half of the probes are in each fit of a pair: inclusions are not independent coins"
)
_INSTEAD = "a plan of such coins, --plan probes --coins or byrote.Probes(…, coins=True), allows one"


@dataclass(frozen=True)
class Claim:
    """A claim about a run, fixed before looking at its scores."""

    delta: float
    significance: float
    guesses: int | None = None
    record: Any = None
    seed: int = 0
    guarantee: Mapping[str, Any] | None = None

    def bound(self, method: str, epsilon: float, **detail: Any) -> Bound:
        """Make a bound."""
        return Bound(method, epsilon, self.delta, self.significance, detail=detail)

    def none(self, method: str, reason: str, **detail: Any) -> Bound:
        """Make the bound of a method that does not apply."""
        return Bound(method, float("nan"), self.delta, self.significance, reason, detail)


def record_bounds(
    spec: Mapping[str, Any], table: Table, ids: NDArray[Any], claim: Claim
) -> tuple[Bound, ...]:
    """Compute one bound per method."""
    return (
        *one_run_bounds(spec, table, claim),
        rates_bound(spec, table, ids, claim),
        density_bound(spec, table, claim),
    )


def one_run_bounds(spec: Mapping[str, Any], table: Table, claim: Claim) -> tuple[Bound, Bound]:
    """Audit one run, for any mechanism and for a Gaussian one, by the same guesses."""
    coins = coins_of(spec, table)
    if isinstance(coins, str):
        return claim.none(ONE_RUN, coins), claim.none(GAUSSIAN, coins)
    guesses = coins.guesses if claim.guesses is None else claim.guesses
    if checks.integer("guesses", guesses, at_least=1) > len(coins.scores):
        raise InvalidInput(f"guesses must be at most the {len(coins.scores)} coins; got {guesses}")
    audit = audit_one_run(
        coins.scores,
        coins.included,
        guesses=guesses,
        delta=claim.delta,
        significance=claim.significance,
        seed=claim.seed,
    )
    detail = {
        "coins": audit.canaries,
        "guesses": audit.guesses,
        "correct": audit.correct,
        "fits": coins.fits,
        "score": coins.score,
        "relation": ADD_REMOVE,
    }
    gaussian = {**detail, "mu": audit.mu, "assumes": "a Gaussian mechanism"}
    return claim.bound(ONE_RUN, audit.epsilon, **detail), (
        claim.bound(GAUSSIAN, audit.gaussian_epsilon, **gaussian)
        if claim.delta
        else claim.none(GAUSSIAN, NO_DELTA, **gaussian)
    )


def rates_bound(spec: Mapping[str, Any], table: Table, ids: NDArray[Any], claim: Claim) -> Bound:
    """Apply Clopper and Pearson's bound: one record, one trial per fit."""
    reason = _no_trials(spec, len(table.rows))
    if reason:
        return claim.none(RATES, reason)
    row = _record_row(ids[table.rows], claim)
    values, included = table.used()[:, row], table.included()[:, row]
    inside, outside = values[included], values[~included & ~np.isnan(values)]
    if min(len(inside), len(outside)) < 2:
        reason = f"the record has {len(inside)} fits in and {len(outside)} out; it needs 2 of each"
        return claim.none(RATES, reason)
    bound = epsilon_from_scores(
        inside, outside, delta=claim.delta, significance=claim.significance, seed=claim.seed
    )
    detail = bound.to_dict()
    for name in ("epsilon", "delta", "significance"):
        del detail[name]
    detail.update(record=ids[table.rows][row].item(), relation=_relation(spec))
    return claim.bound(RATES, bound.epsilon, **detail)


def density_bound(spec: Mapping[str, Any], table: Table, claim: Claim) -> Bound:
    """Apply the paper's bound: under pure epsilon-DP no memorization score exceeds epsilon."""
    reason = _no_densities(spec, table)
    if reason:
        return claim.none(DENSITY, reason)
    if claim.delta:
        return claim.none(DENSITY, VACUOUS)
    relation = _relation(spec)
    limit = allowed(claim.guarantee, 0.0, relation)
    bound = density_bound_of(
        table.used(without=_in_incomplete_repeat(table)),
        table.included(),
        claimed=limit if np.isfinite(limit) else np.nan,
        significance=claim.significance,
    )
    detail = {**bound.to_dict(), "relation": relation}
    for name in ("epsilon", "significance"):
        del detail[name]
    if not bound.provable:
        reason = TOO_FEW.format(bound.pairs, bound.significance)
        return claim.none(DENSITY, reason, **detail)
    return claim.bound(DENSITY, bound.epsilon, **detail)


@dataclass(frozen=True)
class Coins:
    """Fair coin flips that are guessed together, with scores that are higher where "in" is likely.

    scores, included: (k,). fits: number of fits they belong to. score: what the scores are.
    """

    scores: Array
    included: Flags
    fits: int
    score: str

    @property
    def guesses(self) -> int:
        """Default number of guesses: fixed by the number of coins alone."""
        return default_guesses(len(self.scores))


def default_guesses(coins: int) -> int:
    """Return the default number of guesses for this number of coins."""
    return min(coins, max(LEAST, int(SHARE * coins)))


def coins_of(spec: Mapping[str, Any], table: Table) -> Coins | str:
    """Return the independent coin flips of a plan, or the reason why it has none.

    With coins across fits all of them count together, and scores may compare fits: the outputs of
    all fits are one mechanism of all coins, and turning one coin changes the output of one fit.
    Balanced probes are coins within a fit alone: the other fits reveal how often a record was in
    them, and so whether it is in this one. Only the first fit is audited, by its own output.
    """
    if spec["kind"] != "probes":
        return f"{_NO_COINS.get(spec['kind'], _NO_COINS['membership'])}; {_INSTEAD}"
    if spec.get("pairs"):
        return f"{_PAIRS}; {_INSTEAD}"
    fits = np.flatnonzero(table.counting())
    values, included = [table.log_prob[fit] for fit in fits], table.roles()[fits] == IN
    if spec.get("coins") and len(fits) > 1:
        score = "log-likelihood less its mean over all fits, with and without the record"
        return Coins(np.concatenate([*centred(values)]), included.ravel(), len(fits), score)
    return Coins(values[0], included[0], 1, f"log-likelihood in fit {fits[0]}")


def _no_trials(spec: Mapping[str, Any], records: int) -> str:
    """State why the fits are not independent trials of one record; empty where they are."""
    kind = spec["kind"]
    if kind == "probes" and not spec.get("pairs"):
        return "" if spec.get("coins") or records == 1 else _BALANCED
    if kind in ("subset", "leave-one-out"):
        return ""
    return TWINS if spec.get("pairs") else _MATRIX if kind == "membership" else _FOLDS


def _no_densities(spec: Mapping[str, Any], table: Table) -> str:
    """State why the two sides are not means over random neighbours; empty where they are."""
    if spec.get("pairs"):
        return TWINS
    if spec["kind"] == "membership":
        return _MATRIX
    if "groups" in spec:
        return _GROUPS
    return "" if table.design.randomized else _FIXED


def _in_incomplete_repeat(table: Table) -> Flags:
    """(F,) fits of an incomplete repeat, which cannot be paired."""
    if table.design.units != "repeats":
        return np.zeros(table.design.fits, dtype=bool)
    return np.isin(table.design.repeat, table.design.repeat[~table.counting()])


def _relation(spec: Mapping[str, Any]) -> str:
    """How the data sets with and without the record differ, the others at random."""
    return _NEIGHBOURS.get(spec["kind"], REPLACEMENT)


def _record_row(ids: NDArray[Any], claim: Claim) -> int:
    """Row of the requested record, or of one drawn by the run's seed."""
    if claim.record is None:
        generator = seeds.generator(claim.seed, seeds.Purpose.CHOICE, 1)
        return int(generator.integers(len(ids)))
    written = id_as_text(claim.record)
    rows = (
        np.flatnonzero(ids.astype(str) == written) if written is not None else np.empty(0, np.intp)
    )
    if len(rows) != 1:
        got = checks.brief(claim.record)
        raise InvalidInput(f"record must be the id of a scored record; got {got}")
    return int(rows[0])
