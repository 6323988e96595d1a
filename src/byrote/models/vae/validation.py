"""Records whose loss decides when a VAE's training stops: read, checked, kept apart."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.formats.npy import load_array
from byrote.errors import InvalidInput
from byrote.models.vae.spaces import Space, as_given, single

_VALUES_AT_A_TIME = 1 << 22


def records(validation: Any) -> NDArray[Any]:
    """The records of an array, or of a .npy file.

    Raises
    ------
    InvalidInput
        If they cannot be had.
    """
    try:
        if isinstance(validation, str | Path):
            if not Path(validation).is_file():
                raise InvalidInput("there is no such file")
            validation = load_array(str(validation)).x
        return as_given(validation)
    except InvalidInput as error:
        raise InvalidInput(f"validation must be records, or a .npy file of them: {error}") from None


def checked(validation: Any, space: Space, x: NDArray[Any]) -> NDArray[Any]:
    """The records, if they are such as the model takes and none of them is in x.

    Raises
    ------
    InvalidInput
        Otherwise.
    """
    found = records(validation)
    if found.shape[1:] != x.shape[1:]:
        raise InvalidInput(
            f"validation must hold records of the shape of X, {x.shape[1:]}; got {found.shape[1:]}"
        )
    try:
        space.check(found)
    except InvalidInput as error:
        raise InvalidInput(f"validation: {error}") from None
    seen = set(_digests(x))
    shared = sum(digest in seen for digest in _digests(found))
    if shared:
        raise InvalidInput(
            "validation must hold records outside X, whose memorization is measured;"
            f" {shared} of {len(found)} are among X"
        )
    return found


def _digests(x: NDArray[Any]) -> Iterator[bytes]:
    """A hash of each record's values, in float32."""
    at_once = max(1, _VALUES_AT_A_TIME // x[0].size)
    for start in range(0, len(x), at_once):
        rows = single(x[start : start + at_once]).reshape(-1, x[0].size) + np.float32(0)
        for row in rows:  # -0.0 is 0.0
            yield hashlib.blake2b(row.tobytes(), digest_size=16).digest()
