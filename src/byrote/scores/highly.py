"""Which records count as highly memorized: those with the highest scores (Section 4.2)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote import checks


def highly_memorized(score: ArrayLike, share: float = 0.05) -> NDArray[np.bool_]:
    """The records with the highest memorization scores; the paper takes 5 % of them.

    Parameters
    ----------
    score
        (n,) nats, NaN where a record has none.
    share
        Of the records that have a score; rounded up to whole records, ties go to earlier rows.

    Returns
    -------
    (n,) booleans.

    Raises
    ------
    InvalidInput
        If ``share`` is not between 0 and 1.

    Examples
    --------
    >>> highly_memorized([0.1, 3.0, float("nan"), 2.0, 0.5], share=0.5)
    array([False,  True, False,  True, False])
    """
    share = checks.fraction("share", share)
    score = np.asarray(score, dtype=np.float64)
    scored = np.flatnonzero(~np.isnan(score))
    order = scored[np.argsort(-score[scored], kind="stable")]
    chosen = np.zeros(len(score), dtype=np.bool_)
    chosen[order[: int(np.ceil(share * len(order) - 1e-9))]] = True
    return chosen


def central_share(high: ArrayLike, log_prob: ArrayLike, central: float = 0.9) -> float:
    """Share of the highly memorized that are as likely as most records (Section 4.2).

    Parameters
    ----------
    high
        (n,) booleans: which records are highly memorized.
    log_prob
        (n,) their log-likelihoods in training, nats; records without a finite one are left out.
    central
        The part of all records, about the median log-likelihood, that counts as most.

    Returns
    -------
    Between 0 and 1; NaN where no highly memorized record has a finite log-likelihood.

    Raises
    ------
    InvalidInput
        If ``central`` is not between 0 and 1.

    Examples
    --------
    >>> central_share([True, True, False, False, False], [-90.0, -5.0, -4.0, -3.0, -2.0])
    0.5
    """
    central = checks.fraction("central", central)
    values = np.asarray(log_prob, dtype=np.float64)
    finite = np.isfinite(values)
    chosen, values = np.asarray(high, dtype=np.bool_)[finite], values[finite]
    if not chosen.any():
        return float("nan")
    low, top = np.quantile(values, ((1 - central) / 2, (1 + central) / 2))
    return float(((values >= low) & (values <= top))[chosen].mean())
