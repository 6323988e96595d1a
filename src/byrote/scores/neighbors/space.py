"""The space in which distances are taken: pixels, halved images or features; its k-means cells."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.columns import Columns
from byrote.data.records import Records, as_numbers
from byrote.data.standardization import Standardization
from byrote.errors import InvalidInput
from byrote.seeds import Purpose, generator, integer
from byrote.stats.nearest import nearest
from byrote.stats.rows import Rows, blocks, exact_type

Features = Callable[[NDArray[Any]], Any]
_FEATURE_BLOCK = 1024  # records
_CLUSTERED = 20_000  # records that suffice to place the cells


def comparable(**sets: Any) -> list[NDArray[Any]]:
    """Check sets of records of one shape, and return them as finite arrays, without a copy.

    If the first, the training records, is a table, all become rows in its standard units.
    """
    for name, data in sets.items():
        _refuse_path(name, data)
    first = next(iter(sets))
    others = {name: data for name, data in sets.items() if name != first}
    from byrote.data.frames import comparable_frames  # noqa: PLC0415 (slow to load)

    frames = comparable_frames(sets[first], **others)
    if frames is not None:
        return _standard_rows(dict(zip(sets, frames, strict=True)))
    arrays = {name: _numbers(name, data) for name, data in sets.items()}
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
    """Convert sets to the rows between which distances are taken; see ``distance_ratio``."""
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
    """Name the space, for descriptions."""
    if features is not None:
        return str(getattr(features, "__qualname__", type(features).__qualname__))
    if not images:
        return "rows"
    return "pixels, 2x2 means" if downsample else "pixels"


def random_subset(count: int, size: int, seed: int) -> NDArray[np.intp]:
    """Draw ``size`` of ``count`` row numbers, in increasing order; all if there are no more."""
    if size >= count:
        return np.arange(count)
    return np.sort(generator(seed, Purpose.EVALUATION).choice(count, size, replace=False))


def converted(rows: Rows) -> Rows:
    """Convert rows once, for a set that is read many times."""
    kept = np.empty((len(rows), rows.width), dtype=rows.dtype)
    for part in blocks(len(rows), _FEATURE_BLOCK):
        kept[part] = rows.take(part)
    return Rows(kept, rows.dtype)


def halved(images: NDArray[Any]) -> NDArray[Any]:
    """Halve images (b, h, w[, c]) by means of 2x2 pixels.

    At the end of an odd side they are means of 2x1, 1x2 or 1x1 pixels.

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


def cells_of(space: list[Rows], cells: int, seed: int) -> list[NDArray[np.intp]]:
    """Assign the rows of each set to k-means cells, placed by at most 20,000 rows of the first.

    Examples
    --------
    >>> first, second = cells_of([Rows(np.array([[0.0], [1], [9]])), Rows(np.array([[8.0]]))], 2, 0)
    >>> bool(first[0] == first[1] != first[2] == second[0])
    True
    """
    if cells == 1:
        return [np.zeros(len(rows), dtype=np.intp) for rows in space]
    centres = _centres(space[0], cells, seed)
    return [nearest(rows, centres)[1][:, 0] for rows in space]


def _centres(train: Rows, cells: int, seed: int) -> NDArray[Any]:
    from sklearn.cluster import KMeans  # noqa: PLC0415 (slow to load)
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415

    rows = train.take(random_subset(len(train), _CLUSTERED, seed))
    means = KMeans(cells, n_init=4, random_state=integer(seed, Purpose.EVALUATION), copy_x=False)
    with warnings.catch_warnings():
        # fewer distinct records than cells: some cells stay empty
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(means.fit(rows).cluster_centers_)


def _standard_rows(frames: Mapping[str, Any]) -> list[NDArray[Any]]:
    """Convert tables to rows between which Euclidean distances do not depend on units or codes.

    Numbers are standardized as those of the first table; each category is an axis, and two that
    differ are at distance 1.
    """
    columns = Columns.of(frames)
    encoded = [columns.encode(frame) for frame in frames.values()]
    units = Standardization.of(columns, encoded[0])
    return [_axes(columns, units.apply(x)) for x in encoded]


def _axes(columns: Columns, x: NDArray[Any]) -> NDArray[np.float64]:
    """Replace the code of each category by a coordinate of its own."""
    parts = [
        x[:, [place]] if isinstance(kind, str) else (x[:, [place]] == np.arange(kind)) / np.sqrt(2)
        for place, kind in enumerate(columns.kinds)
    ]
    return np.column_stack([*parts, x[:, len(columns.kinds) :]]).astype(np.float64)


def _refuse_path(name: str, data: Any) -> None:
    if isinstance(data, str) or hasattr(data, "__fspath__"):
        raise InvalidInput(
            f"{name} must be an array or Records; got a path, which byrote.load reads"
        )


def _numbers(name: str, data: Any) -> NDArray[Any]:
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
    """Scale stored pixels of images to [0, 1]; rows of numbers stay as they are."""

    def change(block: NDArray[Any]) -> NDArray[Any]:
        values = block.astype(dtype, copy=False)
        if block.ndim > 2 and block.dtype in (np.uint8, np.uint16):
            values /= dtype.type(np.iinfo(block.dtype).max)
        return values

    return change


def _features_of(rows: Rows, features: Features) -> NDArray[Any]:
    parts = []
    for part in blocks(len(rows), _FEATURE_BLOCK):
        block = rows.array[part] if rows.change is None else rows.change(rows.array[part])
        values = np.asarray(features(block))
        if values.ndim != 2 or len(values) != len(block) or values.dtype.kind not in "fiub":
            raise InvalidInput(
                f"features must return numbers of shape ({len(block)}, k) for {len(block)} records;"
                f" got {values.dtype} of shape {values.shape}"
            )
        parts.append(values)
    array = np.concatenate(parts)
    checks.finite("features", array)
    return array


def _same_width(first: NDArray[Any], other: NDArray[Any]) -> None:
    if first.shape[1] != other.shape[1]:
        raise InvalidInput(
            "features must return the same number of features for every set; got"
            f" {first.shape[1]} and {other.shape[1]}"
        )
