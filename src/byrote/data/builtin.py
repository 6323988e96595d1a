"""Data sets that need no file of the user's, by name."""

from pathlib import Path

import numpy as np

from byrote.data.idx import read_idx
from byrote.data.pixels import scale
from byrote.data.records import Records
from byrote.errors import InvalidInput

NAMES = ("digits", "fashion-mnist")

_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


def load_builtin(name: str) -> Records:
    """Load a built-in set: grey images (n, h, w), float32 in [0, 1], with integer labels.

    ``digits`` is scikit-learn's, 1,797 images of 8x8; ``fashion-mnist`` the 60,000 training
    images of 28x28 in Debian's package dataset-fashion-mnist.

    Raises
    ------
    InvalidInput
        If the package that holds the set is not installed.

    Examples
    --------
    >>> load_builtin("digits").x.shape
    (1797, 8, 8)
    """
    return _digits() if name == "digits" else _fashion_mnist()


def _digits() -> Records:
    from sklearn.datasets import load_digits  # noqa: PLC0415  # takes a second to import

    bunch = load_digits()
    return Records((bunch.images / 16).astype(np.float32), labels=bunch.target)


def _fashion_mnist() -> Records:
    images = _FASHION_MNIST / "train-images-idx3-ubyte.gz"
    labels = _FASHION_MNIST / "train-labels-idx1-ubyte.gz"
    if not (images.is_file() and labels.is_file()):
        raise InvalidInput(
            "the set is not on this machine; install Debian's package dataset-fashion-mnist"
        )
    return Records(scale(read_idx(images)), labels=read_idx(labels))
