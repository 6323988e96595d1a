"""Several results in one."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.scores.exposure.estimate import estimate_exposure
from byrote.scores.exposure.result import Exposure

Array = NDArray[np.float64]


def joined(parts: Sequence[Exposure], rows: Sequence[NDArray[np.intp]] | None = None) -> Exposure:
    """Results of one level, one after the other, or each in the rows given for it."""
    names = [field.name for field in fields(Exposure) if field.name not in ("level", "fits")]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    if rows is not None:
        order = np.argsort(np.concatenate(rows))
        columns = {name: column[order] for name, column in columns.items()}
    curves = tuple(curve for part in parts for curve in part.fits)
    return Exposure(**columns, level=parts[0].level, fits=curves)


def estimate_by_group(
    canary_bits: Array,
    reference_bits: Array,
    canary_group: NDArray[Any],
    reference_group: NDArray[Any],
    *,
    ids: NDArray[Any],
    space_size: int | None = None,
    method: str = "sampled",
) -> Exposure:
    """``estimate_exposure`` of each canary against the references of its own group.

    Parameters
    ----------
    canary_bits, canary_group, ids
        (c,) each.
    reference_bits, reference_group
        (N,) each.

    Raises
    ------
    InvalidInput
        As ``estimate_exposure``.

    Examples
    --------
    >>> import numpy as np
    >>> bits, groups = np.array([1.0, 5, 2, 6]), np.array(["x", "x", "y", "y"])
    >>> found = estimate_by_group(
    ...     np.array([5.5, 5.5]), bits, np.array(["y", "x"]), groups, ids=np.array(["a", "b"])
    ... )
    >>> found.rank.tolist()
    [2.0, 3.0]
    """
    parts, places = [], []
    for group in np.unique(canary_group):
        rows = np.flatnonzero(canary_group == group)
        references = reference_bits[reference_group == group]
        options: dict[str, Any] = {"space_size": space_size, "method": method, "ids": ids[rows]}
        parts.append(estimate_exposure(canary_bits[rows], references, **options))
        places.append(rows)
    return joined(parts, places)
