"""Pixels: images stay as they are stored, 8 bits a value, and become numbers in [0, 1] when used.

162,770 colour images of 32x32 are 0.5 GB as stored and 2 GB as float32.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_pixels(array: NDArray[Any]) -> bool:
    """Tell whether an array is stored pixels: uint8 images, (n, h, w) or (n, h, w, c).

    A table (n, d) of uint8 is a table of numbers.
    """
    return array.ndim in (3, 4) and array.dtype == np.uint8


def as_floats(array: NDArray[Any]) -> NDArray[Any]:
    """Give the numbers that an array stands for: float32 x/255 for stored pixels, else itself.

    Examples
    --------
    >>> as_floats(np.array([[[0, 255]]], dtype=np.uint8))
    array([[[0., 1.]]], dtype=float32)
    >>> as_floats(np.array([[0.5, 2.0]]))
    array([[0.5, 2. ]])
    """
    return scale(array) if is_pixels(array) else array


def scale(pixels: NDArray[Any], out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Divide stored pixels by their type's white: 1, 255 or 65535.

    Parameters
    ----------
    pixels
        bool, uint8 or uint16, any shape.
    out
        float32 array to write into, of a shape that ``pixels`` broadcasts to; new if not given.

    Returns
    -------
    numpy.ndarray
        float32 in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> scale(np.array([[0, 255]], dtype=np.uint8))
    array([[0., 1.]], dtype=float32)
    """
    white = 1 if pixels.dtype == np.bool_ else np.iinfo(pixels.dtype).max
    # float32 from the start: NumPy would otherwise divide in float64, in twice the memory
    scaled: NDArray[Any] = np.divide(pixels, np.float32(white), out=out, dtype=np.float32)
    return scaled


def scale_deep(array: NDArray[Any]) -> NDArray[Any]:
    """Scale images of 16-bit pixels, (n, h, w) or (n, h, w, c); leave any other array as it is."""
    return scale(array) if array.ndim in (3, 4) and array.dtype == np.uint16 else array
