"""The space in which records and samples are near or far: pixels, halved images, features."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.records import Records, as_numbers
from byrote.errors import InvalidInput
from byrote.seeds import Purpose, generator
from byrote.stats.rows import Rows, blocks, exact_type

Features = Callable[[NDArray[Any]], Any]
_FEATURE_BLOCK = 1024  # records


def comparable(**sets: Any) -> list[NDArray[Any]]:
    """The sets as finite arrays of records of one shape; not copied, not converted.

    Raises
    ------
    InvalidInput
        If a set cannot be used, or its records are of another shape than the first set's.
    """
    arrays = {name: _numbers(name, data) for name, data in sets.items()}
    first = next(iter(arrays))
    for name, array in arrays.items():
        if array.shape[1:] != arrays[first].shape[1:]:
            raise InvalidInput(
                f"{name} must hold records of the same shape as {first},"
                f" {arrays[first].shape[1:]}; got {array.shape[1:]}"
            )
    return list(arrays.values())


def in_space(
    arrays: list[NDArray[Any]], *, features: Features | None, downsample: bool
) -> list[Rows]:
    """The sets as rows between which distances are taken; see ``distance_ratio``."""
    downsample = checks.flag("downsample", downsample)
    if features is not None and not callable(features):
        raise InvalidInput(f"features must be a function or None; got {checks.brief(features)}")
    dtype = exact_type(*arrays)
    if features is None:
        return [Rows(array, dtype, _pixels(dtype, downsample)) for array in arrays]
    plain = [Rows(array, dtype, _scaled(dtype)) for array in arrays]
    found = [_features_of(rows, features) for rows in plain]
    for other in found[1:]:
        _same_width(found[0], other)
    kind = exact_type(*found)
    return [Rows(array, kind) for array in found]


def name_of(features: Features | None, *, images: bool, downsample: bool) -> str:
    """What the space is called in a description."""
    if features is not None:
        return str(getattr(features, "__qualname__", type(features).__qualname__))
    if not images:
        return "rows"
    return "pixels, 2x2 means" if downsample else "pixels"


def random_subset(count: int, size: int, seed: int) -> NDArray[np.intp]:
    """``size`` of ``count`` row numbers in rising order; all of them where that is enough."""
    if size >= count:
        return np.arange(count)
    return np.sort(generator(seed, Purpose.EVALUATION).choice(count, size, replace=False))


def settled(rows: Rows) -> Rows:
    """The same rows, converted once: for a set that is looked through again and again."""
    kept = np.empty((len(rows), rows.width), dtype=rows.dtype)
    for part in blocks(len(rows), _FEATURE_BLOCK):
        kept[part] = rows.take(part)
    return Rows(kept, rows.dtype)


def halved(images: NDArray[Any]) -> NDArray[Any]:
    """Images (b, h, w[, c]) at half the size, each pixel the mean of 2x2.

    Where a side is odd, its last pixels are means of what is there: 2x1, 1x2 or 1x1.

    Examples
    --------
    >>> halved(np.arange(9.0).reshape(1, 3, 3))
    array([[[2. , 3.5],
            [6.5, 8. ]]])
    """
    odd = [(0, side % 2) for side in images.shape[1:3]]
    if any(more for _, more in odd):
        # a repeated edge leaves the mean what it is over the pixels there
        images = np.pad(images, [(0, 0), *odd, *[(0, 0)] * (images.ndim - 3)], mode="edge")
    total = images[:, ::2, ::2] + images[:, ::2, 1::2]
    total += images[:, 1::2, ::2]
    total += images[:, 1::2, 1::2]
    total *= 0.25
    return total


def _numbers(name: str, data: Any) -> NDArray[Any]:
    if isinstance(data, str) or hasattr(data, "__fspath__"):
        raise InvalidInput(
            f"{name} must be an array or Records; got a path: byrote.load reads files"
        )
    array = as_numbers(name, data.x if isinstance(data, Records) else data)
    checks.finite(name, array)
    return array


def _pixels(dtype: np.dtype[Any], downsample: bool) -> Callable[[NDArray[Any]], NDArray[Any]]:
    scaled = _scaled(dtype)

    def change(block: NDArray[Any]) -> NDArray[Any]:
        block = scaled(block)
        return halved(block) if downsample and block.ndim > 2 else block

    return change


def _scaled(dtype: np.dtype[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Stored pixels of images to [0, 1]; rows of numbers as they are."""

    def change(block: NDArray[Any]) -> NDArray[Any]:
        values = block.astype(dtype, copy=False)
        if block.ndim > 2 and block.dtype in (np.uint8, np.uint16):
            values /= dtype.type(np.iinfo(block.dtype).max)
        return values

    return change


def _features_of(rows: Rows, features: Features) -> NDArray[Any]:
    found = []
    for part in blocks(len(rows), _FEATURE_BLOCK):
        block = rows.array[part] if rows.change is None else rows.change(rows.array[part])
        values = np.asarray(features(block))
        if values.ndim != 2 or len(values) != len(block) or values.dtype.kind not in "fiub":
            raise InvalidInput(
                f"features must return numbers of shape ({len(block)}, k) for {len(block)} records;"
                f" got {values.dtype} of shape {values.shape}"
            )
        found.append(values)
    array = np.concatenate(found)
    checks.finite("features", array)
    return array


def _same_width(first: NDArray[Any], other: NDArray[Any]) -> None:
    if first.shape[1] != other.shape[1]:
        raise InvalidInput(
            f"features must return equally many numbers for every set; got {first.shape[1]}"
            f" and {other.shape[1]}"
        )
