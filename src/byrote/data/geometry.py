"""Geometry of images on loading: zero padding, cropping and resizing, in the order given.

The paper's settings: the authors' code pads MNIST by 2 to 32x32 (``pad=2``), their text resizes it
(``resize=32``); CelebA is cropped to the face and resized (``celeba``).
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data import memory
from byrote.data.load_diagnostics import translate_errors
from byrote.errors import InvalidInput, did_you_mean

_PRESETS = {"celeba": "crop=15,40,163,188 resize=32"}  # the paper's
_USAGE = "pad=N, crop=LEFT,TOP,RIGHT,BOTTOM, resize=N, celeba"
_NUMBERS = re.compile(r"\d{1,4}(,\d{1,4})*", re.ASCII)


def pad(images: NDArray[Any], margin: int) -> NDArray[Any]:
    """Surround images, (n, h, w) or (n, h, w, c), with ``margin`` pixels of zero on all four sides.

    Returns (n, h + 2 margin, w + 2 margin[, c]).

    Raises
    ------
    InvalidInput
        If ``images`` are not images, or ``margin`` is below 1.

    Examples
    --------
    >>> pad(np.ones((1, 1, 1)), 1)[0].tolist()
    [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    >>> crop(pad(np.ones((1, 1, 1)), 1), (1, 1, 2, 2)).tolist()
    [[[1.0]]]
    """
    return Geometry((("pad", (checks.integer("margin", margin, at_least=1),)),)).apply(images)


def crop(images: NDArray[Any], box: Sequence[int]) -> NDArray[Any]:
    """Cut the same box out of images, (n, h, w) or (n, h, w, c), and return a copy.

    ``box`` is left, top, right and bottom in pixels; the last two are the first pixels outside.

    Raises
    ------
    InvalidInput
        If ``images`` are not images, or the box is empty or reaches beyond them.

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
    """Resize images, (n, h, w) or (n, h, w, c), to ``size`` x ``size``, whatever their proportions.

    Uses Pillow's bilinear filter, which is antialiased: its support grows with the reduction. uint8
    images stay uint8, rounded to whole pixels as by the authors' torchvision; others become
    float32.

    Raises
    ------
    InvalidInput
        If ``images`` are not images, or ``size`` is below 1.

    Examples
    --------
    >>> resize(np.full((2, 4, 6), 7, dtype=np.uint8), 2)[0].tolist()
    [[7, 7], [7, 7]]
    """
    return Geometry((("resize", (checks.integer("size", size, at_least=1),)),)).apply(images)


@dataclass(frozen=True)
class Geometry:
    """Steps applied to every image, in order; without steps images stay as they are.

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
        """Parse steps such as ``"crop=15,40,163,188 resize=32"``."""
        words = [part for word in text.split() for part in _PRESETS.get(word, word).split()]
        if not words:
            raise InvalidInput(f"image must be words among {_USAGE}; got none")
        return cls(tuple(map(_parse_step, words)))

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the (width, height) that an image of this (width, height) will have."""
        for name, numbers in self.steps:
            size = _STEPS[name].size(size, *numbers)
        return size

    def apply(self, images: NDArray[Any]) -> NDArray[Any]:
        """Apply the steps to (n, h, w) or (n, h, w, c), image by image into one new array."""
        if images.ndim not in (3, 4):
            raise InvalidInput(
                "image applies only to records that are images, (n, h, w) or (n, h, w, c); got"
                f" {images.shape}"
            )
        if not self.steps:
            return images
        width, height = self.size((images.shape[2], images.shape[1]))
        with translate_errors(f"images of {width}x{height} do not fit in memory", MemoryError):
            image_bytes = height * width * (images[0].nbytes // math.prod(images.shape[1:3]))
            memory.require(len(images) * image_bytes, f"images of {width}x{height}")
            shape = (len(images), height, width, *images.shape[3:])
            out = np.empty(shape, self._dtype(images))
            for row, image in enumerate(images):
                out[row] = self.apply_to_one(image)
        return out

    def apply_to_one(self, image: NDArray[Any]) -> NDArray[Any]:
        """Apply the steps to one image, (h, w) or (h, w, c)."""
        for name, numbers in self.steps:
            image = _STEPS[name].apply(image, *numbers)
        return image

    def _dtype(self, images: NDArray[Any]) -> np.dtype[Any]:
        resized = any(name == "resize" for name, _ in self.steps)
        return images.dtype if not resized or images.dtype == np.uint8 else np.dtype(np.float32)


def _parse_step(word: str) -> tuple[str, tuple[int, ...]]:
    name, _, text = word.partition("=")
    if name not in _STEPS:
        raise InvalidInput(
            f"image must be words among {_USAGE}; got {word!r}"
            + did_you_mean(name, [*_STEPS, *_PRESETS])
        )
    numbers = tuple(map(int, text.split(","))) if _NUMBERS.fullmatch(text) else ()
    if len(numbers) != _STEPS[name].arity or (name != "crop" and not numbers[0]):
        wanted = "four whole numbers" if name == "crop" else "one whole number above 0"
        raise InvalidInput(f"image: {name} takes {wanted} ({_USAGE}); got {word!r}")
    return name, numbers


def _padded_size(size: tuple[int, int], margin: int) -> tuple[int, int]:
    return size[0] + 2 * margin, size[1] + 2 * margin


def _padded(image: NDArray[Any], margin: int) -> NDArray[Any]:
    height, width, *channels = image.shape
    out = np.zeros((height + 2 * margin, width + 2 * margin, *channels), image.dtype)
    out[margin : margin + height, margin : margin + width] = image
    return out


def _cropped_size(
    size: tuple[int, int], left: int, top: int, right: int, bottom: int
) -> tuple[int, int]:
    if not (left < right <= size[0] and top < bottom <= size[1]):
        raise InvalidInput(
            f"image: the box {left},{top},{right},{bottom} (left, top, right, bottom) must lie"
            f" within images of {size[0]}x{size[1]} (width x height) and not be empty"
        )
    return right - left, bottom - top


def _cropped(image: NDArray[Any], left: int, top: int, right: int, bottom: int) -> NDArray[Any]:
    return image[top:bottom, left:right]


def _resized_size(size: tuple[int, int], side: int) -> tuple[int, int]:  # noqa: ARG001
    return side, side


def _resized(image: NDArray[Any], side: int) -> NDArray[Any]:
    if image.ndim == 3 and not (image.shape[2] == 3 and image.dtype == np.uint8):
        # by channel: Pillow has no floating colour, and would weight colour by transparency
        channels = [_resized(image[..., channel], side) for channel in range(image.shape[2])]
        return np.stack(channels, axis=-1)
    from PIL import Image  # noqa: PLC0415 (slow to load)

    pixels = image if image.dtype == np.uint8 else image.astype(np.float32)
    pillow = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(pillow.resize((side, side), Image.Resampling.BILINEAR))


class _Step(NamedTuple):
    arity: int
    size: Callable[..., tuple[int, int]]
    apply: Callable[..., NDArray[Any]]


_STEPS = {
    "pad": _Step(1, _padded_size, _padded),
    "crop": _Step(4, _cropped_size, _cropped),
    "resize": _Step(1, _resized_size, _resized),
}
