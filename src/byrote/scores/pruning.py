"""Pruning: which records stay when those that were memorized are taken out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data import id_lists
from byrote.errors import InvalidInput
from byrote.fits.files import write_atomically
from byrote.fits.parquet import check_destination
from byrote.scores.highly import highly_memorized
from byrote.scores.result import MemorizationResult
from byrote.scores.run import Run, open_run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Pruned:
    """Which records of a run stay and which go. Ids alone: no record is read.

    Attributes
    ----------
    kept, removed
        Ids of the records that stay and that go, each in the order of the data.
    rule, threshold
        "fdr": those with a q-value of at most the threshold went. "top": the share of the scored
        records that is the threshold went, those with the highest M.
    scored
        How many records have a score: no others can go.
    never_scored
        Why the others have none, counted. They stay, and nothing is known of them.
    lowest_score
        The smallest M of those that went, nats; NaN where none did.

    Examples
    --------
    ``byrote.prune`` makes one.
    """

    kept: NDArray[Any]
    removed: NDArray[Any]
    rule: str
    threshold: float
    scored: int
    never_scored: Mapping[str, int]
    lowest_score: float
    _ids: NDArray[Any]
    _score: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        rule = f"{self.rule}={self.threshold:g}"
        return f"Pruned({len(self.kept)} of {len(self)} records stay, {rule})"

    def summary(self) -> dict[str, Any]:
        """The choice in a few numbers."""
        return {
            "records": len(self),
            "scored": self.scored,
            "never_scored": dict(self.never_scored),
            "kept": len(self.kept),
            "removed": len(self.removed),
            "rule": self.rule,
            "threshold": self.threshold,
            "lowest_score": self.lowest_score,
        }

    def to_frame(self) -> "pd.DataFrame":
        """One row per record, in the order of the data: id, score M (nats), removed."""
        import pandas as pd  # noqa: PLC0415 (slow to load)

        removed = np.isin(self._ids, self.removed)
        return pd.DataFrame({"id": self._ids, "score": self._score, "removed": removed})

    def save(self, path: str | Path) -> None:
        """List the ids that stay in a .csv, .txt or .parquet file, for ``load(only=...)``.

        Raises
        ------
        InvalidInput
            If the file is of another kind, its folder does not exist, or ids cannot stand in it.
        """
        path = id_lists.check_suffix("path", path)
        check_destination(path)
        write_atomically(path, id_lists.encode_ids(self.kept, path.suffix.lower()))


def prune(
    run: Run | str | Path | MemorizationResult,
    *,
    fdr: float | None = None,
    top: float | None = None,
) -> Pruned:
    """Which records stay when those that a model memorized are taken out?

    What is left can be loaded by ``load(source, only=...)`` and audited again. Records that were
    not memorized may be then: those that went had shielded them (the "onion" of Carlini et al.
    2022).

    Parameters
    ----------
    run
        A run with all its fits, its folder, or scores.
    fdr
        Take out the records with q <= fdr: a list of which about this share is there by chance.
    top
        Take out this share of the scored records, rounded up to whole records: those with the
        highest M, of equals the first. One of ``fdr`` and ``top`` must be given.

    Raises
    ------
    InvalidInput
        If an argument cannot be used, the plan gives no p-values or none so small that ``fdr``
        could take out a record, no record is scored, or none would stay.
    IncompleteRun
        If fits are missing.

    Examples
    --------
    >>> import byrote
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(40, 1))
    >>> x[7] = 9.0
    >>> plan = byrote.KFold(5, repeats=4)
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=plan)
    >>> pruned = prune(result, top=0.05)
    >>> len(pruned.kept), pruned.removed[0]
    (38, np.int64(7))
    """
    if (fdr is None) == (top is None):
        got = "neither" if fdr is None else "both"
        raise InvalidInput(f"one of fdr and top must say which records go; got {got}")
    threshold = checks.fraction(*(("top", top) if fdr is None else ("fdr", fdr)))
    result = run if isinstance(run, MemorizationResult) else open_run(run).memorization()
    if result.summary().scored == 0:
        raise InvalidInput("no record of the run has a score, so none can be taken out")
    if fdr is None:
        gone = highly_memorized(result.score, threshold)
    else:
        _check_discoverable(result, threshold)
        gone = result.q_value <= threshold
    return _pruned(result, gone, "top" if fdr is None else "fdr", threshold)


def _check_discoverable(result: MemorizationResult, fdr: float) -> None:
    """Refuse a rate that no record can reach: that none goes would say nothing."""
    found = result.summary()
    if found.significant is None:
        raise InvalidInput(
            f"fdr needs p-values, and this run has {found.p_value_method}; top needs none"
        )
    if found.smallest_q > fdr:
        raise InvalidInput(
            f"fdr must be at least {found.smallest_q:.2g}, the smallest q-value that this plan can"
            f" give (a larger plan gives smaller ones); got {fdr}"
        )


def _pruned(
    result: MemorizationResult, gone: NDArray[np.bool_], rule: str, threshold: float
) -> Pruned:
    if gone.all():
        raise InvalidInput(
            f"{rule}={threshold:g} would take out all {len(gone)} records, and leave none to train"
            " on" + ("; top takes out the share that you name" if rule == "fdr" else "")
        )
    return Pruned(
        kept=result.ids[~gone],
        removed=result.ids[gone],
        rule=rule,
        threshold=threshold,
        scored=result.summary().scored,
        never_scored=dict(result.summary().unscored),
        lowest_score=float(result.score[gone].min()) if gone.any() else float("nan"),
        _ids=result.ids,
        _score=result.score,
    )
