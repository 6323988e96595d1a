"""Encoded images, in a folder or in memory, decoded into one array."""

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from byrote.data.choice import chosen_rows
from byrote.data.damage import refused
from byrote.data.geometry import Geometry
from byrote.data.pixels import scale
from byrote.data.records import Records
from byrote.errors import InvalidInput

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")

# Only these decoders: some others of Pillow's start programs (EPS) and none is needed.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_DAMAGE = (
    OSError, ValueError, EOFError, SyntaxError, TypeError, LookupError, ArithmeticError,
    AttributeError, NotImplementedError, RuntimeError, struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip


def load_folder(
    source: str, *, image: Geometry | None = None, records: int | None = None
) -> Records:
    """Load all images of a folder, in the order of their paths; hidden and other files are ignored.

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
        (n, h, w) where all are grey, otherwise (n, h, w, 3), RGB. uint8, as stored, where all have
        8 bits; float32 in [0, 1] where some have 1 or 16. Transparency is dropped.

    Raises
    ------
    InvalidInput
        If there is none, one cannot be decoded, the sizes differ, or a crop reaches beyond one.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (4, 3), "white").save(file, "PNG")
    >>> stack([("row 0", file)], 1).shape
    (1, 3, 4, 3)
    """
    geometry = geometry or Geometry()
    array, size, odd, row = None, None, [], -1
    for row, (place, file) in enumerate(images):
        with (
            refused(f"{count} such images do not fit in memory", MemoryError),
            refused(f"the image in {place} cannot be decoded", *_DAMAGE),
            Image.open(file, formats=_FORMATS) as image,
        ):
            after = geometry.size(image.size)
            size = size or after
            if after != size:
                odd.append((place, after))
            if not odd:  # after the first misfit the rest are only counted
                array = _put(geometry.one(_pixels(image, place)), array, row, count)
    if odd:
        raise InvalidInput(_sizes_differ(size, odd, count))
    if array is None or row + 1 != count:
        raise InvalidInput(f"{count} images expected, {row + 1} found; there must be at least one")
    return array


def _image_names(folder: Path) -> list[str]:
    paths = [
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file()
    ]
    hidden = [any(part.startswith(".") for part in path.parts) for path in paths]
    return sorted(path.as_posix() for path, skip in zip(paths, hidden, strict=True) if not skip)


def _pixels(image: Image.Image, place: str) -> np.ndarray:
    """Decode to grey (h, w), uint8 or scaled float32, or to RGB (h, w, 3) of uint8."""
    if image.mode == "L":
        return np.asarray(image)
    if image.mode == "1":
        return scale(np.asarray(image))
    if image.mode[0] in "IF":  # 16 bits, which Pillow also keeps in its 32-bit mode
        deep = np.asarray(image)
        if deep.dtype.kind == "f" or deep.min() < 0 or deep.max() > 65535:
            raise InvalidInput(f"the image in {place} has 32-bit pixels, of which white is unknown")
        return scale(deep.astype(np.uint16))
    if image.mode == "P":  # the detour keeps Pillow from warning about transparent palettes
        image = image.convert("RGBA")
    return np.asarray(image.convert("RGB"))


def _put(pixels: np.ndarray, array: np.ndarray | None, row: int, count: int) -> np.ndarray:
    """Put pixels into a row of the array, which is made for the first row."""
    if array is None:
        array = np.empty((count, *pixels.shape), pixels.dtype)
    if pixels.ndim == array.ndim:  # the first colour image after grey ones
        array = np.repeat(array[..., None], 3, axis=-1)
    if array.dtype != np.uint8:
        pixels = scale(pixels) if pixels.dtype == np.uint8 else pixels
    elif pixels.dtype != np.uint8:  # the first deep image after some of 8 bits
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
