"""Text of a file, gzipped or not, read piece by piece: no more than is asked for."""

import codecs
import io
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path

from byrote.data.gzipped import opened
from byrote.errors import InvalidInput

_BOM = "\ufeff"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_LEAST = 1 << 16  # characters read at first


def text_pieces(path: Path, name: str = "the file") -> Generator[str, None, None]:
    r"""Give the text of a file of UTF-8 piece by piece, with ``"\n"`` for every end of a line.

    A byte order mark at its begin is dropped.

    Raises
    ------
    InvalidInput
        If a byte is not UTF-8, which is named by its position in the unzipped file, the file is cut
        off, or it unzips to far more than a text would or memory holds.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    with opened(path) as file:
        position, begin, first = 0, b"", True
        for piece in file.text(name, "characters=N takes the first N"):
            begin = begin or piece[:2]
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(piece)
            except UnicodeDecodeError as error:
                raise _not_utf_8(name, position - pending + error.start, begin) from None
            position += len(piece)
            text = newlines.decode(text)
            if text and first:
                text, first = text.removeprefix(_BOM), False
            yield text
        if file.damaged:
            raise InvalidInput(f"{name} is damaged: its gzip stream ends early or wrongly")
    if pending := len(decoder.getstate()[0]):
        raise _not_utf_8(name, position - pending, begin)
    yield newlines.decode("", final=True)


def read_text(path: Path, name: str = "the file", limit: int | None = None) -> str:
    """Read a file of UTF-8, unzipped: all of it, or little more than ``limit`` characters.

    Raises
    ------
    InvalidInput
        As ``text_pieces``.

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
        return next(text for text, whole in prefixes if whole or len(text) > (limit or 0))


def documents_of(
    path: Path,
    limit: int | None,
    parse: Callable[[str], Sequence[str]],
    last_row: Callable[[str], int],
) -> Sequence[str]:
    """Parse a file into documents: all of it, or a part that holds more than ``limit`` characters.

    Parameters
    ----------
    parse
        Gives the documents of a text; refuses a text that is malformed.
    last_row
        Gives the offset at which the last whole row of a text ends.

    Raises
    ------
    InvalidInput
        As ``text_pieces`` and ``parse``.
    """
    with closing(_prefixes(path, limit)) as prefixes:
        for text, whole in prefixes:
            try:
                found = parse(text if whole else text[: last_row(text)])
            except InvalidInput:
                if whole:
                    raise
                continue
            if whole or sum(map(len, found)) > (limit or 0):
                return found
    raise AssertionError("the last prefix is the whole text")


def _prefixes(
    path: Path, limit: int | None, name: str = "the file"
) -> Generator[tuple[str, bool], None, None]:
    """Give longer and longer beginnings of a text, and whether each is all there is."""
    parts, length = [], 0
    wanted = float("inf") if limit is None else max(2 * limit, _LEAST)
    with closing(text_pieces(path, name)) as pieces:
        for piece in pieces:
            parts.append(piece)
            length += len(piece)
            if length > wanted:
                parts = ["".join(parts)]
                yield parts[0], False
                wanted = 4 * length
    yield "".join(parts), True


def _not_utf_8(name: str, position: int, begin: bytes) -> InvalidInput:
    begins = " (it begins as UTF-16 does)" if begin in _UTF_16 else ""
    return InvalidInput(
        f"{name} must be UTF-8 text; byte {position}, counted from 0, is not{begins}"
    )
