r"""Texts as cells of a CSV file: safe to show and to open as a spreadsheet, and read back exactly.

A cell that begins as a formula does would be computed by a spreadsheet, and control characters
would be obeyed by a terminal. So

- characters that cannot be printed, or that the file's encoding lacks, are written ``\x1b``,
  ``\u202e`` or ``\U000e0001``; a backslash before what would be read as one of these, ``\x5c``;
- a text that begins with ``=``, ``+``, ``-``, ``@`` or their wide forms, and is no number, begins
  with an apostrophe; one more is put before such apostrophes that are its own.

All other texts, and numbers, stay as they are.
"""

import re

_MARKED = re.compile("'+[=+@\uff1d\uff0b\uff20\uff0d-]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def cell(text: str, encoding: str = "utf-8") -> str:
    r"""A text as it is written into a cell.

    Examples
    --------
    >>> cell("=1+1"), cell("-5"), cell("'=a"), cell("é", "ascii"), cell("a\tb"), cell("\\x1b")
    ("'=1+1", '-5', "''=a", '\\xe9', 'a\\x09b', '\\x5cx1b')
    """
    if not (text.isascii() and text.isprintable() and "\\" not in text):
        text = _ESCAPE.sub(_doubled, text)
        text = "".join(c if _stays(c, encoding) else _spelled(c) for c in text)
    return f"'{text}" if _MARKED.match(f"'{text}") and not _NUMBER.fullmatch(text) else text


def text_of(cell: str) -> str:
    r"""The text that a cell was written from.

    Examples
    --------
    >>> [text_of(cell(text)) for text in ("=1+1", "-5", "'=a", "a\tb", "\\x1b", "\\")]
    ['=1+1', '-5', "'=a", 'a\tb', '\\x1b', '\\']
    """
    return _ESCAPE.sub(_read, cell[1:] if _MARKED.match(cell) else cell)


def _stays(character: str, encoding: str) -> bool:
    if character.isascii():
        return character.isprintable()
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return character.isprintable()


def _spelled(character: str) -> str:
    code = ord(character)
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def _doubled(found: re.Match[str]) -> str:
    """What looks like an escape, and would be read as one, with its backslash spelled out."""
    return found[0] if _read(found) == found[0] else f"\\x5c{found[0][1:]}"


def _read(found: re.Match[str]) -> str:
    code = int(next(filter(None, found.groups())), 16)
    plain = code > 0x10FFFF or (0x20 <= code < 0x7F and code != 0x5C)  # nobody spells these out
    return found[0] if plain else chr(code)
