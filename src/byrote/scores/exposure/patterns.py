"""The log-perplexities of a run by pattern: canaries beside the candidates they compare with."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.fits.run_folder import RunFolder


@dataclass(frozen=True, eq=False)
class PatternBits:
    """One pattern in one fit. Bits.

    Attributes
    ----------
    pattern
        Its text.
    size
        How many completions it has.
    ids, inserted, canary_bits
        (c,) of its canaries.
    reference_bits
        (N,) of its reference candidates.
    """

    pattern: str
    size: int
    ids: NDArray[Any]
    inserted: NDArray[np.int64]
    canary_bits: NDArray[np.float64]
    reference_bits: NDArray[np.float64]


def bits_by_pattern(run: RunFolder, fit: int, *, epoch: int | None = None) -> Iterator[PatternBits]:
    """What a finished fit of an exposure run measured, pattern by pattern."""
    planted = run.canaries
    bits = -run.log_prob(fit, epoch) / np.log(2)
    count = len(planted)
    labels = run.labels
    assert labels is not None  # noqa: S101 (canaries have the number of their pattern)
    included = run.design.included(fit)[:count].astype(np.int64)
    for number, pattern in enumerate(planted.patterns):
        rows = np.flatnonzero(planted.pattern == number)
        yield PatternBits(
            pattern=pattern.text,
            size=pattern.space_size,
            ids=planted.ids[rows],
            inserted=included[rows],
            canary_bits=bits[rows],
            reference_bits=bits[count:][labels[count:] == number],
        )
