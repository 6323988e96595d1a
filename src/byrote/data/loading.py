"""One door for data: finds out what a source is and hands it to the family that reads it."""

import os
from dataclasses import replace
from pathlib import Path

from byrote import checks
from byrote.data.arrays import load_array, load_npz
from byrote.data.builtin import NAMES, load_builtin
from byrote.data.idx import is_idx
from byrote.data.records import Records
from byrote.errors import InvalidInput

_OPTIONS = {  # what a source is called in messages, and the options that mean something for it
    "a built-in set": (),
    "a folder of images": (),
    ".npy": ("labels", "ids"),
    ".npz": ("key", "labels", "ids"),
    ".csv": ("labels", "ids"),
    ".parquet": ("key", "labels", "ids"),
    "IDX": ("labels", "ids"),
}


def load(
    source: str | os.PathLike[str],
    *,
    key: str | None = None,
    labels: str | os.PathLike[str] | None = None,
    ids: str | os.PathLike[str] | None = None,
) -> Records:
    """Load records from a file, a folder of images, or a built-in set.

    Parameters
    ----------
    source
        ``"digits"`` or ``"fashion-mnist"``; or the path of a .npy, .npz, .csv, .parquet or IDX
        file (gzipped or not) or of a folder of images. A folder of a built-in set's name is
        reached as ``"./digits"``.
    key
        Which array of a .npz archive, or which column of images or lists of a Parquet file.
    labels, ids
        Where labels and ids are: a column of the table, an array of the archive, or beside .npy
        and IDX files the path of another such file, of shape (n,). Left out, labels are taken
        where the layout gives them (sub-folders, MNIST's files, Hugging Face's columns) and ids
        are row numbers, or relative paths for a folder.

    Returns
    -------
    Records
        Numbers (n, d); or images (n, h, w) or (n, h, w, c), float32 in [0, 1] where pixels were
        stored as integers.

    Raises
    ------
    InvalidInput
        If the source is missing, damaged or of an unknown kind, an option means nothing for it,
        or what it holds cannot be records. The message never quotes a record.

    Examples
    --------
    >>> records = load("digits")
    >>> records.x.shape, float(records.x.max()), records.labels[:3].tolist()
    ((1797, 8, 8), 1.0, [0, 1, 2])
    """
    name = _text("source", source)
    given = {
        option: _text(option, value)
        for option, value in (("key", key), ("labels", labels), ("ids", ids))
        if value is not None
    }
    kind = _kind(name)
    try:
        _check_options(kind, given)
        return replace(_read(kind, name, given), source=name, options=given)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from None
    except OSError as error:
        raise InvalidInput(f"{name}: cannot be read ({error.strerror})") from None


def _text(name: str, value: object) -> str:
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text:
        got = "an empty string" if text == "" else type(value).__name__
        raise InvalidInput(f"{name} must be a name or a path; got {got}")
    return text


def _kind(source: str) -> str:
    path = Path(source)
    if source in NAMES:
        return "a built-in set"
    if path.is_dir():
        return "a folder of images"
    if not path.is_file():
        raise InvalidInput(_missing(source))
    if path.suffix.lower() in _OPTIONS:
        return path.suffix.lower()
    if is_idx(path):
        return "IDX"
    raise InvalidInput(
        f"{source}: this kind of file is not known; a source must be one of"
        f" {', '.join(_OPTIONS)} (also gzipped)"
    )


def _missing(source: str) -> str:
    if Path(source).suffix or Path(source).name != source:
        return f"source must be a file, a folder or a built-in set; there is no {source}"
    return (
        f"source must be a file, a folder or a built-in set ({', '.join(NAMES)}); there is no"
        f" {source}{checks.did_you_mean(source, NAMES)}"
    )


def _check_options(kind: str, given: dict[str, str]) -> None:
    useless = [option for option in given if option not in _OPTIONS[kind]]
    if useless:
        usable = " and ".join(_OPTIONS[kind]) or "no options"
        raise InvalidInput(f"{useless[0]} means nothing for {kind}, which takes {usable}")


def _read(kind: str, source: str, given: dict[str, str]) -> Records:
    # pyarrow and Pillow are imported only with the families that need them
    match kind:
        case "a built-in set":
            return load_builtin(source)
        case "a folder of images":
            from byrote.data.images import load_folder  # noqa: PLC0415

            return load_folder(source)
        case ".npz":
            return load_npz(source, **given)
        case ".csv":
            from byrote.data.tables import load_csv  # noqa: PLC0415

            return load_csv(source, **given)
        case ".parquet":
            from byrote.data.tables import load_parquet  # noqa: PLC0415

            return load_parquet(source, **given)
        case _:
            return load_array(source, **given)
