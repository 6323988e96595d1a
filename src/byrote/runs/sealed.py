"""Files that carry a digest of themselves, so that reading detects any change.

A sealed file holds once the text ``byrote-sha256:`` and 64 hexadecimal digits: SHA-256 over the
whole file with zeros in place of these digits. Any reader of its format can still read it. The seal
is the first such text of a JSON or safetensors file and the last of a Parquet file, whose metadata
stand at its end.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from byrote.errors import CorruptFile
from byrote.runs import files

KEY = "sha256"  # name of the seal, where a format has names
_MARK, _ZEROS = "byrote-sha256:", "0" * 64
BLANK = _MARK + _ZEROS  # written where the seal will be
Verified = MutableMapping[Path, files.FileState]  # state of each file when its digest was verified


def write(path: Path, content: bytearray, *, last: bool = False) -> None:
    """Write a file with its digest in place of the first, or last, blank seal."""
    start = _seal_start(content, last=last)
    content[start : start + len(_ZEROS)] = _digest(content, start).encode()
    files.write_atomically(path, content)


@contextmanager
def opened(
    path: Path, *, last: bool = False, most: int | None = None, verified: Verified | None = None
) -> Iterator[IO[bytes]]:
    """Open a sealed file of at most ``most`` bytes after verifying its digest.

    A file in ``verified`` is not verified again while its state is the same.
    """
    with files.reading(path), path.open("rb") as file:
        state = files.file_state(file)
        if most is not None and state.size > most:
            raise CorruptFile(
                f"{path} is damaged and cannot be read: it has {state.size} bytes, and no more"
                f" than {most} are read"
            )
        if verified is not None and verified.get(path) == state:
            yield file
            return
        content = file.read()
        _verify(path, content, last=last)
        if verified is not None:
            verified[path] = state
        yield io.BytesIO(content)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON object whose first member is the seal."""
    write(path, bytearray(f"{blank_json(data, indent=2, allow_nan=False)}\n".encode()))


def blank_json(data: Mapping[str, Any], **options: Any) -> str:
    """Return a JSON object with a blank seal as its first member."""
    seal, members = (
        json.dumps(part, ensure_ascii=False, **options) for part in ({KEY: BLANK}, data)
    )
    return f"{seal.rstrip('}').rstrip()},{escaped(members[1:])}"


def read_json(path: Path, *, most: int) -> dict[str, Any]:
    """Read the members of a sealed JSON object of at most ``most`` bytes, without the seal."""
    with opened(path, most=most) as file, files.parsing(path):
        data = json.loads(file.read(), parse_constant=_reject_constant)
        del data[KEY]
        return dict(data)


def escaped(text: str) -> str:
    r"""Return equivalent JSON without a seal in any of its texts.

    Examples
    --------
    >>> escaped('{"id": "byrote-sha256:0"}')
    '{"id": "byrote-sha256\\u003a0"}'
    """
    return text.replace(_MARK, _MARK[:-1] + "\\u003a")


def _verify(path: Path, content: bytes, *, last: bool) -> None:
    start = _seal_start(content, last=last)
    if start < len(_MARK):
        raise CorruptFile(f"{path} is damaged and cannot be read: its digest is missing")
    if content[start : start + len(_ZEROS)] != _digest(content, start).encode():
        raise CorruptFile(
            f"{path} is damaged and cannot be read: it was changed after it was written (its"
            " SHA-256 differs)"
        )


def _seal_start(content: bytes | bytearray, *, last: bool) -> int:
    """Return where the digits of the seal begin; less than a mark's length without a seal."""
    find: Callable[[bytes], int] = content.rfind if last else content.find
    return find(_MARK.encode()) + len(_MARK)


def _digest(content: bytes | bytearray, start: int) -> str:
    with memoryview(content) as view:
        digest = hashlib.sha256(view[:start])
        digest.update(_ZEROS.encode())
        digest.update(view[start + len(_ZEROS) :])
    return digest.hexdigest()


def _reject_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a number of JSON")
