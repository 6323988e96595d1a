"""Geometry of images on loading: zero padding, cropping, resizing, in the order of the words.

The paper's settings: MNIST is padded by 2 to 32x32 by the authors' code (``pad=2``) and resized
according to their text (``resize=32``); CelebA is cropped to the face and resized (``celeba``).
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data import memory
from byrote.data.damage import refused
from byrote.errors import InvalidInput, did_you_mean

_PRESETS = {"celeba": "crop=15,40,163,188 resize=32"}  # that of the paper
_WORDS = {"pad": 1, "crop": 4, "resize": 1}  # how many whole numbers each takes
_USAGE = "pad=N, crop=LEFT,TOP,RIGHT,BOTTOM, resize=N, celeba"
_NUMBERS = re.compile(r"\d{1,4}(,\d{1,4})*", re.ASCII)


def pad(images: NDArray[Any], margin: int) -> NDArray[Any]:
    """Surround images with ``margin`` pixels of zero on each of the four sides.

    Parameters
    ----------
    images
        (n, h, w) or (n, h, w, c), any type.
    margin
        At least 1.

    Returns
    -------
    numpy.ndarray
        (n, h + 2 margin, w + 2 margin[, c]); ``crop`` gives the images back.

    Raises
    ------
    InvalidInput
        If ``images`` are no images, or ``margin`` is below 1.

    Examples
    --------
    >>> pad(np.ones((1, 1, 1)), 1)[0].tolist()
    [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    >>> crop(pad(np.ones((1, 1, 1)), 1), (1, 1, 2, 2)).tolist()
    [[[1.0]]]
    """
    return Geometry((("pad", (checks.integer("margin", margin, at_least=1),)),)).apply(images)


def crop(images: NDArray[Any], box: Sequence[int]) -> NDArray[Any]:
    """Cut the same box out of every image.

    Parameters
    ----------
    images
        (n, h, w) or (n, h, w, c), any type.
    box
        Left, top, right, bottom, in pixels; right and bottom are the first not in the box.

    Returns
    -------
    numpy.ndarray
        (n, bottom - top, right - left[, c]), a copy.

    Raises
    ------
    InvalidInput
        If ``images`` are no images, or the box is empty or reaches beyond them.

    Examples
    --------
    >>> crop(np.arange(6).reshape(1, 2, 3), (1, 0, 3, 1)).tolist()
    [[[1, 2]]]
    """
    edges = tuple(checks.integer("box", edge, at_least=0) for edge in box)
    if len(edges) != 4:
        raise InvalidInput(f"box must be left, top, right and bottom; got {len(edges)} numbers")
    return Geometry((("crop", edges),)).apply(images)


def resize(images: NDArray[Any], size: int) -> NDArray[Any]:
    """Resize images to ``size`` x ``size``, whatever their proportions were.

    Pillow's bilinear filter: antialiased, since its support grows with the reduction. It rounds to
    whole pixels where pixels are uint8, as the authors' torchvision does.

    Parameters
    ----------
    images
        (n, h, w) or (n, h, w, c), uint8 or floating.
    size
        At least 1.

    Returns
    -------
    numpy.ndarray
        (n, size, size[, c]), uint8 where ``images`` are and float32 otherwise.

    Raises
    ------
    InvalidInput
        If ``images`` are no images, or ``size`` is below 1.

    Examples
    --------
    >>> resize(np.full((2, 4, 6), 7, dtype=np.uint8), 2)[0].tolist()
    [[7, 7], [7, 7]]
    """
    return Geometry((("resize", (checks.integer("size", size, at_least=1),)),)).apply(images)


@dataclass(frozen=True)
class Geometry:
    """Steps that are taken with every image, in this order; none at all leave images as they are.

    Examples
    --------
    >>> celeba = Geometry.parse("celeba")
    >>> celeba.size((178, 218))
    (32, 32)
    >>> celeba.apply(np.zeros((5, 218, 178, 3), dtype=np.uint8)).shape
    (5, 32, 32, 3)
    """

    steps: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Geometry":
        """Steps from words such as ``"crop=15,40,163,188 resize=32"``.

        Raises
        ------
        InvalidInput
            If there is no word, or one is unknown or has other numbers than it needs.
        """
        words = [part for word in text.split() for part in _PRESETS.get(word, word).split()]
        if not words:
            raise InvalidInput(f"image must be words among {_USAGE}; got none")
        return cls(tuple(map(_step, words)))

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) that an image of this (width, height) will have.

        Raises
        ------
        InvalidInput
            If a crop reaches beyond the image.
        """
        for name, numbers in self.steps:
            size = _SIZE[name](size, *numbers)
        return size

    def apply(self, images: NDArray[Any]) -> NDArray[Any]:
        """Take the steps with (n, h, w) or (n, h, w, c), image by image into one new array.

        Raises
        ------
        InvalidInput
            If these are no images, or a crop reaches beyond them.
        """
        if images.ndim not in (3, 4):
            raise InvalidInput(
                "image means nothing for records that are no images, (n, h, w) or (n, h, w, c);"
                f" got {images.shape}"
            )
        if not self.steps:
            return images
        width, height = self.size((images.shape[2], images.shape[1]))
        with refused(f"images of {width}x{height} do not fit in memory", MemoryError):
            each = height * width * (images[0].nbytes // math.prod(images.shape[1:3]))
            memory.require(len(images) * each, f"images of {width}x{height}")
            out = np.empty((len(images), height, width, *images.shape[3:]), self.dtype(images))
            for row, image in enumerate(images):
                out[row] = self.one(image)
        return out

    def one(self, image: NDArray[Any]) -> NDArray[Any]:
        """Take the steps with one image, (h, w) or (h, w, c)."""
        for name, numbers in self.steps:
            image = _DO[name](image, *numbers)
        return image

    def dtype(self, image: NDArray[Any]) -> np.dtype[Any]:
        """Give the type of an image after the steps."""
        resized = any(name == "resize" for name, _ in self.steps)
        return image.dtype if not resized or image.dtype == np.uint8 else np.dtype(np.float32)


def _step(word: str) -> tuple[str, tuple[int, ...]]:
    name, _, text = word.partition("=")
    if name not in _WORDS:
        raise InvalidInput(
            f"image must be words among {_USAGE}; got {word!r}"
            + did_you_mean(name, [*_WORDS, *_PRESETS])
        )
    numbers = tuple(map(int, text.split(","))) if _NUMBERS.fullmatch(text) else ()
    if len(numbers) != _WORDS[name] or (name != "crop" and not numbers[0]):
        wanted = "four whole numbers" if name == "crop" else "one whole number above 0"
        raise InvalidInput(f"image: {name} takes {wanted} ({_USAGE}); got {word!r}")
    return name, numbers


def _size_padded(size: tuple[int, int], margin: int) -> tuple[int, int]:
    return size[0] + 2 * margin, size[1] + 2 * margin


def _size_cropped(
    size: tuple[int, int], left: int, top: int, right: int, bottom: int
) -> tuple[int, int]:
    if not (left < right <= size[0] and top < bottom <= size[1]):
        raise InvalidInput(
            f"image: the box {left},{top},{right},{bottom} (left, top, right, bottom) must lie"
            f" within images of {size[0]}x{size[1]} (width x height) and not be empty"
        )
    return right - left, bottom - top


def _size_resized(size: tuple[int, int], side: int) -> tuple[int, int]:  # noqa: ARG001
    return side, side


def _padded(image: NDArray[Any], margin: int) -> NDArray[Any]:
    height, width, *channels = image.shape
    out = np.zeros((height + 2 * margin, width + 2 * margin, *channels), image.dtype)
    out[margin : margin + height, margin : margin + width] = image
    return out


def _cropped(image: NDArray[Any], left: int, top: int, right: int, bottom: int) -> NDArray[Any]:
    return image[top:bottom, left:right]


def _resized(image: NDArray[Any], side: int) -> NDArray[Any]:
    if image.ndim == 3 and not (image.shape[2] == 3 and image.dtype == np.uint8):
        # by channel: Pillow has no floating colour, and would weigh colour by transparency
        channels = [_resized(image[..., channel], side) for channel in range(image.shape[2])]
        return np.stack(channels, axis=-1)
    from PIL import Image  # noqa: PLC0415 (slow to load)

    known = image if image.dtype == np.uint8 else image.astype(np.float32)
    pillow = Image.fromarray(np.ascontiguousarray(known))
    return np.asarray(pillow.resize((side, side), Image.Resampling.BILINEAR))


_SIZE: dict[str, Callable[..., tuple[int, int]]] = {
    "pad": _size_padded,
    "crop": _size_cropped,
    "resize": _size_resized,
}
_DO: dict[str, Callable[..., NDArray[Any]]] = {
    "pad": _padded,
    "crop": _cropped,
    "resize": _resized,
}
