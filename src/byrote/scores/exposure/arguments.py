"""What ``estimate_exposure`` is given, checked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote import checks
from byrote.errors import InvalidInput

Array = NDArray[np.float64]
METHODS = ("sampled", "skew_normal", "exact")
FEWEST = 1000  # references that can carry a skew-normal fit


@dataclass(frozen=True)
class Arguments:
    """Canaries (c,) and their sorted references, (N,) for all or (c, N)."""

    canaries: Array
    references: Array
    size: int | None
    level: float
    ids: NDArray[Any]


def check(
    canary_bits: ArrayLike,
    reference_bits: ArrayLike,
    space_size: int | None,
    method: str,
    level: float,
    ids: ArrayLike | None,
) -> Arguments:
    """The arguments as arrays, or InvalidInput."""
    method = checks.choice("method", method, METHODS)
    level = checks.fraction("level", level)
    size = None if space_size is None else checks.size("space_size", space_size)
    canaries = np.atleast_1d(checks.numbers("canary_bits", canary_bits))
    references = checks.numbers("reference_bits", reference_bits)
    c = len(canaries)
    if canaries.ndim != 1 or c == 0:
        raise InvalidInput(f"canary_bits must be a number or (c,); got shape {canaries.shape}")
    if references.ndim not in (1, 2) or references.shape[:-1] not in ((), (c,)):
        raise InvalidInput(
            "reference_bits must be (N,) for all canaries or (c, N), a row for each of"
            f" {c}; got shape {references.shape}"
        )
    n = references.shape[-1]
    _enough(n, size, method)
    checks.finite("canary_bits", canaries)
    checks.finite("reference_bits", references)
    size = n if method == "exact" else size
    return Arguments(canaries, np.sort(references), size, float(level), _ids(ids, c))


def _enough(n: int, size: int | None, method: str) -> None:
    if n == 0:
        raise InvalidInput("reference_bits must hold at least one reference; got none")
    if method == "skew_normal" and n < FEWEST:
        raise InvalidInput(
            f"reference_bits must hold {FEWEST:,} references or more for method='skew_normal'"
            f" ('sampled' takes any number); got {n}"
        )
    if method == "sampled" and size is not None and n > size:
        raise InvalidInput(
            f"space_size must be at least the number of references for method='sampled', which are"
            f" candidates of that space; got {size:,} beside {n:,} references"
        )
    if method == "exact" and size not in (None, n):
        raise InvalidInput(
            f"reference_bits must be the whole space for method='exact': space_size ="
            f" {checks.brief(size)}"
            f" of them; got {n}"
        )


def _ids(ids: ArrayLike | None, c: int) -> NDArray[Any]:
    if ids is None:
        return np.arange(c)
    return checks.ids(ids, c, "canaries")
