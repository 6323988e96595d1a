r"""Rows of a source of texts, and how they are cut into records: documents, lines, windows."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.load_diagnostics import warn
from byrote.errors import InvalidInput

DOCUMENT, LINE = "document", "line"
_WINDOW = re.compile(r"window=([1-9]\d{0,8})")


@dataclass(frozen=True)
class TextRows:
    """Documents as read from a source: (n,) texts, ids and labels.

    A single file of text is one document without an id.
    """

    documents: Sequence[str]
    ids: NDArray[Any] | None = None
    labels: NDArray[Any] | None = None

    def take(self, rows: NDArray[np.intp]) -> "TextRows":
        """Return some of the rows."""
        ids, labels = (None if each is None else each[rows] for each in (self.ids, self.labels))
        return replace(self, documents=[self.documents[r] for r in rows], ids=ids, labels=labels)


def check_unit(unit: Any) -> str:
    """Refuse what is not a unit."""
    if isinstance(unit, str) and (unit in (DOCUMENT, LINE) or _WINDOW.fullmatch(unit)):
        return unit
    raise InvalidInput(
        f"unit must be document, line or window=N (characters); got {checks.brief(unit)}"
    )


def cut_rows(rows: TextRows, unit: str) -> TextRows:
    r"""Cut documents into units; those without a visible character are left out.

    A part's id is that of its document, a colon and the number of the line or window, from 0; of a
    document without an id, the number alone.

    Examples
    --------
    >>> rows = TextRows(["one\n\ntwo\n"], np.array(["a.txt"]))
    >>> cut = cut_rows(rows, "line")
    >>> cut.documents, cut.ids.tolist()
    (['one', 'two'], ['a.txt:0', 'a.txt:2'])
    >>> cut_rows(TextRows(["seven letters"]), "window=6").documents
    ['seven ', 'letter', 's']
    """
    if check_unit(unit) == DOCUMENT:
        visible = np.flatnonzero([bool(text.strip()) for text in rows.documents])
        if dropped := len(rows.documents) - len(visible):
            warn(f"{dropped} of {len(rows.documents)} texts are empty, and left out")
        return rows.take(visible)
    parts = [
        (row, number, part)
        for row, text in enumerate(rows.documents)
        for number, part in enumerate(_parts(text, unit))
        if part.strip()
    ]
    number = np.array([number for _, number, _ in parts], dtype=np.int64)
    cut = rows.take(np.array([row for row, _, _ in parts], dtype=np.intp))
    ids = number if cut.ids is None else _joined(cut.ids, number)
    return replace(cut, documents=[part for _, _, part in parts], ids=ids)


def _parts(text: str, unit: str) -> Iterator[str]:
    if unit == LINE:
        yield from text.split("\n")
        return
    match = _WINDOW.fullmatch(unit)
    assert match is not None  # noqa: S101 (checked)
    length = int(match[1])
    for start in range(0, len(text), length):
        yield text[start : start + length]


def _joined(ids: NDArray[Any], number: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.array([f"{id_}:{n}" for id_, n in zip(ids.tolist(), number.tolist(), strict=True)])


def checked_texts(name: str, values: Any) -> tuple[str, ...]:
    """Return a sequence of Unicode strings as a tuple; refuse others without quoting them."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidInput(f"{name} must be a sequence of strings; got {type(values).__name__}")
    texts = tuple(checks.as_list(name, values))
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise InvalidInput(
                f"{name} must be strings; got {type(text).__name__} at position {number}"
            )
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(
                f"{name} must be Unicode text; number {number} holds half a surrogate pair at"
                f" character {error.start}"
            ) from None
    return texts
