r"""How a CSV file is written: its encoding, what separates cells, and how decimals are marked.

Where an option does not say, the file shows it; anything but UTF-8, commas and points is said.
"""

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from byrote import checks
from byrote.data.load_diagnostics import warn
from byrote.data.text_stream import read_bytes, read_utf8
from byrote.errors import InvalidInput

COMMA, POINT = ",", "."
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}
_WORDS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " "}
_MARKS = ",;\t|"
_LEGACY = "cp1252"  # what European spreadsheets write
_HEAD = 1 << 16  # bytes in which the separator shows
_ROWS = 20
_KINDS = {
    b"PK\3\4": "a spreadsheet or an archive (save the table as .csv)",
    b"PAR1": "Parquet (let its name end in .parquet)",
    b"[{": "JSON (save the table as .csv)",
    b'{"': "JSON (save the table as .csv)",
    b"<!": "a page (save its table as .csv)",
    b"<html": "a page (save its table as .csv)",
    b"<?xml": "XML (save its table as .csv)",
}
_START = 99  # bytes in which a kind shows
_DECIMAL = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")
_WHOLE = re.compile(r"[-+]?\d+")


@dataclass(frozen=True)
class Dialect:
    """What separates cells, and what marks decimals."""

    separator: str = COMMA
    decimal: str = POINT


def read_as_utf8(path: str | Path, encoding: str | None = None) -> bytes | bytearray:
    r"""Read a file in the named encoding, or the one it shows, and return it in UTF-8.

    Without a name it is UTF-8, UTF-16 by its first two bytes, or else Windows-1252.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.csv").write_bytes("a;é\n".encode("utf-16"))
    ...     read_as_utf8(f"{folder}/t.csv", "utf-16").decode()
    'a;é\n'
    """
    if encoding is not None:
        return _recoded(read_bytes(path), _known(encoding))
    try:
        return read_utf8(path)
    except InvalidInput as refused:
        content = read_bytes(path)
        check_kind(content)
        text, name = _decoded(content)
        if text is None:
            raise InvalidInput(f"{refused} (--encoding names another)") from None
        warn(f"not UTF-8, and read as {name} (--encoding names another)")
        return text.encode()


def check_kind(content: bytes | bytearray) -> None:
    """Refuse a file whose first bytes are those of another kind than CSV."""
    start = b"".join(bytes(content[:_START]).split())
    kind = next((kind for first, kind in _KINDS.items() if start.startswith(first)), None)
    if kind is not None:
        raise InvalidInput(f"the file must be CSV; it is {kind}")


def _decoded(content: bytes | bytearray) -> tuple[str | None, str]:
    """Decode what is not UTF-8: None if it is damaged UTF-8, or no text."""
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding, name = ("utf-16", "UTF-16") if is_utf_16 else (_LEGACY, "Windows-1252")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None, name
    beyond_ascii = {*content.decode("utf-8", "replace")} - {*map(chr, range(128))}
    is_damaged = not is_utf_16 and beyond_ascii != {"\ufffd"}
    return (None if is_damaged or "\0" in text else text), name


def recognize_separator(content: bytes | bytearray, given: str | None = None) -> str:
    r"""Return what separates cells: as given, or what divides the first rows alike, else commas.

    Examples
    --------
    >>> recognize_separator(b"a,b\n1,2\n"), recognize_separator(b"a\n1\n", "tab")
    (',', '\t')
    """
    if given is not None:
        mark = _WORDS.get(given, given)
        if len(mark) != 1 or mark in '"\r\n' or mark.isalnum():
            raise InvalidInput(
                f"separator must be one character, such as ';' or tab; got {checks.brief(given)}"
            )
        return mark
    cells = {mark: _cells(content, mark) for mark in _MARKS}
    separator = max(cells, key=lambda mark: cells[mark])  # the first of equals
    if cells[separator] <= 1:
        separator = _in_header(content)
    if separator != COMMA:
        warn(f"cells are separated by {_NAMES[separator]}, not commas (--separator names another)")
    return separator


def _in_header(content: bytes | bytearray) -> str:
    """Return the mark in the first line, a comma if there is one."""
    header = bytes(content[:_HEAD]).split(b"\n", 1)[0].decode("utf-8", "ignore")
    return next((mark for mark in _MARKS if mark in header), COMMA)


def _cells(content: bytes | bytearray, mark: str) -> int:
    """Return into how many cells a mark divides each of the first rows; 0 if not alike."""
    head = bytes(content[:_HEAD]).decode("utf-8", "ignore").removeprefix("\ufeff")
    lines = head.splitlines(keepends=True)
    if len(content) > _HEAD:
        lines.pop()  # cut somewhere
    try:
        rows = list(islice(csv.reader(lines, delimiter=mark), _ROWS))
    except csv.Error:
        return 0
    counts = {len(row) for row in rows if row}
    return counts.pop() if len(counts) == 1 else 0


def check_separator(names: Sequence[str], separator: str) -> None:
    """Refuse a separator that leaves one column, whose name another would divide."""
    other = next((mark for mark in _MARKS if mark in names[0]), None)
    if len(names) == 1 and other is not None:
        raise InvalidInput(
            f"separator must divide the first line, which has {_NAMES[other]}; got {separator!r}"
            " (without --separator it is recognized)"
        )


def check_quotes(content: bytes | bytearray, last: Sequence[object], row: int) -> None:
    """Refuse a quote that is never closed, so that the last row, of these cells, holds the rest."""
    if content.count(b'"') % 2 and any("\n" in cell for cell in last if isinstance(cell, str)):
        raise InvalidInput(f"every quote must be closed; one in row {row} is not")


def check_decimal(given: str | None) -> str | None:
    """Refuse a mark of decimals other than a point or a comma."""
    mark = None if given is None else _WORDS.get(given, given)
    if mark not in (None, COMMA, POINT):
        raise InvalidInput(f"decimal must be '.' or ','; got {checks.brief(given)}")
    return mark


def has_decimal_commas(texts: Sequence[str]) -> bool:
    """Whether all of these cells are numbers, and decimals of some are marked by a comma.

    Examples
    --------
    >>> has_decimal_commas(["1,5", "2"]), has_decimal_commas(["1,5", "x"])
    (True, False)
    """
    has_commas = False
    for text in texts:
        if _DECIMAL.fullmatch(text):
            has_commas = True
        elif not _WHOLE.fullmatch(text):
            return False
    return has_commas


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise InvalidInput(
            "encoding must be one that Python knows, such as utf-8, cp1252 or utf-16; got"
            f" {checks.brief(encoding)}"
        ) from None


def _recoded(content: bytes | bytearray, encoding: str) -> bytes:
    try:
        return content.decode(encoding).encode()
    except UnicodeError as error:
        at = f" at byte {error.start}, counted from 0" if hasattr(error, "start") else ""
        raise InvalidInput(
            f"encoding must be that of the file, which is not {encoding}{at} (without --encoding it"
            " is recognized)"
        ) from None
