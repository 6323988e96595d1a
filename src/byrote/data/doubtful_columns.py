"""Columns that may not be what they look like: ids, free text, categories written as numbers.

A model would learn ids and names as values. So they are refused unless they are asked for.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.column_names import quote_names
from byrote.data.columns import Columns
from byrote.data.load_diagnostics import warn
from byrote.errors import InvalidInput

Array = NDArray[Any]
_ID = re.compile(r"(?i:(.*[ _.-])?(id|index|uuid|key|nr|no|number|row)|unnamed: 0)|.*[a-z]I[dD]")
_NUMBER = re.compile(r"[-+]?\d*\.?\d+([eE][-+]?\d+)?")
_WITH_MARKS = re.compile(r"[-+]?[$€£]?\s?\d[\d.,'\s]*[%$€£]?")
_FEWEST_ROWS = 2  # more are needed to tell ids from values
_FIRST_ROWS = 64  # rows that rule out most columns as ids
_ENOUGH_ROWS = 20  # for consecutive integers in any order, and other integers, to be doubted
_MOST_CATEGORIES = 0.5  # of the rows, of a column of text
_FREE_TEXT = 20  # different texts that may be categories in any case
_FEW_NUMBERS = 10  # different whole numbers that may stand for categories
_FEW_COLUMNS = 20  # that are named; more are pixels
_WIDE = 200  # columns


def check_empty(columns: Columns) -> None:
    """Refuse columns without any value."""
    for column in columns.columns:
        if column.categories == ():
            raise InvalidInput(
                f"column {column.name!r} must hold values; all are missing (--drop {column.name})"
            )


def check_ids(values: Mapping[Any, Any], columns: Columns, taken: Collection[str]) -> None:
    """Refuse columns of whole numbers that look like ids, if there are others.

    ``values`` are the columns by name; those in ``taken`` are values in any case.
    """
    suspects, doubtful = [], []
    for name in _numbers(columns, taken):
        array = np.asarray(values[name], dtype=np.float64)
        if _differ(array):
            if _is_id(str(name), array):
                suspects.append(name)
            elif len(array) >= _ENOUGH_ROWS:
                doubtful.append(name)
    if 0 < len(suspects) < len(columns.columns):
        name = suspects[0]
        raise InvalidInput(
            f"{_subject(suspects, 'look')} like ids, which a model would learn as values: name one"
            f" as ids (--ids {name}), drop it (--drop {name}), or list the columns of values"
            " (--columns), it among them"
        )
    if 0 < len(doubtful) <= _FEW_COLUMNS and len(doubtful) < len(columns.columns):
        warn(
            f"all whole numbers in {quote_names(doubtful)} differ, as ids do; if they are ids, drop"
            f" them (--drop {doubtful[0]})"
        )


def check_texts(columns: Columns, rows: int, taken: Collection[str]) -> None:
    """Refuse columns of texts most of which differ, and name numbers among texts."""
    for column in columns.columns:
        if column.categories is None or column.name in taken or str(column.dtype) == "category":
            continue
        count, name = len(column.categories), column.name
        numbers = _numbers_among(column.categories)
        if count > max(_FREE_TEXT, _MOST_CATEGORIES * rows):
            raise InvalidInput(
                f"column {name!r} holds {count:,} different texts in {rows:,} rows{numbers}, too"
                f" many for categories: drop it (--drop {name}), name it as ids (--ids {name}) if"
                f" all differ, or list it among categories (--categories {name})"
            )
        if numbers:
            warn(f"column {name!r} holds categories{numbers}")


def _numbers_among(texts: Sequence[Any]) -> str:
    """Name how many texts are numbers, if most are and some are not plain ones."""
    strings = [text.strip() for text in texts if isinstance(text, str)]
    plain = sum(_NUMBER.fullmatch(text) is not None for text in strings)
    numbers = sum(bool(_NUMBER.fullmatch(t) or _WITH_MARKS.fullmatch(t)) for t in strings)
    if 2 * numbers <= len(texts) or plain == len(texts):
        return ""
    return (
        f", {numbers:,} of them numbers (to have numbers, write them like 1234.5 and leave cells"
        " without one empty)"
    )


def name_few_numbers(values: Mapping[Any, Any], columns: Columns, taken: Collection[str]) -> None:
    """Name columns of few whole numbers, which may stand for categories."""
    few = []
    for name in _numbers(columns, taken) if len(columns.columns) <= _WIDE else ():
        array = np.asarray(values[name], dtype=np.float64)
        different = np.unique(array[~np.isnan(array)])
        whole = bool((different == np.rint(different)).all())
        if whole and 1 < len(different) <= min(_FEW_NUMBERS, len(array) / 10):
            few.append(name)
    if 0 < len(few) <= _FEW_COLUMNS:
        warn(
            f"{_subject(few, 'hold')} few different numbers, taken as numbers (--categories"
            f" {few[0]} makes them categories)"
        )


def _numbers(columns: Columns, taken: Collection[str]) -> list[Any]:
    return [c.name for c in columns.columns if c.categories is None and c.name not in taken]


def _subject(names: Sequence[Any], verb: str) -> str:
    """Return names as a subject with its verb, given in the plural."""
    one = len(names) == 1
    return f"{'column' if one else 'columns'} {quote_names(names)} {verb}{'s' if one else ''}"


def _differ(column: Array) -> bool:
    """Whether values are whole numbers of which no two are equal, in enough rows to tell."""
    if len(column) <= _FEWEST_ROWS or (np.diff(column[:_FIRST_ROWS]) == 0).any():
        return False
    return bool((column == np.rint(column)).all()) and len(np.unique(column)) == len(column)


def _is_id(name: str, column: Array) -> bool:
    """Whether different whole numbers count the rows, or bear a usual name of ids."""
    if (np.diff(column) == 1).all() or _ID.fullmatch(name) is not None:
        return True
    return len(column) >= _ENOUGH_ROWS and bool(np.ptp(column) == len(column) - 1)
