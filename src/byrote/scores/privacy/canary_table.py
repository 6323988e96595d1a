"""Canaries and reference candidates of a run with their log-likelihoods, and attacks on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.runs.run_folder import RunFolder
from byrote.runs.table import Table
from byrote.scores.privacy.membership import (
    ATTACKS,
    LEVEL,
    MembershipInference,
    lira_scores,
    measure_attack,
)

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CanaryTable:
    """Canaries and reference candidates in the F finished fits. Nats.

    fits: (F,) their numbers. log_prob, inserted: (F, n), canaries first. pattern: (n,). canaries:
    number of rows that are canaries. chosen: (n,) whether the secret was chosen by the user, not
    drawn. ids: (canaries,). sizes: completions of each pattern. most: (F, canaries) certain upper
    bounds on ranks, or None where the run did not measure ranks. longest: characters of the longest
    completion. even: whether all completions of each pattern are equally long.
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
        """Numbers of insertions of drawn secrets, rising, without 0."""
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
        """Yield of each pattern its number of completions, its canaries and its references."""
        for number, size in enumerate(self.sizes):
            rows = np.flatnonzero(self.pattern == number)
            yield size, rows[rows < self.canaries], rows[rows >= self.canaries]


def canary_table(run: RunFolder, table: Table) -> CanaryTable:
    """Collect what an exposure run inserted and measure_attack in its finished fits."""
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
