"""The records with the highest scores (Section 4.2), and the regions where they lie (Section 6)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.neighbors.space import cells_of, comparable, in_space
from byrote.seeds import Purpose, integer
from byrote.stats.estimate import proportion


def highly_memorized(score: ArrayLike, share: float = 0.05) -> NDArray[np.bool_]:
    """Select the records with the highest memorization scores; the paper takes 5 %.

    Parameters
    ----------
    score
        (n,) nats, NaN where a record has no score.
    share
        Share of the scored records, rounded up to whole records; ties go to earlier rows.

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
    high = np.zeros(len(score), dtype=np.bool_)
    high[order[: int(np.ceil(share * len(order) - 1e-9))]] = True
    return high


def central_share(high: ArrayLike, log_prob: ArrayLike, central: float = 0.9) -> float:
    """Compute the share of the highly memorized that are as likely as most records (Section 4.2).

    Parameters
    ----------
    high
        (n,) booleans: which records are highly memorized.
    log_prob
        (n,) log-likelihoods in training, nats; records without a finite one are left out.
    central
        Share of all records, around the median log-likelihood, that counts as most.

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
    high, values = np.asarray(high, dtype=np.bool_)[finite], values[finite]
    if not high.any():
        return float("nan")
    low, top = np.quantile(values, ((1 - central) / 2, (1 + central) / 2))
    return float(((values >= low) & (values <= top))[high].mean())


@dataclass(frozen=True)
class Region:
    """A class or a cluster, with the number of its scored records that are highly memorized.

    interval: Wilson's 95 % interval of ``share = memorized / records``.
    """

    name: str
    records: int
    memorized: int
    share: float
    interval: tuple[float, float]


def memorized_by_region(
    result: MemorizationResult, regions: ArrayLike | None = None, *, share: float = 0.05
) -> list[Region]:
    """Compute the share of highly memorized records in each region, the largest first.

    In a region far above the overall share the model relies on single records: it needs more data,
    or a simpler model (Section 6 of the paper).

    Parameters
    ----------
    regions
        (n,) regions of the records by name (default: the labels of the result).
    share
        Share of all scored records that counts as highly memorized.

    Raises
    ------
    InvalidInput
        If there are no regions, or their number is not that of the records.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.concatenate([np.linspace(0, 1, 30), [4.0, 6.0]])[:, None]
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=byrote.LeaveOneOut())
    >>> first, _ = memorized_by_region(result, np.repeat(["dense", "thin"], [30, 2]))
    >>> first.name, first.memorized, first.records
    ('thin', 2, 2)
    """
    if regions is None and result.labels is None:
        raise InvalidInput("regions must be given for a result without labels; got None")
    names = np.asarray(result.labels if regions is None else regions)
    if names.shape != (len(result),):
        raise InvalidInput(
            f"regions must have one entry for each of {len(result)} records; got {names.shape}"
        )
    high = highly_memorized(result.score, share)
    scored = ~np.isnan(result.score)
    unique, which = np.unique(names[scored], return_inverse=True)
    records = np.bincount(which, minlength=len(unique))
    memorized = np.bincount(which[high[scored]], minlength=len(unique))
    shares = [
        Region(str(name), int(n), int(k), k / n, proportion(k, n).interval)
        for name, n, k in zip(unique, records, memorized, strict=True)
    ]
    return sorted(shares, key=lambda r: (-r.share, -r.records, r.name))


def cluster_records(x: NDArray[Any], clusters: int, *, seed: int = 0) -> NDArray[np.intp]:
    """Cluster records without labels by k-means: (n,) numbers of their clusters.

    Parameters
    ----------
    x
        (n, …) records; all axes but the first make one row of numbers.
    clusters
        Number of clusters, at most n, placed by at most 20,000 random records.

    Raises
    ------
    InvalidInput
        If ``x`` is not an array of records, or ``clusters`` is not between 1 and n.

    Examples
    --------
    >>> import numpy as np
    >>> cluster = cluster_records(np.array([[0.0], [0.1], [5.0], [5.1]]), 2)
    >>> bool(cluster[0] == cluster[1] != cluster[2] == cluster[3])
    True
    """
    arrays = comparable(x=x)
    count = checks.integer("clusters", clusters, at_least=1)
    if count > len(arrays[0]):
        raise InvalidInput(f"clusters must be at most the number of records; got {count}")
    space = in_space(arrays, features=None, downsample=False)
    return cells_of(space, count, integer(seed, Purpose.EXAMPLES))[0]
