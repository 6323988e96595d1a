"""Writers that know the file formats from their descriptions, not from the code under test."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

IDX_CODES = {"B": 0x08, "b": 0x09, "h": 0x0B, "i": 0x0C, "f": 0x0D, "d": 0x0E}


@pytest.fixture
def idx_bytes():
    """The bytes of an IDX file, by struct alone; ``letter`` is struct's for the type."""

    def write(array, letter="B"):
        values = np.ravel(array).tolist()
        dimensions, shape = np.ndim(array), np.shape(array)
        head = struct.pack(f">4B{dimensions}I", 0, 0, IDX_CODES[letter], dimensions, *shape)
        return head + struct.pack(f">{len(values)}{letter}", *values)

    return write


@pytest.fixture
def encoded():
    """The bytes of a PNG file, by Pillow."""

    def encode(pixels):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue()

    return encode


@pytest.fixture
def pixels():
    """Three grey images of 5x4, uint8."""
    return np.random.default_rng(0).integers(0, 256, (3, 5, 4), dtype=np.uint8)
