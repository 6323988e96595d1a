"""One encoded image, decoded: the one door through which every image comes.

What is shown is what counts: pictures are turned upright by their EXIF orientation, white is 1
however it is stored, and what would be lost in silence is refused or said.
"""

import logging
import struct
import sys
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from byrote.data.damage import refused
from byrote.data.notices import overheard
from byrote.data.pixels import scale
from byrote.errors import InvalidInput

# Only these decoders: some others of Pillow's start programs (EPS) and none is needed.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_DAMAGE = (
    OSError, ValueError, EOFError, SyntaxError, TypeError, LookupError, ArithmeticError,
    AttributeError, NotImplementedError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
_ORIENTATION = 0x0112  # the EXIF tag
_UPRIGHT: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}
_LYING = (5, 6, 7, 8)  # of those, Pillow turns the size of TIFF by itself
_BITS, _PHOTOMETRIC, _PLANAR = 258, 262, 284  # TIFF tags
_WHITE_IS_ZERO, _BY_CHANNEL = 0, 2  # values of the last two
_DEEP_COLOURS = ("RGB", "RGBA", "RGBX")

# Pillow reports some damage here besides raising, and without a handler it reaches the terminal.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Picture:
    """What one file holds.

    Attributes
    ----------
    pixels
        Grey (h, w) or RGB (h, w, 3): uint8, or float32 in [0, 1] where not stored with 8 bits.
    transparent
        Whether some pixel was not opaque; transparency is dropped.
    """

    pixels: NDArray[Any]
    transparent: bool = False


def decode(file: BinaryIO, place: str) -> Picture:
    """Decode an image, upright.

    Parameters
    ----------
    file
        Open, at any position.
    place
        What it is, for messages.

    Raises
    ------
    InvalidInput
        If it is damaged or of an unknown format, holds several pictures (pages, frames), has more
        pixels than Pillow's limit or 32-bit pixels, or has 16 bits in colours other than RGB.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> Image.new("LA", (4, 3), (255, 0)).save(file, "PNG")
    >>> picture = decode(file, "row 0")
    >>> picture.pixels.shape, picture.transparent
    ((3, 4), True)
    """
    try:
        with refused(f"the image in {place} cannot be decoded", *_DAMAGE), _open(file) as image:
            _check(image, place)
            with overheard("libtiff") if image.format == "TIFF" else nullcontext():
                picture = _picture(image, file, place)
            turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Image.DecompressionBombError:
        raise _too_large(place) from None
    return picture if turn is None else Picture(turn(picture.pixels), picture.transparent)


def upright_size(file: BinaryIO, place: str) -> tuple[int, int]:
    """(width, height) of an image, upright, without decoding it where its header tells.

    Raises
    ------
    InvalidInput
        If it is damaged or of an unknown format.
    """
    with (
        refused(f"the image in {place} cannot be decoded", *_DAMAGE, Image.DecompressionBombError),
        _open(file) as image,
    ):
        lies = image.format != "TIFF" and image.getexif().get(_ORIENTATION) in _LYING
        return (image.height, image.width) if lies else image.size


def _open(file: BinaryIO) -> ImageFile.ImageFile:
    file.seek(0)
    return Image.open(file, formats=_FORMATS)


def _check(image: ImageFile.ImageFile, place: str) -> None:
    """Refuse what would be many records, or more than a record."""
    most = Image.MAX_IMAGE_PIXELS
    if most is not None and image.width * image.height > most:
        raise _too_large(place)
    if image.format == "TIFF" and _covered(image) < image.width * image.height:
        raise ValueError("strips that leave out a part, which Pillow would leave black")
    count = getattr(image, "n_frames", 1)
    if count > 1 and image.format != "MPO":  # a photograph with a preview beside it
        raise InvalidInput(
            f"the image in {place} holds {count} pictures, pages or frames, of which one would be"
            " the record; save each as an image of its own"
        )


def _covered(image: ImageFile.ImageFile) -> int:
    """How many pixels the strips or tiles of a file hold, those of each channel counted."""
    extents = (tile[1] for tile in image.tile)
    boxes = (box for box in extents if box is not None)
    return sum((right - left) * (low - top) for left, top, right, low in boxes)


def _too_large(place: str) -> InvalidInput:
    return InvalidInput(
        f"the image in {place} has more than {Image.MAX_IMAGE_PIXELS:,} pixels, Pillow's limit;"
        " make it smaller first"
    )


def _picture(image: ImageFile.ImageFile, file: BinaryIO, place: str) -> Picture:
    """Decode by how the pixels are stored."""
    if _is_deep_colour(image):
        return _deep_colour(image, file, place)
    if image.mode[0] in "IF":
        return Picture(_deep_grey(image, place))
    stored = _loaded(image)
    if image.mode in ("1", "L", "RGB"):
        return Picture(scale(stored) if image.mode == "1" else stored, _has_key(image))
    if image.mode in ("P", "PA"):
        return _without_alpha(_grey_if_all_are(np.asarray(image.convert("RGBA"))))
    if image.mode in ("LA", "RGBA"):
        return _without_alpha(stored)
    if image.mode in ("CMYK", "RGBX", "YCbCr"):
        return Picture(np.asarray(image.convert("RGB")))
    raise InvalidInput(f"the image in {place} has colours of the kind {image.mode}, not RGB")


def _without_alpha(stored: NDArray[Any]) -> Picture:
    """From (h, w, 2) or (h, w, 4), whose last channel is opacity."""
    colours = stored[..., 0] if stored.shape[-1] == 2 else stored[..., :3]
    return Picture(colours, bool(stored[..., -1].min() < np.iinfo(stored.dtype).max))


def _grey_if_all_are(stored: NDArray[Any]) -> NDArray[Any]:
    """Grey with opacity of a palette's colours, (h, w, 4), if all that are used are grey."""
    red, green, blue = (stored[..., channel] for channel in range(3))
    grey = np.array_equal(red, green) and np.array_equal(green, blue)
    return stored[..., 2:] if grey else stored


def _has_key(image: Image.Image) -> bool:
    """Whether some pixel of a loaded image has the colour that stands for transparency."""
    if "transparency" not in image.info:
        return False
    return bool(np.asarray(image.convert("RGBA"))[..., 3].min() < 255)


def _deep_grey(image: ImageFile.ImageFile, place: str) -> NDArray[Any]:
    """16 bits, which Pillow also keeps in its 32-bit mode."""
    if image.mode[:4] != "I;16" and not (image.mode == "I" and image.format in ("PNG", "PPM")):
        raise InvalidInput(f"the image in {place} has 32-bit pixels, of which white is unknown")
    tags = getattr(image, "tag_v2", {})
    white = (1 << tags.get(_BITS, (16,))[0]) - 1
    grey = np.divide(_loaded(image), np.float32(white), dtype=np.float32)
    return 1 - grey if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else grey


def _is_deep_colour(image: ImageFile.ImageFile) -> bool:
    """Tell colours of 16 bits, of which Pillow would keep 8."""
    if image.mode[0] in "IF" or not image.tile:
        return False
    if image.format == "PPM":
        return image.mode == "RGB" and _white(image) > 255
    bits = getattr(image, "tag_v2", {}).get(_BITS, ())
    return max(bits, default=0) > 8 or ";16" in _raw_mode(image)


def _white(image: ImageFile.ImageFile) -> int:
    """The largest value of a PPM file, which Pillow hands on to its decoder where it is not 255."""
    arguments = image.tile[0][3]
    last = arguments[-1] if isinstance(arguments, tuple) else None
    return last if image.tile[0][0] != "raw" and isinstance(last, int) else 255


def _raw_mode(image: ImageFile.ImageFile) -> str:
    """How pixels lie in the file, in Pillow's terms."""
    arguments = image.tile[0][3]
    name = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return name if isinstance(name, str) else ""


def _deep_colour(image: ImageFile.ImageFile, file: BinaryIO, place: str) -> Picture:
    if image.format == "PPM" and image.tile[0][0] == "ppm":
        return _deep_ppm(image, file)
    raw = _raw_mode(image)
    colours, _, order = raw.partition(";16")
    by_channel = getattr(image, "tag_v2", {}).get(_PLANAR) == _BY_CHANNEL
    if raw == "LA;16B":  # two bytes of grey and two of opacity are four channels to Pillow
        stored = _decoded_as(image, "RGBA").astype(np.uint16)
        picture = _without_alpha(stored[..., ::2] << 8 | stored[..., 1::2])
    elif colours in _DEEP_COLOURS and order and not by_channel:
        picture = _from_halves(image, file, colours, order)
    else:
        raise InvalidInput(
            f"the image in {place} has 16 bits in colours other than RGB, or channel by channel;"
            " save it with 8 bits, or as RGB with its channels together"
        )
    return Picture(scale(picture.pixels), picture.transparent)


def _from_halves(image: ImageFile.ImageFile, file: BinaryIO, colours: str, order: str) -> Picture:
    """Decode twice: the high bytes, and the low ones as if the bytes lay the other way round."""
    native = "L" if sys.byteorder == "little" else "B"
    other = "B" if (native if order == "N" else order) == "L" else "L"
    high = _loaded(image).astype(np.uint16)
    with _open(file) as again:
        low = _decoded_as(again, f"{colours};16{other}")
    stored = high << 8 | low
    return _without_alpha(stored) if colours == "RGBA" else Picture(stored[..., :3])


def _decoded_as(image: ImageFile.ImageFile, raw: str) -> NDArray[Any]:
    """Decode as if the pixels lay in the file in another way."""
    image.tile = [_read_as(tile, raw) for tile in image.tile]
    return _loaded(image)


def _read_as(tile: Any, raw: str) -> Any:
    *where, given = tile
    changed = (*where, raw if isinstance(given, str) else (raw, *given[1:]))
    return tile._make(changed) if hasattr(tile, "_make") else changed  # a tuple before Pillow 11


def _loaded(image: Image.Image) -> NDArray[Any]:
    """Decode; NumPy alone would take an image that fails to load for an object."""
    image.load()
    return np.asarray(image)


def _deep_ppm(image: ImageFile.ImageFile, file: BinaryIO) -> Picture:
    """Colours of two bytes, high one first, as a PPM file holds them."""
    white = _white(image)
    file.seek(image.tile[0][2])
    count = image.height * image.width * 3
    stored = np.frombuffer(file.read(2 * count), ">u2", count)
    shaped = stored.reshape(image.height, image.width, 3)
    return Picture(np.divide(np.minimum(shaped, white), np.float32(white), dtype=np.float32))
