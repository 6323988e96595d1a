"""Loading of records and of text from a source: a file, a folder or a built-in set."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from byrote import checks
from byrote.data.column_choice import yes_or_no
from byrote.data.column_names import join_names
from byrote.data.columns import Columns, is_frame
from byrote.data.corpus import Corpus
from byrote.data.formats.registry import (
    DATA_FRAME,
    RECORD_FORMATS,
    TEXT_FORMATS,
    record_format,
    text_format,
)
from byrote.data.geometry import Geometry
from byrote.data.id_lists import listed_rows, read_ids
from byrote.data.load_diagnostics import collect_warnings, prefix_errors
from byrote.data.records import Records, random_rows
from byrote.data.text_records import TextRecords, are_texts, as_text_records
from byrote.errors import InvalidInput


def load(
    source: Any,
    *,
    key: str | None = None,
    labels: str | os.PathLike[str] | None = None,
    ids: str | os.PathLike[str] | None = None,
    columns: str | Sequence[str] | None = None,
    drop: str | Sequence[str] | None = None,
    categories: str | Sequence[str] | None = None,
    standardize: bool | str | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    part: str | None = None,
    image: str | None = None,
    records: int | str | None = None,
    only: str | os.PathLike[str] | None = None,
) -> Records:
    """Load records from a file, a folder of images, a published or built-in set, or a data frame.

    Parameters
    ----------
    source
        A data frame of pandas, or of any library that shares Arrow tables; or ``"digits"`` or
        ``"fashion-mnist"``; or the path of a .npy, .npz, .csv, .parquet or IDX file (CSV and IDX
        also gzipped), of a folder of images, or of a folder with the published files of CIFAR-10
        (Python or binary), CelebA (images and ``list_eval_partition``), MNIST or Fashion-MNIST.
        Write ``"./digits"`` for a folder with the name of a built-in set.
    key
        Array of a .npz archive, or column of images or lists of a Parquet file.
    labels, ids
        Labels and ids: a column of the table, an array of the archive, or for .npy and IDX files
        the path of another such file, of shape (n,). By default labels come from the layout where
        it has them (sub-folders, MNIST's files, Hugging Face's columns), and ids are row numbers,
        or relative paths for a folder.
    columns, drop
        Of a table: the only columns of values; columns to leave out. Lists of names, or text with
        commas between names. Columns that look like ids, and texts most of which differ, are
        refused unless they are named in ``columns`` or ``categories``.
    categories
        Columns of categories, though they hold numbers or many texts. Other texts and truth values
        are categories too; missing values are values of their own.
    standardize
        Whether models get the numbers of a table at mean 0 and standard deviation 1; log p remains
        a density in the table's units. Default: unless a model takes them in their own units.
    separator, decimal, encoding
        Of a CSV file: what separates cells, marks decimals and encodes text (default: as the file
        shows, with a warning where that is not commas, points and UTF-8).
    part
        Part of a published set: ``"train"`` (default), ``"test"``, or ``"valid"`` of CelebA.
    image
        What to do with each image, in order: ``"pad=N"`` surrounds it with N pixels of zero,
        ``"crop=LEFT,TOP,RIGHT,BOTTOM"`` cuts out a box, ``"resize=N"`` makes it N x N by Pillow's
        antialiased bilinear filter, and ``"celeba"`` is the paper's
        ``"crop=15,40,163,188 resize=32"``.
    records
        Load a fixed random subset of N records, in the order of the data, with their ids in the
        whole (such as row numbers).
    only
        A .csv or .parquet file with a column ``id``, or a .txt file with one id per line: load only
        the listed records, in the order of the data, with their ids. Combined with ``records``, it
        selects from that subset. ``byrote prune`` writes such a file.

    Returns
    -------
    Records
        Numbers (n, d); or images (n, h, w) or (n, h, w, c): uint8, which stands for x/255, for
        pixels of 8 bits, and float32 in [0, 1] for pixels of 16.

    Raises
    ------
    InvalidInput
        If the source is missing, damaged or of unknown format, an option does not apply to it, it
        has fewer records than asked for or lacks some that ``only`` lists, or its contents are not
        valid records. The message never quotes a record.

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
    lists = {"columns": columns, "drop": drop, "categories": categories}
    options = options_as_text(
        key=key, labels=labels, ids=ids, part=part, image=image,
        **{option: join_names(option, names) for option, names in lists.items()},
        standardize=yes_or_no("standardize", standardize),
        separator=separator, decimal=decimal, encoding=encoding,
    )  # fmt: skip
    in_memory = is_frame(source)
    name = "memory" if in_memory else path_as_text("source", source)
    format_name = DATA_FRAME if in_memory else record_format(name)
    with collect_warnings("X" if in_memory else name), prefix_errors("X" if in_memory else name):
        RECORD_FORMATS[format_name].check_options(format_name, options)
        count = None if records is None else checks.count("records", records)
        listed = None if only is None else read_ids(_text("only", only))
        loaded = _read_records(format_name, source if in_memory else name, options, count)
        if count is not None:
            options["records"] = str(count)
        if only is not None and listed is not None:
            loaded = loaded.take(listed_rows(loaded.ids, listed))
            options["only"] = str(Path(only).resolve())  # holds from any working directory
        return replace(loaded, source=name, options=options)


def _read_records(
    format_name: str, source: Any, options: dict[str, str], count: int | None
) -> Records:
    read_options: dict[str, Any] = dict(options)
    words = read_options.pop("image", None)
    geometry = None if words is None else Geometry.parse(words)
    source_format = RECORD_FORMATS[format_name]
    if source_format.selects:
        return source_format.read(source, image=geometry, records=count, **read_options)
    records: Records = source_format.read(source, **read_options)
    if count is not None:
        records = records.take(random_rows(len(records), count))
    return records if geometry is None else replace(records, x=geometry.apply(records.x))


def as_records(
    data: Any, *, ids: Any = None, labels: Any = None, standardize: bool | None = None
) -> Records | TextRecords:
    """Convert an array, a data frame, texts or records to records; ids and labels override theirs.

    The index of a data frame becomes the ids if it holds integers or strings; ids and labels may be
    names of its columns. ``standardize`` makes a table of rows of numbers.
    """
    if isinstance(data, str | PurePath):
        raise InvalidInput(
            "X must be an array, texts or Records; got a path: byrote.load and byrote.load_texts"
            " read files"
        )
    if are_texts(data):
        if standardize is not None:
            raise InvalidInput("standardize takes tables, X of shape (n, d); got texts")
        return as_text_records(data, ids=ids, labels=labels)
    if is_frame(data):
        named = {"ids": ids, "labels": labels}
        options = {option: name for option, name in named.items() if isinstance(name, str)}
        ids, labels = (None if option in options else value for option, value in named.items())
        data = load(data, standardize=standardize, **options)
    elif not isinstance(data, Records):
        data = Records(data)
    if standardize is not None:
        data = _standardized(data, checks.flag("standardize", standardize))
    if ids is None and labels is None:
        return data
    return replace(
        data, ids=data.ids if ids is None else ids, labels=data.labels if labels is None else labels
    )


def _standardized(records: Records, standardize: bool) -> Records:
    if records.columns is not None:
        return replace(records, standardize=standardize)
    if not standardize:
        return records
    if len(records.shape) != 1:
        raise InvalidInput(
            f"standardize takes tables, X of shape (n, d); got records of shape {records.shape}"
        )
    columns = Columns.of_numbers(range(records.shape[0]), records.x)
    return replace(records, columns=columns, standardize=True)


def load_corpus(
    source: str | os.PathLike[str],
    *,
    column: str | None = None,
    part: str | None = None,
    characters: int | str | None = None,
) -> Corpus:
    r"""Load text from a file, a folder, a table, a saved data set, or a built-in set.

    Text must be valid UTF-8; a byte order mark is dropped. ``"\r\n"`` and ``"\r"`` become ``"\n"``,
    as in Python's text mode; all else is unchanged, NUL characters included. Empty documents are
    dropped, and counted in ``notes``.

    Parameters
    ----------
    source
        ``"python-help"``, the topics of the running Python's help (its version is noted), one
        document each, ``"python-classes"``, its help of the built-in classes, or
        ``"made-up-mails"``, e-mails of an imaginary firm; or the path of a text file (one
        document), of a folder of text files (.txt, .md and the like; one document each, in the
        order of their paths, hidden files skipped), of JSON lines (.jsonl, .ndjson), .csv or
        .parquet (one document per row), or of a folder that Hugging Face's ``save_to_disk`` wrote.
        All but Parquet may be gzipped (``.gz``).
    column
        Column of a table that holds the text; default: ``text``, or the only one with text.
    part
        Part of a saved data set in parts; default: train.
    characters
        Load at most the first N characters, up to the last line end among them. Little more than
        these is read.

    Returns
    -------
    Corpus
        With source and options as given, and notes on what was dropped or skipped.

    Raises
    ------
    InvalidInput
        If the source is missing, damaged, empty or not UTF-8 (the message names file and byte), an
        option does not apply to it, or several columns could be meant. No message quotes text.

    Examples
    --------
    >>> corpus = load_corpus("python-help", characters=10_000)
    >>> 9_000 < corpus.characters <= 10_000, corpus.source, corpus.options
    (True, 'python-help', {'characters': '10000'})
    """
    name = path_as_text("source", source)
    options = options_as_text(column=column, part=part)
    format_name = text_format(name)
    with collect_warnings(name), prefix_errors(name):
        TEXT_FORMATS[format_name].check_options(format_name, options)
        limit = None if characters is None else checks.count("characters", characters)
        corpus: Corpus = TEXT_FORMATS[format_name].read(name, **options, limit=limit)
        if limit is not None:
            corpus = corpus.first(limit)
            options["characters"] = str(limit)
        return replace(corpus, source=name, options=options)


def options_as_text(**options: object) -> dict[str, str]:
    """Return the options that are given, each as text."""
    return {name: _text(name, value) for name, value in options.items() if value is not None}


def path_as_text(name: str, value: object) -> str:
    """Return a path as text; refuse what cannot be one."""
    text = _text(name, value)
    checks.path(name, text)
    return text


def _text(name: str, value: object) -> str:
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text:
        got = "an empty string" if text == "" else type(value).__name__
        raise InvalidInput(f"{name} must be a name or a path; got {got}")
    return text
