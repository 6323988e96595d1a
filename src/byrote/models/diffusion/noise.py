"""Standard normal noise of records, the same in every fit.

A score compares fits, so a record must get the same noise in all of them: the noise is keyed by the
record's content, never by its row or the fit. Content is rounded for this, for the units of a table
change the last bits of standardized numbers; records that agree after rounding share their noise.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from byrote.models.spaces import as_single

_STEPS = np.float32(256)  # into which a unit is divided when content is rounded


def record_noise(
    rows: NDArray[np.generic], seed: int, count: int, purpose: int = 0
) -> NDArray[np.float32]:
    """Draw ``count`` standard normal vectors for each record, (n, count, d), from its content.

    Examples
    --------
    >>> x = np.array([[0.0, 1.0], [2.0, 3.0]])
    >>> bool((record_noise(x, 5, 3)[1] == record_noise(x[1:], 5, 3)[0]).all())
    True
    """
    values = as_single(rows).reshape(len(rows), -1)
    keys = np.rint(values * _STEPS) + np.float32(0)  # -0.0 becomes 0.0
    noise = np.empty((len(values), count, values.shape[1]), dtype=np.float32)
    for key, place in zip(keys, noise, strict=True):
        digest = hashlib.blake2b(key.tobytes(), digest_size=16).digest()
        entropy = [seed, purpose, int.from_bytes(digest, "little")]
        generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy)))
        generator.standard_normal(dtype=np.float32, out=place)
    return noise
