"""One record among the others of its class: an outlier if held out, an inlier if trained on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.records import id_as_text
from byrote.errors import InvalidInput
from byrote.scores.memorization.memorization_result import MemorizationResult

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RecordPercentiles:
    """Percentiles of a record among the other records of its class; nats and per cent.

    Attributes
    ----------
    row
        Its row in the result.
    label
        Its class as text; None where records have no labels and all others are its peers.
    peers
        Number of other records of the class with both log-likelihoods.
    log_prob_in, log_prob_out
        Its log P_A with it in training and without it.
    percentile_in, percentile_out
        Percentage of the peers with a lower value; equal values count half.
    mean_in, mean_out
        Mean of the peers' values.
    score, standard_error
        The record's memorization score M and its standard error (NaN if unknown).
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
    """Compute the percentile of a record within its class, when trained on and when held out.

    Footnote 3 of the paper describes a record that is a far outlier of its digit when held out
    (log P_A = -178) and as likely as the average when trained on (-97).

    Parameters
    ----------
    id
        The record's id, as in ``result.ids``, or its text.

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
    >>> percentiles = record_percentiles(result, 20)
    >>> percentiles.percentile_out, percentiles.peers
    (0.0, 20)
    """
    row = _row(result, id)
    both = ~(np.isnan(result.log_prob_in) | np.isnan(result.log_prob_out))
    if not both[row]:
        raise InvalidInput(
            "id must name a record with log-likelihoods both in and out of training; one is missing"
        )
    peers = np.flatnonzero(both & peers_of(result, row))
    if len(peers) == 0:
        raise InvalidInput(
            "id must name a record whose class has other records; it is the only one"
        )
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
    """(n,) whether a record is another of the same class; without classes, any other."""
    n = len(result)
    same = np.ones(n, bool) if result.labels is None else result.labels == result.labels[row]
    return same & (np.arange(n) != row)


def _row(result: MemorizationResult, record: Any) -> int:
    written = id_as_text(record)
    rows = (
        np.flatnonzero(result.ids.astype(str) == written)
        if written is not None
        else np.empty(0, np.intp)
    )
    if len(rows) == 0:  # the id is not quoted: ids may be private
        raise InvalidInput(
            f"id must be the id of one of the {len(result)} records; no record has it"
        )
    return int(rows[0])


def _percentile(peers: Array, value: float) -> float:
    lower, equal = np.count_nonzero(peers < value), np.count_nonzero(peers == value)
    return float(100 * (lower + equal / 2) / len(peers))
