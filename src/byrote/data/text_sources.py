"""Loading of texts as records from a source: a file, a folder, a table, a saved data set."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from byrote import checks
from byrote.data.formats.registry import TEXT_FILE, TEXT_ROWS, text_format
from byrote.data.id_lists import listed_rows, read_ids
from byrote.data.load_diagnostics import collect_warnings, prefix_errors
from byrote.data.records import random_rows
from byrote.data.sources import options_as_text, path_as_text
from byrote.data.text_records import TextRecords
from byrote.data.text_rows import DOCUMENT, LINE, TextRows, check_unit, cut_rows
from byrote.errors import InvalidInput


def load_texts(
    source: str | os.PathLike[str],
    *,
    column: str | None = None,
    ids: str | None = None,
    labels: str | None = None,
    unit: str | None = None,
    part: str | None = None,
    records: int | str | None = None,
    only: str | os.PathLike[str] | None = None,
) -> TextRecords:
    r"""Load texts, each of them a record whose memorization can be scored.

    Text must be valid UTF-8; a byte order mark is dropped, and ``"\r\n"`` and ``"\r"`` become
    ``"\n"``. Texts without a visible character are left out.

    Parameters
    ----------
    source
        The path of JSON lines (.jsonl, .ndjson), .csv or .parquet, of a text file, of a folder of
        text files, or of a folder that Hugging Face's ``save_to_disk`` wrote; or
        ``"python-help"``, ``"python-classes"`` or ``"made-up-mails"``. All but Parquet may be
        gzipped (``.gz``).
    column
        Column of a table that holds the text; default: ``text``, or the only one with text.
    ids, labels
        Columns of a table with ids and labels. Default: no labels, and as ids the numbers of rows
        from 0, relative paths in a folder, names in a built-in set.
    unit
        What a record is: "document" (a row of a table, a file), "line", or "window=N", N
        characters without overlap. Default: "line" for a text file, else "document".
    part
        Part of a saved data set in parts; default: train.
    records, only
        Load a fixed random subset of N records, or those that a file lists, as in ``load``.

    Raises
    ------
    InvalidInput
        If the source is missing, damaged or not UTF-8, an option does not apply to it, the column
        is missing or not known, or ids repeat. No message quotes a text.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lines = '{"id": "m1", "body": "one"}\n{"id": "m2", "body": "two"}\n'
    ...     _ = Path(f"{folder}/mails.jsonl").write_text(lines)
    ...     records = load_texts(f"{folder}/mails.jsonl", column="body", ids="id")
    >>> records.texts, records.ids.tolist()
    (('one', 'two'), ['m1', 'm2'])
    """
    name = path_as_text("source", source)
    options = options_as_text(column=column, ids=ids, labels=labels, part=part)
    format_name = text_format(name)
    with collect_warnings(name), prefix_errors(name):
        TEXT_ROWS[format_name].check_options(format_name, options)
        by_line = format_name == TEXT_FILE
        wanted = check_unit(unit or (LINE if by_line else DOCUMENT))
        count = None if records is None else checks.count("records", records)
        listed = None if only is None else read_ids(path_as_text("only", only))
        rows: TextRows = TEXT_ROWS[format_name].read(name, **options)
        loaded = _records(cut_rows(rows, wanted))
        if count is not None:
            loaded = loaded.take(random_rows(len(loaded), count))
            options["records"] = str(count)
        if only is not None and listed is not None:
            loaded = loaded.take(listed_rows(loaded.ids, listed))
            options["only"] = str(Path(only).resolve())  # holds from any working directory
        if unit is not None:
            options["unit"] = unit
        return replace(loaded, source=name, options=options)


def _records(rows: TextRows) -> TextRecords:
    if not len(rows.documents):
        raise InvalidInput("the source must hold text; it holds none")
    ids = np.arange(len(rows.documents)) if rows.ids is None else rows.ids
    return TextRecords(tuple(rows.documents), ids, rows.labels)
