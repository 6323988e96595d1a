"""A folder of IDX files as MNIST and Fashion-MNIST are published, training and test together."""

from pathlib import Path

from byrote.data.idx import labels_beside, read_idx
from byrote.data.pixels import scale_deep
from byrote.data.records import Records
from byrote.errors import InvalidInput

STEMS = {"train": "train", "test": "t10k"}

_ENDINGS = ("-images-idx3-ubyte", "-images.idx3-ubyte")


def images_in(folder: Path, part: str) -> Path | None:
    """Find the images of a part, plain or gzipped, if they are there."""
    names = [STEMS[part] + ending + zipped for ending in _ENDINGS for zipped in ("", ".gz")]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def load_idx_folder(source: str, *, part: str = "train") -> Records:
    """Load the training or the test part from a folder with MNIST's four files.

    Parameters
    ----------
    source
        Path of a folder with ``train-images-idx3-ubyte``, ``t10k-images-idx3-ubyte`` and their
        labels, each plain or gzipped.
    part
        ``"train"`` or ``"test"``.

    Returns
    -------
    Records
        (n, h, w) uint8 with integer labels where the file of labels is there.

    Raises
    ------
    InvalidInput
        If the part's images are missing, or a file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     head = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1])
    ...     _ = Path(f"{folder}/t10k-images-idx3-ubyte").write_bytes(head + bytes([7, 9]))
    ...     records = load_idx_folder(folder, part="test")
    >>> records.x.tolist()
    [[[7]], [[9]]]
    """
    images = images_in(Path(source), part)
    if images is None:
        name = STEMS[part] + _ENDINGS[0]
        raise InvalidInput(f"the {part} part must have its {name}, plain or .gz; it is missing")
    labels = labels_beside(images)
    return Records(
        scale_deep(read_idx(images)), labels=None if labels is None else read_idx(labels)
    )
