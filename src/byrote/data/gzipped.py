"""Files that may be gzipped, which their first two bytes tell."""

import gzip
import zlib
from pathlib import Path

MAGIC = b"\x1f\x8b"
DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error)

_BLOCK = 1 << 20  # bytes unzipped at a time


def contents(path: Path) -> tuple[bytearray, bool]:
    """Read all there is of a file, unzipped, and whether it came to its proper end."""
    data = bytearray(path.read_bytes())
    if data[:2] != MAGIC:
        return data, True
    data = bytearray()
    with gzip.open(path) as file:
        try:
            while block := file.read1(_BLOCK):  # read() would lose what precedes the damage
                data += block
        except DAMAGE:
            return data, False
    return data, True
