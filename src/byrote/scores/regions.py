"""Where the data are thin: regions in which many records are highly memorized (Section 6)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.scores.highly import highly_memorized
from byrote.scores.neighbors.cells import cells_of
from byrote.scores.neighbors.space import comparable, in_space
from byrote.scores.result import MemorizationResult
from byrote.seeds import Purpose, integer
from byrote.stats.estimate import proportion


@dataclass(frozen=True)
class Region:
    """A class or a cluster, and how many of its scored records are highly memorized.

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
    """Share of highly memorized records in each region, the largest first.

    A region far above the overall share is one that the model holds up by single records: it
    needs more data, or a simpler model (Section 6 of the paper).

    Parameters
    ----------
    regions
        (n,) names of the records' regions; the labels of the result if not given.
    share
        The part of all scored records that counts as highly memorized.

    Raises
    ------
    InvalidInput
        If there are no regions, or not one for each record.

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
        raise InvalidInput("regions must be given for a result without labels; got none")
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
    found = [
        Region(str(name), int(n), int(k), k / n, proportion(k, n).interval)
        for name, n, k in zip(unique, records, memorized, strict=True)
    ]
    return sorted(found, key=lambda r: (-r.share, -r.records, r.name))


def cluster_records(x: NDArray[Any], clusters: int, *, seed: int = 0) -> NDArray[np.intp]:
    """Regions for records without labels: (n,) numbers of their k-means clusters.

    Parameters
    ----------
    x
        (n, …) records; all but the first axis are one row of numbers.
    clusters
        How many, at most n; 20,000 random records place them, if there are more.

    Raises
    ------
    InvalidInput
        If ``x`` cannot be records, or ``clusters`` is not between 1 and n.

    Examples
    --------
    >>> import numpy as np
    >>> found = cluster_records(np.array([[0.0], [0.1], [5.0], [5.1]]), 2)
    >>> bool(found[0] == found[1] != found[2] == found[3])
    True
    """
    arrays = comparable(x=x)
    count = checks.integer("clusters", clusters, at_least=1)
    if count > len(arrays[0]):
        raise InvalidInput(f"clusters must be at most the number of records; got {count}")
    space = in_space(arrays, features=None, downsample=False)
    return cells_of(space, count, integer(seed, Purpose.EXAMPLES))[0]
