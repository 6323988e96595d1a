"""Decoding of one encoded image: upright by its EXIF orientation, all bits kept, white is 1.

What Pillow would lose or change silently is refused or reported.
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

from byrote.data.load_diagnostics import capture_stderr, translate_errors
from byrote.data.records import scale_pixels
from byrote.errors import InvalidInput

# Only these decoders: some others of Pillow start programs (EPS), and none is needed.
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
_TRANSPOSED = (5, 6, 7, 8)  # of those, Pillow turns the size of TIFF by itself
_BITS, _PHOTOMETRIC, _PLANAR = 258, 262, 284  # TIFF tags
_WHITE_IS_ZERO, _BY_CHANNEL = 0, 2  # values of the last two
_16_BIT_COLOURS = ("RGB", "RGBA", "RGBX")

# Pillow logs some damage in addition to raising, which would reach the terminal without a handler.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class DecodedImage:
    """Grey (h, w) or RGB (h, w, 3) pixels: uint8, or float32 in [0, 1] if not stored with 8 bits.

    Transparency is dropped; ``transparent`` is true if some pixel was not opaque.
    """

    pixels: NDArray[Any]
    transparent: bool = False


def decode_image(file: BinaryIO, position: str) -> DecodedImage:
    """Decode an image, upright; ``position`` names it in messages.

    Refuses damage, unknown formats, several pictures (pages, frames), more pixels than Pillow's
    limit, 32-bit pixels, and 16 bits in colours other than RGB.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> Image.new("LA", (4, 3), (255, 0)).save(file, "PNG")
    >>> image = decode_image(file, "row 0")
    >>> image.pixels.shape, image.transparent
    ((3, 4), True)
    """
    message = f"the image in {position} cannot be decoded"
    try:
        with translate_errors(message, *_DAMAGE), _open(file) as image:
            _check(image, position)
            with capture_stderr("libtiff") if image.format == "TIFF" else nullcontext():
                decoded = _decoded(image, file, position)
            turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Image.DecompressionBombError:
        raise _too_large(position) from None
    return decoded if turn is None else DecodedImage(turn(decoded.pixels), decoded.transparent)


def upright_size(file: BinaryIO, position: str) -> tuple[int, int]:
    """Return the upright (width, height) of an image, from its header if that holds it."""
    message = f"the image in {position} cannot be decoded"
    with translate_errors(message, *_DAMAGE, Image.DecompressionBombError), _open(file) as image:
        swap = image.format != "TIFF" and image.getexif().get(_ORIENTATION) in _TRANSPOSED
        return (image.height, image.width) if swap else image.size


def _open(file: BinaryIO) -> ImageFile.ImageFile:
    file.seek(0)
    return Image.open(file, formats=_FORMATS)


def _check(image: ImageFile.ImageFile, position: str) -> None:
    """Refuse several pictures in one file, too many pixels, and missing parts."""
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        raise _too_large(position)
    if image.format == "TIFF" and _stored_pixels(image) < image.width * image.height:
        raise ValueError("strips leave out a part, which Pillow would leave black")
    count = getattr(image, "n_frames", 1)
    if count > 1 and image.format != "MPO":  # a photograph together with its preview
        raise InvalidInput(
            f"the image in {position} holds {count} pictures, pages or frames, but a record is one"
            " picture; save each as a separate image"
        )


def _stored_pixels(image: ImageFile.ImageFile) -> int:
    """Count the pixels in the strips or tiles of a file, those of each channel separately."""
    extents = (tile[1] for tile in image.tile)
    boxes = (box for box in extents if box is not None)
    return sum((right - left) * (low - top) for left, top, right, low in boxes)


def _too_large(position: str) -> InvalidInput:
    return InvalidInput(
        f"the image in {position} has more than {Image.MAX_IMAGE_PIXELS:,} pixels, Pillow's limit;"
        " make it smaller first"
    )


def _decoded(image: ImageFile.ImageFile, file: BinaryIO, position: str) -> DecodedImage:
    if _has_deep_colour(image):
        return _deep_colour(image, file, position)
    if image.mode[0] in "IF":
        return DecodedImage(_deep_grey(image, position))
    stored = _load(image)
    if image.mode in ("1", "L", "RGB"):
        pixels = scale_pixels(stored) if image.mode == "1" else stored
        return DecodedImage(pixels, _shows_transparent_colour(image))
    if image.mode in ("P", "PA"):
        return _drop_alpha(_as_grey_if_possible(np.asarray(image.convert("RGBA"))))
    if image.mode in ("LA", "RGBA"):
        return _drop_alpha(stored)
    if image.mode in ("CMYK", "RGBX", "YCbCr"):
        return DecodedImage(np.asarray(image.convert("RGB")))
    raise InvalidInput(f"the image in {position} has colours in the mode {image.mode}, not RGB")


def _drop_alpha(stored: NDArray[Any]) -> DecodedImage:
    colours = stored[..., 0] if stored.shape[-1] == 2 else stored[..., :3]
    return DecodedImage(colours, bool(stored[..., -1].min() < np.iinfo(stored.dtype).max))


def _as_grey_if_possible(rgba: NDArray[Any]) -> NDArray[Any]:
    """Return grey with opacity if all colours that a palette image uses are grey."""
    red, green, blue = (rgba[..., channel] for channel in range(3))
    is_grey = np.array_equal(red, green) and np.array_equal(green, blue)
    return rgba[..., 2:] if is_grey else rgba


def _shows_transparent_colour(image: Image.Image) -> bool:
    """Whether a pixel of a loaded image has the colour declared as transparent."""
    if "transparency" not in image.info:
        return False
    return bool(np.asarray(image.convert("RGBA"))[..., 3].min() < 255)


def _deep_grey(image: ImageFile.ImageFile, position: str) -> NDArray[Any]:
    """Decode grey of up to 16 bits, which Pillow also stores in its 32-bit mode."""
    if image.mode[:4] != "I;16" and not (image.mode == "I" and image.format in ("PNG", "PPM")):
        raise InvalidInput(
            f"the image in {position} has 32-bit pixels, whose value for white is unknown"
        )
    tags = getattr(image, "tag_v2", {})
    white = (1 << tags.get(_BITS, (16,))[0]) - 1
    grey = np.divide(_load(image), np.float32(white), dtype=np.float32)
    return 1 - grey if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else grey


def _has_deep_colour(image: ImageFile.ImageFile) -> bool:
    """Whether colours have 16 bits, of which Pillow would keep 8."""
    if image.mode[0] in "IF" or not image.tile:
        return False
    if image.format == "PPM":
        return image.mode == "RGB" and _ppm_white(image) > 255
    bits = getattr(image, "tag_v2", {}).get(_BITS, ())
    return max(bits, default=0) > 8 or ";16" in _raw_mode(image)


def _ppm_white(image: ImageFile.ImageFile) -> int:
    """Return the largest value of a PPM file, an argument of Pillow's decoder if not 255."""
    arguments = image.tile[0][3]
    last = arguments[-1] if isinstance(arguments, tuple) else None
    return last if image.tile[0][0] != "raw" and isinstance(last, int) else 255


def _raw_mode(image: ImageFile.ImageFile) -> str:
    """Return the layout of pixels in the file, in Pillow's terms."""
    arguments = image.tile[0][3]
    name = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return name if isinstance(name, str) else ""


def _deep_colour(image: ImageFile.ImageFile, file: BinaryIO, position: str) -> DecodedImage:
    if image.format == "PPM" and image.tile[0][0] == "ppm":
        return _deep_ppm(image, file)
    raw = _raw_mode(image)
    colours, _, byte_order = raw.partition(";16")
    by_channel = getattr(image, "tag_v2", {}).get(_PLANAR) == _BY_CHANNEL
    if raw == "LA;16B":  # two bytes of grey and two of opacity are four channels to Pillow
        stored = _load_as(image, "RGBA").astype(np.uint16)
        decoded = _drop_alpha(stored[..., ::2] << 8 | stored[..., 1::2])
    elif colours in _16_BIT_COLOURS and byte_order and not by_channel:
        decoded = _from_bytes(image, file, colours, byte_order)
    else:
        raise InvalidInput(
            f"the image in {position} has 16 bits in colours other than RGB, or channel by channel;"
            " save it with 8 bits, or as RGB with its channels together"
        )
    return DecodedImage(scale_pixels(decoded.pixels), decoded.transparent)


def _from_bytes(
    image: ImageFile.ImageFile, file: BinaryIO, colours: str, byte_order: str
) -> DecodedImage:
    """Decode twice: the high bytes, and the low ones as if in the opposite byte order."""
    native = "L" if sys.byteorder == "little" else "B"
    opposite = "B" if (native if byte_order == "N" else byte_order) == "L" else "L"
    high = _load(image).astype(np.uint16)
    with _open(file) as again:
        low = _load_as(again, f"{colours};16{opposite}")
    stored = high << 8 | low
    return _drop_alpha(stored) if colours == "RGBA" else DecodedImage(stored[..., :3])


def _deep_ppm(image: ImageFile.ImageFile, file: BinaryIO) -> DecodedImage:
    """Decode colours of two bytes, high byte first."""
    white = _ppm_white(image)
    file.seek(image.tile[0][2])
    count = image.height * image.width * 3
    stored = np.frombuffer(file.read(2 * count), ">u2", count)
    shaped = stored.reshape(image.height, image.width, 3)
    return DecodedImage(np.divide(np.minimum(shaped, white), np.float32(white), dtype=np.float32))


def _load_as(image: ImageFile.ImageFile, raw: str) -> NDArray[Any]:
    image.tile = [_with_raw_mode(tile, raw) for tile in image.tile]
    return _load(image)


def _with_raw_mode(tile: Any, raw: str) -> Any:
    *extent, arguments = tile
    changed = (*extent, raw if isinstance(arguments, str) else (raw, *arguments[1:]))
    return tile._make(changed) if hasattr(tile, "_make") else changed  # a tuple before Pillow 11


def _load(image: Image.Image) -> NDArray[Any]:
    """Decode; NumPy alone would make an object array of an image that fails to load."""
    image.load()
    return np.asarray(image)
