"""Canaries of a run with their log-likelihoods: attacks on them, and bounds from their ranks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.models.privacy.dp import ADD_REMOVE
from byrote.runs.run_folder import RunFolder
from byrote.runs.table import Table
from byrote.scores.privacy.evidence import DENSITY, EXPOSURE, GAUSSIAN, ONE_RUN, RATES, Bound
from byrote.scores.privacy.membership import (
    ATTACKS,
    LEVEL,
    MembershipInference,
    lira_scores,
    measure_attack,
)
from byrote.scores.privacy.record_bounds import VACUOUS, Claim
from byrote.stats.exposure import epsilon_bound

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]
DEALT = (
    "levels are dealt out to the canaries in fixed numbers: inclusions are not independent coins"
)
DEPEND = "what level a canary has depends on the others': its fits are not trials with and without"
COPIES = "a canary has several copies and others in its place: its two sides are not neighbours"
LENGTHS = (
    "secrets differ in length, which moves all text after them to other windows: more change than"
    " those that hold a secret"
)
NO_SECRETS = "no drawn secret is inserted: the rank of a chosen secret has no null distribution"


@dataclass(frozen=True, eq=False)
class CanaryTable:
    """Canaries and reference candidates in the F finished fits; log-likelihoods in nats.

    fits: (F,) their numbers. log_prob, inserted: (F, n), canaries first. pattern: (n,). canaries:
    number of rows that are canaries. chosen: (n,) whether the secret was chosen by the user, not
    drawn. ids: (canaries,). sizes: completions of each pattern. most: (F, canaries) guaranteed
    upper bounds on ranks, or None where the run did not measure ranks. longest: characters of the
    longest completion. even: whether all completions of each pattern are equally long.
    """

    fits: Counts
    log_prob: Array
    inserted: Counts
    pattern: Counts
    canaries: int
    chosen: Flags
    ids: NDArray[Any]
    sizes: tuple[int, ...]
    most: Array | None
    longest: int
    even: bool

    @property
    def levels(self) -> list[int]:
        """Numbers of insertions of drawn secrets, in increasing order, omitting 0."""
        insertions = np.unique(self.inserted[:, ~self.chosen])
        return [int(level) for level in insertions if level]

    @property
    def names(self) -> NDArray[Any]:
        """(F, canaries) the id of every canary in every fit."""
        return np.broadcast_to(self.ids, (len(self.fits), self.canaries))

    def drawn(self, level: int) -> Flags:
        """(F, canaries) which cells are drawn secrets inserted ``level`` times."""
        return (self.inserted == level)[:, : self.canaries] & ~self.chosen[: self.canaries]

    def patterns(self) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the number of completions, the canaries and the references of each pattern."""
        for number, size in enumerate(self.sizes):
            rows = np.flatnonzero(self.pattern == number)
            yield size, rows[rows < self.canaries], rows[rows >= self.canaries]


def canary_table(run: RunFolder, table: Table) -> CanaryTable:
    """Collect what an exposure run inserted and measured in its finished fits."""
    canaries, labels = run.canaries, run.labels
    assert labels is not None  # noqa: S101 (canaries have the number of their pattern)
    count, pattern = len(canaries), np.asarray(labels)
    fits = np.flatnonzero(table.counting())
    lengths = [len(text) for text in canaries.completions]
    return CanaryTable(
        fits=fits,
        log_prob=table.log_prob[fits],
        inserted=np.array([run.design.included(int(fit)) for fit in fits], dtype=np.int64),
        pattern=pattern,
        canaries=count,
        chosen=np.arange(len(pattern)) < run.manifest.plan.spec.get("chosen", 0),
        ids=canaries.ids,
        sizes=tuple(pattern.space_size for pattern in canaries.patterns),
        most=_most(run, fits, count) if canaries.measurement["method"] != "none" else None,
        longest=max(lengths),
        even=_even(pattern[:count], lengths),
    )


def attack_canaries(
    canaries: CanaryTable, attack: str, inserted: int | None = None, *, level: float = LEVEL
) -> MembershipInference:
    """Attack secrets inserted this many times (default: at all) among those never inserted.

    Controls and reference candidates are drawn as the secrets are, so that a text without them
    cannot reveal which are which. Log-likelihoods are standardized within each fit and pattern,
    over all rows alike, so that one threshold serves every pattern. The intervals are for other
    secrets in the same fits, as those of exposures are.
    """
    attack = checks.choice("attack", attack, ATTACKS)
    insertions = canaries.inserted
    attack_scored = insertions > 0 if inserted is None else insertions == inserted
    scores = np.where(attack_scored | (insertions == 0), standardized(canaries), np.nan)
    scores[:, canaries.chosen] = np.nan
    if attack == "lira":
        scores = lira_scores(scores, insertions > 0)
    same_unit = np.zeros(len(canaries.fits), np.intp)
    return measure_attack(scores, insertions > 0, attack, unit=same_unit, level=level)


def standardized(canaries: CanaryTable) -> Array:
    """Standardize log-likelihoods by fit and pattern, (F, n).

    Means and deviations are those of finite values; where nothing varies, only the mean is
    subtracted.
    """
    values = canaries.log_prob.copy()
    for pattern in np.unique(canaries.pattern):
        columns = canaries.pattern == pattern
        finite = np.where(np.isfinite(values[:, columns]), values[:, columns], np.nan)
        for row, known in zip(values, finite, strict=True):
            if not np.isnan(known).all():
                deviation = np.nanstd(known)
                row[columns] = (row[columns] - np.nanmean(known)) / (
                    deviation if deviation else 1.0
                )
    return values


def _even(pattern: Counts, lengths: list[int]) -> bool:
    return len(set(zip(pattern.tolist(), lengths, strict=True))) == len(np.unique(pattern))


def _most(run: RunFolder, fits: Counts, count: int) -> Array:
    return np.array([run.file(int(fit)).diagnostics()["rank_most"][:count] for fit in fits])


# -- bounds on epsilon ----------------------------------------------------------------------------


def canary_bounds(canaries: CanaryTable, claim: Claim, windows: int) -> tuple[Bound, ...]:
    """Compute one bound per method."""
    return (
        exposure_rank_bound(canaries, claim, windows),
        claim.none(ONE_RUN, DEALT),
        claim.none(GAUSSIAN, DEALT),
        claim.none(RATES, DEPEND),
        claim.none(DENSITY, VACUOUS if claim.delta else COPIES),
    )


def exposure_rank_bound(canaries: CanaryTable, claim: Claim, windows: int) -> Bound:
    """Compute the largest epsilon that the ranks of the secrets reject at any level.

    A secret drawn uniformly has ``P(p <= u) <= u`` without its copies in the text, so at most
    ``e^{c epsilon} u + delta_c`` with c of them, whatever the others do. The probability that half
    of a level's p-values are at most u is at most twice that (Markov), however they depend on each
    other. Levels share the significance.
    """
    levels = canaries.levels
    if not levels:
        return claim.none(EXPOSURE, NO_SECRETS)
    if not canaries.even and (claim.guarantee or {}).get("window") is not None:
        return claim.none(EXPOSURE, LENGTHS)
    p_values, least = rank_p_values(canaries), least_p_values(canaries)
    rows, best = (
        [_level(p[canaries.drawn(level)], level, claim, windows, len(levels)) for level in levels]
        for p in (p_values, np.broadcast_to(least, p_values.shape))
    )
    provable = max(row["epsilon"] for row in best)
    detail = {"levels": rows, "provable": provable, "windows": windows, "relation": ADD_REMOVE}
    return claim.bound(EXPOSURE, max(row["epsilon"] for row in rows), **detail)


def _level(p_values: Array, level: int, claim: Claim, windows: int, levels: int) -> dict[str, Any]:
    """Bound epsilon by one level; p_values: one of every secret in every fit."""
    half = -(-len(p_values) // 2)
    median = float(np.sort(p_values)[half - 1])
    significance = claim.significance / levels
    share = significance * half / len(p_values)
    return {
        "insertions": level,
        "units": level * windows,
        "canaries": len(p_values),
        "p_value": median,
        "significance": significance,
        "epsilon": epsilon_bound(median, claim.delta, level * windows, share),
    }


def least_p_values(canaries: CanaryTable) -> Array:
    """Compute ``rank_p_values`` of secrets more likely than all others, (canaries,)."""
    least = np.empty(canaries.canaries)
    for size, secrets, references in canaries.patterns():
        p = 1 / (len(references) + 1.0)
        if canaries.most is not None:
            p = min(1.0, 2 * min(p, 1 / (size - (len(secrets) - 1.0))))
        least[secrets] = p
    return least


def rank_p_values(canaries: CanaryTable) -> Array:
    """Compute p-values of each secret's rank among its possible replacements, (F, canaries).

    Among reference candidates, (k + 1) / (N + 1); where the run measured ranks, also the largest
    possible rank over the number of completions that the other secrets leave; twice the smaller.
    """
    among_references = np.empty((len(canaries.fits), canaries.canaries))
    left = np.empty(canaries.canaries)
    for size, secrets, references in canaries.patterns():
        left[secrets] = size - (len(secrets) - 1)
        for fit, values in enumerate(canaries.log_prob):
            ordered = np.sort(values[references])
            above = len(ordered) - np.searchsorted(ordered, values[secrets], side="left")
            among_references[fit, secrets] = (above + 1) / (len(ordered) + 1)
    if canaries.most is None:
        return among_references
    return np.minimum(1.0, 2 * np.minimum(among_references, canaries.most / left))
