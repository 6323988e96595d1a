"""Data sets that need no file of the user's, by name."""

from pathlib import Path

import numpy as np

from byrote.data.idx_folder import images_in, load_idx_folder
from byrote.data.records import Records
from byrote.errors import InvalidInput

NAMES = ("digits", "fashion-mnist")

_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


def load_builtin(name: str, *, part: str | None = None) -> Records:
    """Load a built-in set: grey images (n, h, w) with integer labels.

    ``digits`` is scikit-learn's, 1,797 images of 8x8, float32 in [0, 1]; ``fashion-mnist`` the
    60,000 training images of 28x28, uint8, in Debian's package dataset-fashion-mnist, or its 10,000
    test images as ``part="test"``.

    Raises
    ------
    InvalidInput
        If the package that holds the set is not installed, or ``digits`` is asked for a part.

    Examples
    --------
    >>> load_builtin("digits").x.shape
    (1797, 8, 8)
    """
    if name == "fashion-mnist":
        return _fashion_mnist(part or "train")
    if part is not None:
        raise InvalidInput("part means nothing for digits, which is all one part")
    return _digits()


def _digits() -> Records:
    from sklearn.datasets import load_digits  # noqa: PLC0415  # takes a second to import

    bunch = load_digits()
    return Records((bunch.images / 16).astype(np.float32), labels=bunch.target)


def _fashion_mnist(part: str) -> Records:
    if images_in(_FASHION_MNIST, part) is None:
        raise InvalidInput(
            "the set is not on this machine; install Debian's package dataset-fashion-mnist"
        )
    return load_idx_folder(str(_FASHION_MNIST), part=part)
