"""The canaries of a run with their log-likelihoods: what its evidence is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.fits.run_folder import RunFolder
from byrote.fits.table import Table
from byrote.models.privacy.guarantee import DPGuarantee

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Planted:
    """Canaries and reference candidates in the fits that are there. Nats.

    fits: (F,) their numbers. log_prob, inserted: (F, n), canaries first. pattern: (n,). canaries:
    how many rows are canaries. chosen: (n,) whose secret somebody chose. ids: (canaries,). sizes:
    completions of each pattern. most: (F, canaries) the largest rank that is certainly not
    exceeded, or None where the run did not look for ranks. longest: characters of the longest
    completion. even: whether all completions of a pattern are equally long.
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
        """How often drawn secrets are inserted, rising, without 0."""
        times = np.unique(self.inserted[:, ~self.chosen])
        return [int(level) for level in times if level]

    @property
    def names(self) -> NDArray[Any]:
        """(F, canaries) the id of every canary in every fit."""
        return np.broadcast_to(self.ids, (len(self.fits), self.canaries))

    def drawn(self, level: int) -> Flags:
        """(F, canaries) the cells of drawn secrets that are inserted so often."""
        return (self.inserted == level)[:, : self.canaries] & ~self.chosen[: self.canaries]


def planted(run: RunFolder, table: Table) -> Planted:
    """What an exposure run planted, in the fits that are there."""
    found = run.canaries
    labels = run.labels
    assert labels is not None  # noqa: S101 (canaries have the number of their pattern)
    count, n = len(found), len(labels)
    fits = np.flatnonzero(table.counting())
    return Planted(
        fits=fits,
        log_prob=table.log_prob[fits],
        inserted=np.array([run.design.included(int(fit)) for fit in fits], dtype=np.int64),
        pattern=np.asarray(labels),
        canaries=count,
        chosen=np.arange(n) < run.manifest.plan.spec.get("chosen", 0),
        ids=found.ids,
        sizes=tuple(pattern.space_size for pattern in found.patterns),
        most=_most(run, fits, count) if found.measurement["method"] != "none" else None,
        longest=max(len(text) for text in found.completions),
        even=_even(np.asarray(labels)[:count], [len(text) for text in found.completions]),
    )


def windows(promised: Mapping[str, Any] | None, longest: int) -> int:
    """Compute how many units of a guarantee one copy of a secret of this length touches at most.

    Examples
    --------
    >>> facts = {"epsilon": 1.0, "delta": 1e-6, "unit": "window of 50 characters", "window": 50}
    >>> windows(facts, 10), windows({"epsilon": 1.0, "delta": 1e-6}, 10)
    (2, 1)
    """
    return 1 if promised is None else DPGuarantee.from_facts(promised).units_touched(longest)


def _even(pattern: Counts, lengths: list[int]) -> bool:
    """Whether all secrets of each pattern are equally long."""
    return len(set(zip(pattern.tolist(), lengths, strict=True))) == len(np.unique(pattern))


def _most(run: RunFolder, fits: Counts, count: int) -> Array:
    """What ranks were certainly at most; after the last report of training."""
    return np.array([run.file(int(fit)).diagnostics()["rank_most"][:count] for fit in fits])
