"""One door for data: finds out what a source is and hands it to the family that reads it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.arrays import load_array, load_npz
from byrote.data.builtin import NAMES, load_builtin
from byrote.data.choice import chosen_rows, parse_count
from byrote.data.cifar import load_cifar
from byrote.data.geometry import Geometry
from byrote.data.idx import is_idx
from byrote.data.idx_folder import load_idx_folder
from byrote.data.layouts import kind_of_folder
from byrote.data.listed import read_ids, rows_of
from byrote.data.notices import noticed
from byrote.data.records import Records
from byrote.data.sources import check_options, missing, text_of
from byrote.errors import InvalidInput

_OPTIONS = {  # what a source is called in messages, and the options that mean something for it
    "a built-in set": ("part", "image"),
    "a folder of images": ("image",),
    "a folder of IDX files": ("part", "image"),
    "CIFAR-10": ("part", "image"),
    "CelebA": ("part", "image"),
    ".npy": ("labels", "ids", "image"),
    ".npz": ("key", "labels", "ids", "image"),
    ".csv": ("labels", "ids"),
    ".parquet": ("key", "labels", "ids", "image"),
    "IDX": ("labels", "ids", "image"),
}
_PARTS = ("train", "test")
_CELEBA_PARTS = ("train", "valid", "test")


def load(
    source: str | os.PathLike[str],
    *,
    key: str | None = None,
    labels: str | os.PathLike[str] | None = None,
    ids: str | os.PathLike[str] | None = None,
    part: str | None = None,
    image: str | None = None,
    records: int | str | None = None,
    only: str | os.PathLike[str] | None = None,
) -> Records:
    """Load records from a file, a folder of images, a published data set, or a built-in set.

    Parameters
    ----------
    source
        ``"digits"`` or ``"fashion-mnist"``; or the path of a .npy, .npz, .csv, .parquet or IDX
        file (gzipped or not), of a folder of images, or of a folder with the published files of
        CIFAR-10 (Python or binary), CelebA (images and ``list_eval_partition``), MNIST or
        Fashion-MNIST. A folder of a built-in set's name is reached as ``"./digits"``.
    key
        Which array of a .npz archive, or which column of images or lists of a Parquet file.
    labels, ids
        Where labels and ids are: a column of the table, an array of the archive, or beside .npy
        and IDX files the path of another such file, of shape (n,). Left out, labels are taken
        where the layout gives them (sub-folders, MNIST's files, Hugging Face's columns) and ids
        are row numbers, or relative paths for a folder.
    part
        ``"train"`` (if not given) or ``"test"``, or ``"valid"`` of CelebA: which part of a set that
        is published in parts.
    image
        What to do with each image, words in order: ``"pad=N"`` surrounds it with N pixels of zero,
        ``"crop=LEFT,TOP,RIGHT,BOTTOM"`` cuts out a box, ``"resize=N"`` makes it N x N by Pillow's
        antialiased bilinear filter, ``"celeba"`` is the paper's
        ``"crop=15,40,163,188 resize=32"``.
    records
        How many records to take of those there are: always the same random ones, in the order of
        the data, with the ids that they have among all (such as row numbers).
    only
        A .csv or .parquet file with a column ``id``, or a .txt file with an id a line: only the
        records listed there, in the order of the data, with their ids kept. With ``records``, of
        those that it takes. ``byrote prune`` writes such a file.

    Returns
    -------
    Records
        Numbers (n, d); or images (n, h, w) or (n, h, w, c): uint8 where pixels were stored with 8
        bits, which stands for x/255, float32 in [0, 1] where with 16.

    Raises
    ------
    InvalidInput
        If the source is missing, damaged or of an unknown kind, an option means nothing for it,
        it holds fewer records than asked for or lacks some that ``only`` lists, or what it holds
        cannot be records. The message never quotes a record.

    Examples
    --------
    >>> records = load("digits")
    >>> records.x.shape, float(records.x.max()), records.labels[:3].tolist()
    ((1797, 8, 8), 1.0, [0, 1, 2])
    >>> load("digits", image="pad=2").shape
    (12, 12)
    >>> load("digits", records=3).ids.tolist()
    [994, 1454, 1555]
    """
    name = text_of("source", source)
    checks.path("source", name)
    asked = {"key": key, "labels": labels, "ids": ids, "part": part, "image": image}
    given = {option: text_of(option, value) for option, value in asked.items() if value is not None}
    kind = _kind(name)
    with noticed(name):
        return _load(kind, name, given, records, only)


def _load(
    kind: str,
    name: str,
    given: dict[str, str],
    records: int | str | None,
    only: str | os.PathLike[str] | None,
) -> Records:
    try:
        _check_options(kind, given)
        count = None if records is None else parse_count(records)
        listed = None if only is None else read_ids(text_of("only", only))
        found = _read(kind, name, given, count)
        chosen = {} if count is None else {"records": str(count)}
        if only is not None and listed is not None:
            found = _rows(found, rows_of(found.ids, listed))
            # whichever folder a later command starts from
            chosen["only"] = str(Path(only).resolve())
        return replace(found, source=name, options={**given, **chosen})
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from None
    except OSError as error:
        raise InvalidInput(f"{name}: cannot be read ({error.strerror})") from None


def _some(records: Records, count: int) -> Records:
    """A choice of the records."""
    return _rows(records, chosen_rows(len(records), count))


def _rows(records: Records, rows: NDArray[np.intp]) -> Records:
    labels = None if records.labels is None else records.labels[rows]
    return replace(records, x=records.x[rows], ids=records.ids[rows], labels=labels)


def _kind(source: str) -> str:
    path = Path(source)
    if source in NAMES:
        return "a built-in set"
    if path.is_dir():
        return kind_of_folder(path)
    if not path.is_file():
        raise InvalidInput(missing(source, NAMES))
    suffix = path.suffix.lower()
    if suffix in _OPTIONS or path.name.lower().endswith(".csv.gz"):
        return suffix if suffix in _OPTIONS else ".csv"
    if is_idx(path):
        return "IDX"
    raise InvalidInput(
        f"{source}: this kind of file is not known; a source must be one of"
        f" {', '.join(_OPTIONS)} (CSV and IDX also gzipped)"
    )


def _check_options(kind: str, given: dict[str, str]) -> None:
    check_options(kind, given, _OPTIONS[kind])
    if "part" in given:
        checks.choice("part", given["part"], _CELEBA_PARTS if kind == "CelebA" else _PARTS)


def _read(kind: str, source: str, given: Mapping[str, str], count: int | None = None) -> Records:
    """Read the source, or a choice of its records.

    What decodes images changes each as it comes, and of a file each only those that are chosen; the
    rest is done here.
    """
    options: dict[str, Any] = dict(given)
    words = options.pop("image", None)
    image = None if words is None else Geometry.parse(words)
    if kind in _FILE_EACH:
        return _FILE_EACH[kind](source, image=image, records=count, **options)
    records = _READERS[kind](source, **options)
    records = records if count is None else _some(records, count)
    return records if image is None else replace(records, x=image.apply(records.x))


# pyarrow and Pillow are imported only with the families that need them


def _load_folder(source: str, **options: Any) -> Records:
    from byrote.data.images import load_folder  # noqa: PLC0415

    return load_folder(source, **options)


def _load_celeba(source: str, **options: Any) -> Records:
    from byrote.data.celeba import load_celeba  # noqa: PLC0415

    return load_celeba(source, **options)


def _load_parquet(source: str, **options: Any) -> Records:
    from byrote.data.tables import load_parquet  # noqa: PLC0415

    return load_parquet(source, **options)


def _load_csv(source: str, **options: Any) -> Records:
    from byrote.data.tables import load_csv  # noqa: PLC0415

    return load_csv(source, **options)


_FILE_EACH: dict[str, Callable[..., Records]] = {
    "a folder of images": _load_folder,
    "CelebA": _load_celeba,
    ".parquet": _load_parquet,
}
_READERS: dict[str, Callable[..., Records]] = {
    "a built-in set": load_builtin,
    "a folder of IDX files": load_idx_folder,
    "CIFAR-10": load_cifar,
    ".npy": load_array,
    ".npz": load_npz,
    ".csv": _load_csv,
    "IDX": load_array,
}
