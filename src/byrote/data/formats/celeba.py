"""CelebA: a folder of aligned faces, and the list that assigns each to a part."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from byrote.data.formats.images import stack_images
from byrote.data.formats.registry import CELEBA_IMAGES, CELEBA_LISTS
from byrote.data.geometry import Geometry
from byrote.data.records import Records, random_rows
from byrote.errors import InvalidInput

_PARTS = {"train": "0", "valid": "1", "test": "2"}
_HEADER = ["image_id", "partition"]


def load_celeba(
    source: str, *, part: str = "train", image: Geometry | None = None, records: int | None = None
) -> Records:
    r"""Load a part of CelebA: the images that the list names, in its order; others are ignored.

    The folder holds ``list_eval_partition.txt`` or ``.csv``, and the images: in
    ``img_align_celeba``, in a folder of that name within it (Kaggle's archive), or next to the
    list. Returns (n, h, w, 3) uint8 with file names as ids, without labels.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("RGB", (178, 218)).save(f"{folder}/000001.jpg")
    ...     _ = Path(f"{folder}/list_eval_partition.txt").write_text("000001.jpg 0\n")
    ...     records = load_celeba(folder, image=Geometry.parse("celeba"))
    >>> records.x.shape, records.ids.tolist()
    ((1, 32, 32, 3), ['000001.jpg'])
    """
    folder = Path(source)
    partition = next((folder / name for name in CELEBA_LISTS if (folder / name).is_file()), None)
    if partition is None:
        raise InvalidInput(
            f"a folder with {CELEBA_IMAGES} must also have {' or '.join(CELEBA_LISTS)}; it is"
            f" missing (without it, load {CELEBA_IMAGES} itself)"
        )
    names = [name for name, number in _read_partition(partition) if number == _PARTS[part]]
    if not names:
        raise InvalidInput(f"{partition.name} must name images of the part {part}; it names none")
    images = _image_folder(folder)
    existing = {path.name for path in images.iterdir()}
    missing = [name for name in names if name not in existing]
    if missing:
        raise InvalidInput(
            f"every image that {partition.name} names must be in {images.name}; {len(missing)} of"
            f" {len(names)} of the part {part} are missing, the first is {missing[0]}"
        )
    rows = random_rows(len(names), records)
    selected = ((f"row {row} ({names[row]})", images / names[row]) for row in rows)
    return Records(stack_images(selected, len(rows), image), ids=np.array(names)[rows])


def _image_folder(folder: Path) -> Path:
    for images in (folder / CELEBA_IMAGES / CELEBA_IMAGES, folder / CELEBA_IMAGES):
        if images.is_dir():
            return images
    return folder


def _read_partition(path: Path) -> Iterator[tuple[str, str]]:
    separator = "," if path.suffix == ".csv" else None
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InvalidInput(f"{path.name} must be UTF-8 text; it is not") from None
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line.split(separator)]
        if separator and number == 1 and cells == _HEADER:
            continue
        if len(cells) != 2 or cells[1] not in _PARTS.values():
            raise InvalidInput(
                f"each line of {path.name} must be a file name and 0, 1 or 2 for train, valid and"
                f" test; line {number} is not"
            )
        yield cells[0], cells[1]
