"""Which records make up the batches of an epoch."""

import numpy as np
from numpy.typing import NDArray

from byrote.models.privacy.accounting import Account


def batches(
    account: Account, sampling: str, generator: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Row numbers of one epoch's batches, some of which may be empty.

    Parameters
    ----------
    sampling
        "poisson": each record is in each batch with probability ``account.sample_rate``,
        independently of all else. "shuffled": each record is in one batch, which is drawn for it.
        Its batch is drawn apart from the others', so that a record more changes that batch alone;
        batches of one size, cut from a permutation, would all change.

    Examples
    --------
    >>> account = Account(1.0, 0.25, 4, 10, 1)
    >>> rows = batches(account, "shuffled", np.random.default_rng(0))
    >>> len(rows), sorted(np.concatenate(rows).tolist())
    (4, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    n, count = account.records, account.steps_per_epoch
    if sampling == "shuffled":
        chosen = generator.integers(count, size=n)
        order = np.argsort(chosen, kind="stable")
        return np.split(order, np.cumsum(np.bincount(chosen, minlength=count))[:-1])
    sizes = generator.binomial(n, account.sample_rate, size=count)  # then which: the same law
    return [generator.choice(n, size, replace=False, shuffle=False) for size in sizes]
