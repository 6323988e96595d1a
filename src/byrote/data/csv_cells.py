r"""Texts as cells of a CSV file: safe to print and to open as a spreadsheet, read back exactly.

A spreadsheet computes a cell that begins like a formula, and a terminal obeys control characters.
Therefore

- characters that are not printable, or not in the file's encoding, are written ``\x1b``, ``\u202e``
  or ``\U000e0001``; a backslash before what would be read as such an escape is written ``\x5c``;
- a text that begins with ``=``, ``+``, ``-``, ``@`` or their full-width forms, and is not a number,
  gets an apostrophe in front; so does such a text that already has apostrophes in front.

All other texts, and numbers, are unchanged.
"""

import re

_FORMULA = re.compile("'+[=+@\uff1d\uff0b\uff20\uff0d-]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def escape_cell(text: str, encoding: str = "utf-8") -> str:
    r"""Escape a text for a cell.

    Examples
    --------
    >>> cells = ["=1+1", "-5", "'=a", "a\tb", "\\x1b"]
    >>> [escape_cell(text) for text in cells], escape_cell("é", "ascii")
    (["'=1+1", '-5', "''=a", 'a\\x09b', '\\x5cx1b'], '\\xe9')
    """
    if not (text.isascii() and text.isprintable() and "\\" not in text):
        text = _ESCAPE.sub(_escape_backslash, text)
        text = "".join(c if _is_plain(c, encoding) else _escape(c) for c in text)
    return f"'{text}" if _FORMULA.match(f"'{text}") and not _NUMBER.fullmatch(text) else text


def unescape_cell(cell: str) -> str:
    r"""Return the text that a cell was written from.

    Examples
    --------
    >>> [unescape_cell(escape_cell(t)) for t in ("=1+1", "-5", "'=a", "a\tb", "\\x1b", "\\")]
    ['=1+1', '-5', "'=a", 'a\tb', '\\x1b', '\\']
    """
    return _ESCAPE.sub(_unescape, cell[1:] if _FORMULA.match(cell) else cell)


def _is_plain(character: str, encoding: str) -> bool:
    if not character.isascii():
        try:
            character.encode(encoding)
        except UnicodeEncodeError:
            return False
    return character.isprintable()


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape_backslash(match: re.Match[str]) -> str:
    """Escape the backslash of what would be read as an escape."""
    return match[0] if _unescape(match) == match[0] else f"\\x5c{match[0][1:]}"


def _unescape(match: re.Match[str]) -> str:
    code = int(next(filter(None, match.groups())), 16)
    never_escaped = code > 0x10FFFF or (0x20 <= code < 0x7F and code != 0x5C)
    return match[0] if never_escaped else chr(code)
