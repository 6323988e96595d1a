"""Files that may be gzipped, by their first two bytes: decompressed piece by piece, in bounds."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
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
    """The contents of an open file, decompressed if it is gzipped.

    Consecutive members are one content. Bytes after them that do not begin another member are
    ignored, as by ``gzip``, with a warning. Where the gzip data is truncated or corrupt,
    ``damaged`` becomes true, and the contents end there.
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
        """Yield the contents in pieces, none of them empty."""
        if self._output:
            piece, self._output = bytes(self._output), bytearray()
            yield piece
        while piece := self._next_piece():
            yield piece

    def text_pieces(self, name: str = "the file", way_out: str = "") -> Iterator[bytes]:
        """Yield the pieces of a text, whose length is not declared.

        Refuses more than a text of this compressed size would have, or than fits in memory.
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
                        " text does; unzip it first to have it read"
                    )
                checked_size, checked_position = size, self._file.tell()
            yield piece

    def read(self, count: int) -> bytearray:
        """Return the next ``count`` bytes, or as many as there are."""
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
            warn("bytes behind the end of the gzip stream are ignored")
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
