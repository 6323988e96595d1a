"""Pruning: the training set without the records that were memorized."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.columnar import Tabular
from byrote.data import id_lists
from byrote.display import Displayed
from byrote.errors import InvalidInput
from byrote.runs.files import write_atomically
from byrote.runs.sealed import check_destination
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.top_records import highly_memorized
from byrote.scores.run import Run, open_run


@dataclass(frozen=True, eq=False, repr=False)
class Pruned(Tabular, Displayed):
    """The records of a run that stay and those that are removed, by id.

    Attributes
    ----------
    kept, removed
        Ids of the records that stay and of those removed, each in the order of the data.
    rule, threshold
        "fdr": records with a q-value of at most the threshold are removed. "top": the threshold is
        the share of the scored records removed, those with the highest M.
    scored
        Number of records with a score: only they can be removed.
    never_scored
        Number of records without a score, by reason. They stay.
    lowest_score
        The smallest M among those removed, nats; NaN if none is removed.

    Examples
    --------
    See ``byrote.prune``.
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
        """Return the selection in a few numbers."""
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

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return id, score M (nats) and removed of each record, in the order of the data."""
        removed = np.isin(self._ids, self.removed)
        return {"id": self._ids, "score": self._score, "removed": removed}

    def save(self, path: str | Path) -> None:
        """Write the ids that stay to a .csv, .txt or .parquet file, for ``load(only=...)``.

        Raises
        ------
        InvalidInput
            If the file has another suffix, its folder does not exist, or it cannot hold the ids.
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
    """Remove the records that a model memorized from its training set.

    Load what is left by ``load(source, only=...)`` to audit it again. Records that were not
    memorized may be then: the removed ones had shielded them (the "onion" of Carlini et al. 2022).

    Parameters
    ----------
    run
        A run with all its fits, its folder, or a result.
    fdr
        Remove the records with q <= fdr, of which about this share is there by chance.
    top
        Remove this share of the scored records, rounded up to whole records: those with the highest
        M; ties go to earlier rows. Exactly one of ``fdr`` and ``top`` must be given.

    Raises
    ------
    InvalidInput
        If an argument is invalid, the plan gives no p-values or none small enough for ``fdr``, no
        record is scored, or none would stay.
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
        raise InvalidInput(f"exactly one of fdr and top must be given; got {got}")
    threshold = checks.fraction(*(("top", top) if fdr is None else ("fdr", fdr)))
    result = run if isinstance(run, MemorizationResult) else open_run(run).memorization()
    if result.summary().scored == 0:
        raise InvalidInput("run must have scored records; no record has a score to prune by")
    if fdr is None:
        removed = highly_memorized(result.score, threshold)
    else:
        _check_discoverable(result, threshold)
        removed = result.q_value <= threshold
    return _pruned(result, removed, "top" if fdr is None else "fdr", threshold)


def _check_discoverable(result: MemorizationResult, fdr: float) -> None:
    """Reject a rate that no record can reach under this plan."""
    summary = result.summary()
    if summary.significant is None:
        raise InvalidInput(
            f"fdr needs p-values, and this run has {summary.p_value_method}; top needs none"
        )
    if summary.smallest_q > fdr:
        raise InvalidInput(
            f"fdr must be at least {summary.smallest_q:.2g}, the smallest q-value that this plan"
            f" can give (a larger plan gives smaller ones); got {fdr}"
        )


def _pruned(
    result: MemorizationResult, removed: NDArray[np.bool_], rule: str, threshold: float
) -> Pruned:
    if removed.all():
        raise InvalidInput(
            f"{rule}={threshold:g} would remove all {len(removed)} records and leave none to train"
            + (" on; top removes a given share" if rule == "fdr" else " on")
        )
    return Pruned(
        kept=result.ids[~removed],
        removed=result.ids[removed],
        rule=rule,
        threshold=threshold,
        scored=result.summary().scored,
        never_scored=dict(result.summary().unscored),
        lowest_score=float(result.score[removed].min()) if removed.any() else float("nan"),
        _ids=result.ids,
        _score=result.score,
    )
