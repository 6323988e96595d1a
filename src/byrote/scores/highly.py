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
