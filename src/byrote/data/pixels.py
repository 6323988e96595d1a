"""Stored pixel values to [0, 1], the one range in which byrote keeps images."""

import numpy as np


def scale(pixels: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
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
    scaled: np.ndarray = np.divide(pixels, np.float32(white), out=out, dtype=np.float32)
    return scaled


def scale_images(array: np.ndarray) -> np.ndarray:
    """Scale (n, h, w) and (n, h, w, c) arrays of stored pixels; leave any other array as it is."""
    if array.ndim in (3, 4) and array.dtype in (np.uint8, np.uint16):
        return scale(array)
    return array
