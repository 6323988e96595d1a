"""Files that carry a digest over their whole, so that what is read is what was written.

A sealed file holds once the text ``byrote-sha256:`` and 64 hexadecimal digits: SHA-256 over the
whole file with zeros in place of these digits. One file, one rename, and any reader of its format
can read it. The seal is the first such text of a JSON or safetensors file and the last of a Parquet
file, whose metadata stand at its end.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from byrote.errors import CorruptFile
from byrote.runs import reading
from byrote.runs.files import write_atomically

KEY = "sha256"  # what the seal is called, where a format has names
_MARK, _ZEROS = "byrote-sha256:", "0" * 64
BLANK = _MARK + _ZEROS  # to be put where the seal comes
Seen = MutableMapping[Path, tuple[int, ...]]  # files whose digest was found right, as they were


def write(path: Path, content: bytearray, *, last: bool = False) -> None:
    """Write a file with a digest in place of its blank seal, the first or last that it holds."""
    start = _place(content, last=last)
    content[start : start + len(_ZEROS)] = _digest(content, start).encode()
    write_atomically(path, content)


@contextmanager
def opened(
    path: Path, *, last: bool = False, most: int | None = None, seen: Seen | None = None
) -> Iterator[IO[bytes]]:
    """A sealed file to read from, whose digest was found right before anything is read from it.

    Once in ``seen``, it is not verified again as long as it is the same file of the same size and
    time.

    Raises
    ------
    CorruptFile
        If the file is missing, larger than ``most`` bytes, not sealed, or not as it was written.
    CannotRead
        If the disk does not give it, or there is no memory for it: that says nothing of the file.
    """
    with reading.of(path), path.open("rb") as file:
        state = reading.state(file)
        if most is not None and state.size > most:
            raise CorruptFile(
                f"{path} is damaged and cannot be read: it has {state.size} bytes, and no more"
                f" than {most} are read"
            )
        if seen is not None and seen.get(path) == state:
            yield file
            return
        content = file.read()
        _verify(path, content, last=last)
        if seen is not None:
            seen[path] = state
        yield io.BytesIO(content)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON object, sealed by its first member."""
    write(path, bytearray(f"{blank_json(data, indent=2, allow_nan=False)}\n".encode()))


def blank_json(data: Mapping[str, Any], **how: Any) -> str:
    """A JSON object with a blank seal as its first member."""
    first, others = (json.dumps(part, ensure_ascii=False, **how) for part in ({KEY: BLANK}, data))
    return f"{first.rstrip('}').rstrip()},{escaped(others[1:])}"


def read_json(path: Path, *, most: int) -> dict[str, Any]:
    """The members of a sealed JSON object of at most so many bytes, but for the seal.

    Raises
    ------
    CorruptFile, CannotRead
        As ``opened``; the former also if it is no JSON object.
    """
    with opened(path, most=most) as file, reading.parsed(path):
        data = json.loads(file.read(), parse_constant=_refuse)
        del data[KEY]
        return dict(data)


def escaped(text: str) -> str:
    r"""JSON that means the same and holds no seal, whatever a text in it says.

    Examples
    --------
    >>> escaped('{"id": "byrote-sha256:0"}')
    '{"id": "byrote-sha256\\u003a0"}'
    """
    return text.replace(_MARK, _MARK[:-1] + "\\u003a")


def _verify(path: Path, content: bytes, *, last: bool) -> None:
    start = _place(content, last=last)
    if start < len(_MARK):
        raise CorruptFile(f"{path} is damaged and cannot be read: it carries no digest of its own")
    if content[start : start + len(_ZEROS)] != _digest(content, start).encode():
        raise CorruptFile(
            f"{path} is damaged and cannot be read: it is not as it was written (its SHA-256 is"
            " another)"
        )


def _place(content: bytes | bytearray, *, last: bool) -> int:
    """Where the digits of the seal begin; less than the length of a mark where there is none."""
    find: Callable[[bytes], int] = content.rfind if last else content.find
    return find(_MARK.encode()) + len(_MARK)


def _digest(content: bytes | bytearray, start: int) -> str:
    with memoryview(content) as view:
        digest = hashlib.sha256(view[:start])
        digest.update(_ZEROS.encode())
        digest.update(view[start + len(_ZEROS) :])
    return digest.hexdigest()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")
