"""Encoded images: a folder of them, and the stacking of decoded images into one array."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from byrote.data import memory
from byrote.data.geometry import Geometry
from byrote.data.image_decoder import decode_image, upright_size
from byrote.data.load_diagnostics import set_position, translate_errors, warn
from byrote.data.records import Records, random_rows, scale_pixels
from byrote.errors import InvalidInput

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")

_WAY_OUT = "make them smaller (image='resize=N') or take fewer (records=N)"
# images that are not read, but that a user may expect to be
_UNREAD = (
    ".apng", ".avif", ".dng", ".heic", ".heif", ".ico", ".jfif", ".jp2", ".jpe", ".jxl", ".pbm",
    ".pnm", ".svg", ".tga",
)  # fmt: skip


def load_image_folder(
    source: str, *, image: Geometry | None = None, records: int | None = None
) -> Records:
    """Load all images of a folder, in the order of their paths; hidden and other files are ignored.

    The first level of sub-folders, if any, names the labels. Ids are paths relative to the folder,
    with forward slashes. A warning counts images of formats that are not read.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (4, 3), 255).save(f"{folder}/white.png")
    ...     records = load_image_folder(folder)
    >>> records.x.shape, records.ids.tolist()
    ((1, 3, 4), ['white.png'])
    """
    folder = Path(source)
    names = _image_names(folder)
    if not names:
        raise InvalidInput(f"the folder holds no images ({', '.join(SUFFIXES)})")
    sub_folders = [name.split("/")[0] for name in names if "/" in name]
    if 0 < len(sub_folders) < len(names):
        raise InvalidInput(
            f"{len(sub_folders)} of {len(names)} images are in sub-folders, which name their"
            " labels; put all of them in sub-folders or none"
        )
    rows = random_rows(len(names), records)
    images = ((f"row {row} ({names[row]})", folder / names[row]) for row in rows)
    labels = np.array(sub_folders)[rows] if sub_folders else None
    x = stack_images(images, len(rows), image)
    return Records(x, ids=np.array(names)[rows], labels=labels)


def stack_images(
    images: Iterable[tuple[str, Path | BinaryIO]], count: int, geometry: Geometry | None = None
) -> np.ndarray:
    """Decode ``count`` images, paths or encoded bytes with their positions, into one array.

    Returns (n, h, w) if all are grey, otherwise (n, h, w, 3), RGB: uint8 if all have 8 bits,
    otherwise float32 in [0, 1]. Sizes that differ after ``geometry`` are refused, as is an array
    that would take most of the available memory. Transparency is dropped, with a warning.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (4, 3), "white").save(file, "PNG")
    >>> stack_images([("row 0", file)], 1).shape
    (1, 3, 4, 3)
    """
    geometry = geometry or Geometry()
    images, array, size, row = iter(images), None, (0, 0), -1
    transparent: list[str] = []
    for row, (position, source) in enumerate(images):
        with _opened(source, position) as file:
            decoded = decode_image(file, position)
        transparent += [position] if decoded.transparent else []
        new_size = geometry.size(decoded.pixels.shape[1::-1])
        if array is None:
            size = new_size
            image_bytes = size[0] * size[1] * decoded.pixels[:1, :1].nbytes
            what = f"{count:,} images of {size[0]}x{size[1]}"
            memory.require(count * image_bytes, what, _WAY_OUT)
        elif new_size != size:
            others = sum(_upright_size(each, geometry) != size for each in images)
            raise InvalidInput(_sizes_differ(size, new_size, position, 1 + others, count))
        with translate_errors(f"{count:,} such images do not fit in memory", MemoryError):
            array = _put(geometry.apply_to_one(decoded.pixels), array, row, count)
    if array is None or row + 1 != count:
        raise InvalidInput(f"{count} images expected, {row + 1} found; there must be at least one")
    if transparent:
        warn(
            f"transparency is dropped; {len(transparent)} of {count} images have some, the first is"
            f" that in {transparent[0]}"
        )
    return array


@contextmanager
def _opened(source: Path | BinaryIO, position: str) -> Iterator[BinaryIO]:
    set_position(position)
    if not isinstance(source, Path):
        yield source
        return
    with translate_errors(f"the image in {position} cannot be read", OSError):
        file = source.open("rb")
    with file:
        yield file


def _image_names(folder: Path) -> list[str]:
    paths = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES + _UNREAD]
    relative = [path.relative_to(folder) for path in paths if path.is_file()]
    visible = [path for path in relative if not any(part.startswith(".") for part in path.parts)]
    unread = Counter(path.suffix.lower() for path in visible if path.suffix.lower() in _UNREAD)
    if unread:
        counts = ", ".join(f"{times} {suffix}" for suffix, times in sorted(unread.items()))
        warn(f"images of other kinds are left out: {counts}")
    return sorted(path.as_posix() for path in visible if path.suffix.lower() not in _UNREAD)


def _put(pixels: np.ndarray, array: np.ndarray | None, row: int, count: int) -> np.ndarray:
    """Store pixels in a row of the array, allocating it for the first and widening it as needed."""
    what = f"{count:,} such images"
    if array is None:
        array = np.empty((count, *pixels.shape), pixels.dtype)
    if pixels.ndim == array.ndim:  # the first colour image after grey ones
        memory.require(3 * array.nbytes, what, _WAY_OUT)
        array = np.repeat(array[..., None], 3, axis=-1)
    if array.dtype != np.uint8:
        pixels = scale_pixels(pixels) if pixels.dtype == np.uint8 else pixels
    elif pixels.dtype != np.uint8:  # the first float image after some of 8 bits
        memory.require(4 * array.nbytes, what, _WAY_OUT)
        array = scale_pixels(array)
    array[row] = pixels[..., None] if pixels.ndim < array.ndim - 1 else pixels
    return array


def _upright_size(image: tuple[str, Path | BinaryIO], geometry: Geometry) -> tuple[int, int]:
    position, source = image
    with _opened(source, position) as file:
        return geometry.size(upright_size(file, position))


def _sizes_differ(
    size: tuple[int, int], misfit: tuple[int, int], position: str, misfits: int, count: int
) -> str:
    return (
        f"all images must have the same size; {misfits} of {count} are not {size[0]}x{size[1]}"
        f" (width x height) as the first is: the one in {position} is {misfit[0]}x{misfit[1]}"
    )
