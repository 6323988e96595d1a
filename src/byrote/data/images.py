"""Encoded images, in a folder or in memory, decoded into one array."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from byrote.data import memory, notices
from byrote.data.choice import chosen_rows
from byrote.data.damage import refused
from byrote.data.geometry import Geometry
from byrote.data.pictures import decode, upright_size
from byrote.data.pixels import scale
from byrote.data.records import Records
from byrote.errors import InvalidInput

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")

_FEWER = "make them smaller (image='resize=N') or take fewer (records=N)"
# what else a user may take for an image of the set
_UNREAD = (
    ".apng", ".avif", ".dng", ".heic", ".heif", ".ico", ".jfif", ".jp2", ".jpe", ".jxl", ".pbm",
    ".pnm", ".svg", ".tga",
)  # fmt: skip


def load_folder(
    source: str, *, image: Geometry | None = None, records: int | None = None
) -> Records:
    """Load all images of a folder, in the order of their paths; hidden and other files are ignored.

    A caution counts those that look like images of kinds that are not read.

    Parameters
    ----------
    source
        Path of the folder. Where images sit in sub-folders, the first level names their labels.
    image
        What to do with each image; nothing if not given.
    records
        How many to decode, a random choice; all if not given.

    Returns
    -------
    Records
        As `stack` gives them; ids are paths relative to the folder, with forward slashes.

    Raises
    ------
    InvalidInput
        If there is no image, one cannot be decoded, sizes differ, or some images have a
        sub-folder and others none.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (4, 3), 255).save(f"{folder}/white.png")
    ...     records = load_folder(folder)
    >>> records.x.shape, records.ids.tolist()
    ((1, 3, 4), ['white.png'])
    """
    folder = Path(source)
    names = _image_names(folder)
    if not names:
        raise InvalidInput(f"the folder holds no images ({', '.join(SUFFIXES)})")
    folders = [name.split("/")[0] for name in names if "/" in name]
    if 0 < len(folders) < len(names):
        raise InvalidInput(
            f"{len(folders)} of {len(names)} images are in sub-folders, which name their labels;"
            " put all of them in sub-folders or none"
        )
    chosen = chosen_rows(len(names), records)
    rows = ((f"row {row} ({names[row]})", folder / names[row]) for row in chosen)
    labels = np.array(folders)[chosen] if folders else None
    return Records(stack(rows, len(chosen), image), ids=np.array(names)[chosen], labels=labels)


def stack(
    images: Iterable[tuple[str, Path | BinaryIO]], count: int, geometry: Geometry | None = None
) -> np.ndarray:
    """Decode ``count`` images, which come to one size, into one array, one after the other.

    Parameters
    ----------
    images
        For each image its place, for messages, and its path or encoded bytes.
    count
        How many there are (the array is made once, not grown).
    geometry
        What to do with each image; nothing if not given.

    Returns
    -------
    numpy.ndarray
        (n, h, w) where all are grey, otherwise (n, h, w, 3), RGB, upright by their EXIF
        orientation. uint8, as stored, where all have 8 bits; float32 in [0, 1] where some have 1 or
        16. Transparency is dropped, with a caution.

    Raises
    ------
    InvalidInput
        If there is none, one cannot be decoded or holds several pictures, the sizes differ, a crop
        reaches beyond one, or they would take most of the memory available.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (4, 3), "white").save(file, "PNG")
    >>> stack([("row 0", file)], 1).shape
    (1, 3, 4, 3)
    """
    geometry = geometry or Geometry()
    array, size, row = None, None, -1
    odd: list[tuple[str, tuple[int, int]]] = []
    clear: list[str] = []
    for row, (place, source) in enumerate(images):
        notices.at(place)
        with _opened(source, place) as file:
            if odd:  # after the first misfit the rest are only counted
                after = geometry.size(upright_size(file, place))
            else:
                picture = decode(file, place)
                after = geometry.size(picture.pixels.shape[1::-1])
                clear += [place] if picture.transparent else []
        size = size or after
        if after != size:
            odd.append((place, after))
        elif not odd:
            if array is None:
                each = after[0] * after[1] * (picture.pixels[:1, :1].nbytes)
                memory.require(count * each, f"{count:,} images of {after[0]}x{after[1]}", _FEWER)
            with refused(f"{count:,} such images do not fit in memory", MemoryError):
                array = _put(geometry.one(picture.pixels), array, row, count)
    if odd:
        raise InvalidInput(_sizes_differ(size, odd, count))
    if array is None or row + 1 != count:
        raise InvalidInput(f"{count} images expected, {row + 1} found; there must be at least one")
    if clear:
        notices.caution(
            f"transparency is dropped; {len(clear)} of {count} images have some, the first is that"
            f" in {clear[0]}"
        )
    return array


@contextmanager
def _opened(source: Path | BinaryIO, place: str) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        yield source
        return
    with refused(f"the image in {place} cannot be read", OSError):
        file = source.open("rb")
    with file:
        yield file


def _image_names(folder: Path) -> list[str]:
    paths = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES + _UNREAD]
    inside = [path.relative_to(folder) for path in paths if path.is_file()]
    seen = [path for path in inside if not any(part.startswith(".") for part in path.parts)]
    unread = Counter(path.suffix.lower() for path in seen if path.suffix.lower() in _UNREAD)
    if unread:
        said = ", ".join(f"{times} {suffix}" for suffix, times in sorted(unread.items()))
        notices.caution(f"images of other kinds are left out: {said}")
    return sorted(path.as_posix() for path in seen if path.suffix.lower() not in _UNREAD)


def _put(pixels: np.ndarray, array: np.ndarray | None, row: int, count: int) -> np.ndarray:
    """Put pixels into a row of the array, which is made for the first row."""
    what = f"{count:,} such images"
    if array is None:
        array = np.empty((count, *pixels.shape), pixels.dtype)
    if pixels.ndim == array.ndim:  # the first colour image after grey ones
        memory.require(3 * array.nbytes, what, _FEWER)
        array = np.repeat(array[..., None], 3, axis=-1)
    if array.dtype != np.uint8:
        pixels = scale(pixels) if pixels.dtype == np.uint8 else pixels
    elif pixels.dtype != np.uint8:  # the first deep image after some of 8 bits
        memory.require(4 * array.nbytes, what, _FEWER)
        array = scale(array)
    array[row] = pixels[..., None] if pixels.ndim < array.ndim - 1 else pixels
    return array


def _sizes_differ(
    size: tuple[int, int] | None, odd: list[tuple[str, tuple[int, int]]], count: int
) -> str:
    first, (place, other) = size or (0, 0), odd[0]
    return (
        f"all images must have the same size; {len(odd)} of {count} are not {first[0]}x{first[1]}"
        f" (width x height) as the first is: the one in {place} is {other[0]}x{other[1]}"
    )
