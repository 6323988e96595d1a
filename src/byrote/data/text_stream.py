"""Text files, gzipped or not, decoded piece by piece: no further than is asked for."""

import codecs
import io
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path

from byrote.data.gzip_stream import open_gzip
from byrote.errors import InvalidInput

_BOM = "\ufeff"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_FIRST_PREFIX = 1 << 16  # characters


def normalize_newlines(text: str) -> str:
    r"""Replace "\r\n" and "\r" by "\n", as Python's text mode does.

    Examples
    --------
    >>> normalize_newlines("one\r\ntwo\rthree\n")
    'one\ntwo\nthree\n'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def text_pieces(path: Path, name: str = "the file") -> Generator[str, None, None]:
    r"""Yield the text of a UTF-8 file in pieces, without a byte order mark, lines ending in "\n".

    A byte that is not UTF-8 is named by its position in the unzipped file.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    with open_gzip(path) as file:
        position, start, first = 0, b"", True
        for piece in file.text_pieces(name, "characters=N takes the first N"):
            start = start or piece[:2]
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(piece)
            except UnicodeDecodeError as error:
                raise _not_utf8(name, position - pending + error.start, start) from None
            position += len(piece)
            text = newlines.decode(text)
            if text and first:
                text, first = text.removeprefix(_BOM), False
            yield text
        if file.damaged:
            raise InvalidInput(f"{name} is damaged: its gzip stream ends early or wrongly")
    if pending := len(decoder.getstate()[0]):
        raise _not_utf8(name, position - pending, start)
    yield newlines.decode("", final=True)


def read_text(path: Path, name: str = "the file", limit: int | None = None) -> str:
    """Read a UTF-8 file, unzipped: all of it, or little more than ``limit`` characters.

    Examples
    --------
    >>> import gzip, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.txt.gz"
    ...     _ = path.write_bytes(gzip.compress("naïve".encode()))
    ...     read_text(path)
    'naïve'
    """
    with closing(_prefixes(path, limit, name)) as prefixes:
        return next(text for text, is_whole in prefixes if is_whole or len(text) > (limit or 0))


def read_documents(
    path: Path,
    limit: int | None,
    parse: Callable[[str], Sequence[str]],
    last_row: Callable[[str], int],
) -> Sequence[str]:
    """Parse a file into documents: all of it, or a prefix with more than ``limit`` characters.

    ``parse`` returns the documents of a text and refuses a malformed one; ``last_row`` returns the
    offset at which the last complete row of a text ends.
    """
    with closing(_prefixes(path, limit)) as prefixes:
        for text, is_whole in prefixes:
            try:
                documents = parse(text if is_whole else text[: last_row(text)])
            except InvalidInput:
                if is_whole:
                    raise
                continue
            if is_whole or sum(map(len, documents)) > (limit or 0):
                return documents
    raise AssertionError("the last prefix is the whole text")


def _prefixes(
    path: Path, limit: int | None, name: str = "the file"
) -> Generator[tuple[str, bool], None, None]:
    """Yield longer and longer prefixes of a text, and whether each is the whole."""
    parts, length = [], 0
    wanted = float("inf") if limit is None else max(2 * limit, _FIRST_PREFIX)
    with closing(text_pieces(path, name)) as pieces:
        for piece in pieces:
            parts.append(piece)
            length += len(piece)
            if length > wanted:
                parts = ["".join(parts)]
                yield parts[0], False
                wanted = 4 * length
    yield "".join(parts), True


def _not_utf8(name: str, position: int, start: bytes) -> InvalidInput:
    utf_16 = " (it begins as UTF-16 does)" if start in _UTF_16 else ""
    return InvalidInput(
        f"{name} must be UTF-8 text; byte {position}, counted from 0, is not{utf_16}"
    )
