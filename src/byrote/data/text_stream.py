"""Files, gzipped or not, in pieces and in bounds: bytes, UTF-8 text, documents.

No further than needed is decompressed and decoded.
"""

import codecs
import io
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from byrote.data import memory
from byrote.data.load_diagnostics import warn
from byrote.errors import InvalidInput

MAX_EXPANSION = 1032  # bytes that zlib can make of one

_MAGIC = b"\x1f\x8b"
_BLOCK = 1 << 16  # bytes of the file read at a time
_PIECE = 1 << 20  # bytes decompressed at a time, at most
_WINDOW = 1 << 26  # bytes of text between checks of memory and expansion
_MAX_TEXT_EXPANSION = 200  # a text that expands further holds next to nothing
_COPIES = 4  # of a text, while it becomes documents or numbers
_GZIP = 31  # zlib's window bits for a gzip header and checksum


class GzipStream:
    """The contents of an open file, decompressed if its first two bytes are those of gzip.

    Consecutive members are one content. Other bytes after them are ignored, as by ``gzip``, with a
    warning. If the gzip data is truncated or corrupt, ``damaged`` becomes true, and the contents
    end there.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.is_gzipped = file.read(len(_MAGIC)) == _MAGIC
        self.damaged = False
        self._decompressor: Any = zlib.decompressobj(_GZIP) if self.is_gzipped else None
        self._input = b""  # read, not yet decompressed
        self._output = bytearray()  # decompressed, not yet returned
        file.seek(0)

    def pieces(self) -> Iterator[bytes]:
        """Yield the contents in non-empty pieces."""
        if self._output:
            piece, self._output = bytes(self._output), bytearray()
            yield piece
        while piece := self._next_piece():
            yield piece

    def text_pieces(self, name: str = "the file", way_out: str = "") -> Iterator[bytes]:
        """Yield the contents of a text file, whose decompressed size is not known in advance.

        Raises InvalidInput if the text expands further than real text could, or would not fit in
        memory.
        """
        size = checked_size = checked_position = 0
        for piece in self.pieces():
            size += len(piece)
            if size - checked_size >= _WINDOW:
                memory.require(_COPIES * size, f"the contents of {name}", way_out)
                compressed = self._file.tell() - checked_position
                if self.is_gzipped and size - checked_size > _MAX_TEXT_EXPANSION * compressed:
                    raise InvalidInput(
                        f"{name} unzips to more than {_MAX_TEXT_EXPANSION} times its size, which no"
                        " text does; unzip it first"
                    )
                checked_size, checked_position = size, self._file.tell()
            yield piece

    def read(self, count: int) -> bytearray:
        """Return the next ``count`` bytes, or fewer at the end."""
        data, self._output = self._output, bytearray()
        while len(data) < count and (piece := self._next_piece()):
            data += piece
        self._output = data[count:]
        del data[count:]
        return data

    def _next_piece(self) -> bytes:
        if self._decompressor is None:
            return self._file.read(_BLOCK)
        while not self.damaged and not (self._decompressor.eof and not self._next_member()):
            block = self._decompressor.unconsumed_tail or self._input or self._file.read(_BLOCK)
            self._input = b""
            before = self._decompressor.copy()
            try:
                piece = self._decompressor.decompress(block, _PIECE)
            except zlib.error:
                self.damaged = True
                return _before_damage(before, block)
            if piece:
                return piece
            self.damaged = not block and not self._decompressor.eof
        return b""

    def _next_member(self) -> bool:
        """Begin the next member if one follows; zeros between members are padding."""
        rest = self._decompressor.unused_data.lstrip(b"\0")
        while len(rest) < len(_MAGIC) and (block := self._file.read(_BLOCK)):
            rest = (rest + block).lstrip(b"\0")
        if rest.startswith(_MAGIC):
            self._decompressor, self._input = zlib.decompressobj(_GZIP), rest
            return True
        if rest:
            warn("bytes after the end of the gzip stream are ignored")
        self._decompressor = _Ended()
        return False


class _Ended:
    eof, unused_data = True, b""


def _before_damage(decompressor: Any, block: bytes) -> bytes:
    """Decompress what precedes the damage, which zlib would lose."""
    data = bytearray()
    try:
        for byte in block:
            data += decompressor.decompress(bytes([byte]))
            if len(data) >= _PIECE:
                break
    except zlib.error:
        pass
    return bytes(data)


@contextmanager
def open_gzip(path: Path) -> Iterator[GzipStream]:
    """Open a file, gzipped or not, for the length of a block."""
    with path.open("rb") as file:
        yield GzipStream(file)


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


def read_bytes(path: str | Path) -> bytearray:
    """Read the bytes of a text file, unzipped."""
    data = bytearray()
    with open_gzip(Path(path)) as file:
        for piece in file.text_pieces():
            data += piece
        if file.damaged:
            raise _damaged("the file")
    return data


def read_utf8(path: str | Path) -> bytearray:
    """Read the bytes of a UTF-8 file, unzipped."""
    data = bytearray()
    for piece, _ in _utf8_pieces(Path(path), "the file"):
        data += piece
    return data


def _utf8_pieces(
    path: Path, name: str, way_out: str = ""
) -> Generator[tuple[bytes, str], None, None]:
    """Yield a file, unzipped, in pieces: bytes, and the text that is complete with them."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    position, line, start = 0, 1, b""
    with open_gzip(path) as file:
        for piece in file.text_pieces(name, way_out):
            start = start or piece[:2]
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(piece)
            except UnicodeDecodeError as error:
                line += error.object.count(b"\n", 0, error.start)
                raise _not_utf8(name, position - pending + error.start, line, start) from None
            position, line = position + len(piece), line + piece.count(b"\n")
            yield piece, text
        if file.damaged:
            raise _damaged(name)
    if pending := len(decoder.getstate()[0]):
        raise _not_utf8(name, position - pending, line, start)


def _text_pieces(path: Path, name: str) -> Generator[str, None, None]:
    r"""Yield a text in pieces, without a byte order mark, its lines ending in "\n"."""
    newlines, first = io.IncrementalNewlineDecoder(None, translate=True), True
    with closing(_utf8_pieces(path, name, "characters=N takes the first N")) as pieces:
        for _, decoded in pieces:
            text = newlines.decode(decoded)
            if text and first:
                text, first = text.removeprefix(_BOM), False
            yield text
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
    with closing(_text_pieces(path, name)) as pieces:
        for piece in pieces:
            parts.append(piece)
            length += len(piece)
            if length > wanted:
                parts = ["".join(parts)]
                yield parts[0], False
                wanted = 4 * length
    yield "".join(parts), True


def _damaged(name: str) -> InvalidInput:
    return InvalidInput(f"{name} is damaged: its gzip stream is truncated or corrupt")


def _not_utf8(name: str, position: int, line: int, start: bytes) -> InvalidInput:
    utf_16 = " (it begins as UTF-16 does)" if start in _UTF_16 else ""
    return InvalidInput(
        f"{name} must be UTF-8 text; line {line} is not, byte {position} counted from 0{utf_16}"
    )
