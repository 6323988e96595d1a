"""Files that may be gzipped, which their first two bytes tell: read piece by piece."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from byrote.data import memory
from byrote.data.notices import caution
from byrote.errors import InvalidInput

MAGIC = b"\x1f\x8b"
EXPANSION = 1032  # bytes that zlib can make of one, at most

_BLOCK = 1 << 16  # bytes of the file read at a time
_PIECE = 1 << 20  # bytes unzipped at a time, at most
_WINDOW = 1 << 26  # bytes of text after which memory and expansion are looked at
_MOST = 200  # a text that expands further holds next to nothing
_COPIES = 4  # of a text, while it becomes documents or numbers
_GZIP = 31  # zlib's window bits for a gzip header and checksum


class Unzipped:
    """The contents of an open file, unzipped where it is gzipped.

    Members one after the other are one content. Bytes behind them that do not begin another are
    ignored, as ``gzip`` ignores them, with a caution.

    Attributes
    ----------
    zipped
        Whether the file is gzipped.
    damaged
        Whether a gzip stream is cut off or broken: what came before is all there is.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.zipped = file.read(len(MAGIC)) == MAGIC
        self.damaged = False
        self._stream: Any = zlib.decompressobj(_GZIP) if self.zipped else None
        self._input = b""  # not yet unzipped
        self._output = bytearray()  # not yet given
        file.seek(0)

    def pieces(self) -> Iterator[bytes]:
        """Give the contents piece by piece, none of them empty."""
        if self._output:
            piece, self._output = bytes(self._output), bytearray()
            yield piece
        while piece := self._piece():
            yield piece

    def text(self, name: str = "the file", way_out: str = "") -> Iterator[bytes]:
        """Give the pieces of a text, whose length nothing declares.

        Raises
        ------
        InvalidInput
            If they come to far more than a text of this size would, or than memory holds.
        """
        taken, looked, read = 0, 0, 0
        for piece in self.pieces():
            taken += len(piece)
            if taken - looked >= _WINDOW:
                memory.require(_COPIES * taken, f"the contents of {name}", way_out)
                if self.zipped and taken - looked > _MOST * (self._file.tell() - read):
                    raise InvalidInput(
                        f"{name} unzips to more than {_MOST} times its size, which no text does;"
                        " unzip it first to have it read"
                    )
                looked, read = taken, self._file.tell()
            yield piece

    def read(self, count: int) -> bytearray:
        """Give the next ``count`` bytes, or as many as there are."""
        data, self._output = self._output, bytearray()
        while len(data) < count and (piece := self._piece()):
            data += piece
        self._output = data[count:]
        del data[count:]
        return data

    def _piece(self) -> bytes:
        if self._stream is None:
            return self._file.read(_BLOCK)
        while not self.damaged and not (self._stream.eof and not self._next_member()):
            given = self._stream.unconsumed_tail or self._input or self._file.read(_BLOCK)
            self._input = b""
            before = self._stream.copy()
            try:
                piece = self._stream.decompress(given, _PIECE)
            except zlib.error:
                self.damaged = True
                return _before_damage(before, given)
            if piece:
                return piece
            self.damaged = not given and not self._stream.eof
        return b""

    def _next_member(self) -> bool:
        """Begin another member where one follows; zeros between two are padding."""
        behind = self._stream.unused_data.lstrip(b"\0")
        while len(behind) < len(MAGIC) and (more := self._file.read(_BLOCK)):
            behind = (behind + more).lstrip(b"\0")
        if behind.startswith(MAGIC):
            self._stream, self._input = zlib.decompressobj(_GZIP), behind
            return True
        if behind:
            caution("bytes behind the end of the gzip stream are ignored")
        self._stream = _Ended()
        return False


class _Ended:
    eof, unused_data = True, b""


def _before_damage(stream: Any, given: bytes) -> bytes:
    """What precedes the damage, which zlib would lose."""
    data = bytearray()
    try:
        for byte in given:
            data += stream.decompress(bytes([byte]))
            if len(data) >= _PIECE:
                break
    except zlib.error:
        pass
    return bytes(data)


@contextmanager
def opened(path: Path) -> Iterator[Unzipped]:
    """Open a file, gzipped or not, for the length of a block."""
    with path.open("rb") as file:
        yield Unzipped(file)
