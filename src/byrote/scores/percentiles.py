"""One record among its peers: a far outlier when absent, perhaps an inlier when present."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.records import id_as_text
from byrote.errors import InvalidInput
from byrote.scores.result import MemorizationResult

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RecordPercentiles:
    """Where a record stands among the other records of its class; nats and per cent.

    Attributes
    ----------
    row
        Its row in the result.
    label
        Its class as text, or None where records have no labels: then all others are its peers.
    peers
        How many other records of the class have both log-likelihoods.
    log_prob_in, log_prob_out
        Its log P_A with it in training and without it.
    percentile_in, percentile_out
        Share of the peers, in per cent, whose value is lower; those that equal it count half.
    mean_in, mean_out
        Average of the peers' values.
    score, standard_error
        The record's memorization score M and its standard error (NaN where it has none).
    """

    row: int
    label: str | None
    peers: int
    log_prob_in: float
    log_prob_out: float
    percentile_in: float
    percentile_out: float
    mean_in: float
    mean_out: float
    score: float
    standard_error: float


def record_percentiles(result: MemorizationResult, id: Any) -> RecordPercentiles:  # noqa: A002
    """Percentile of one record within its class, when trained on and when held out.

    The paper's footnote 3 tells of a record that is a far outlier of its digit when absent from
    training (log P_A = -178) and as likely as the average of them when present (-97).

    Parameters
    ----------
    id
        The record's id, as in ``result.ids``; its text serves too.

    Raises
    ------
    InvalidInput
        If no record has the id, the record has no log-likelihood in or out, or its class has no
        other record that has both.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.append(np.linspace(0, 1, 20), 4.0)[:, None]
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=byrote.LeaveOneOut())
    >>> found = record_percentiles(result, 20)
    >>> found.percentile_out, found.peers
    (0.0, 20)
    """
    row = _row(result, id)
    both = ~(np.isnan(result.log_prob_in) | np.isnan(result.log_prob_out))
    if not both[row]:
        raise InvalidInput(
            "id must be of a record with log-likelihoods in and out; this one lacks one of them"
        )
    peers = np.flatnonzero(both & peers_of(result, row))
    if len(peers) == 0:
        raise InvalidInput("id must be of a record whose class has others; this one has none")
    inside, outside = result.log_prob_in, result.log_prob_out
    return RecordPercentiles(
        row=row,
        label=None if result.labels is None else str(result.labels[row]),
        peers=len(peers),
        log_prob_in=float(inside[row]),
        log_prob_out=float(outside[row]),
        percentile_in=_percentile(inside[peers], inside[row]),
        percentile_out=_percentile(outside[peers], outside[row]),
        mean_in=float(inside[peers].mean()),
        mean_out=float(outside[peers].mean()),
        score=float(result.score[row]),
        standard_error=float(result.standard_error["score"][row]),
    )


def peers_of(result: MemorizationResult, row: int) -> NDArray[np.bool_]:
    """(n,) whether a record is another one of the same class, or just another without classes."""
    n = len(result)
    same = np.ones(n, bool) if result.labels is None else result.labels == result.labels[row]
    return same & (np.arange(n) != row)


def _row(result: MemorizationResult, id_: Any) -> int:
    written = id_as_text(id_)
    found = (
        np.flatnonzero(result.ids.astype(str) == written)
        if written is not None
        else np.empty(0, np.intp)
    )
    if len(found) == 0:  # the id is not quoted: ids may be private
        raise InvalidInput(f"id must be the id of one of {len(result)} records; none has it")
    return int(found[0])


def _percentile(peers: Array, value: float) -> float:
    lower, equal = np.count_nonzero(peers < value), np.count_nonzero(peers == value)
    return float(100 * (lower + equal / 2) / len(peers))
