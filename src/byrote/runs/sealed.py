"""Files that carry a digest of themselves, so that reading detects any change.

A sealed file holds once the text ``byrote-sha256:`` and 64 hexadecimal digits: SHA-256 over the
whole file with zeros in place of these digits. Any reader of its format can still read it. The seal
is the first such text of a JSON or safetensors file and the last of a Parquet file, whose metadata
stand at its end.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import CorruptFile, InvalidInput
from byrote.runs import files

KEY = "sha256"  # name of the seal, where a format has names
_FACTS = "byrote"  # name of the facts in the metadata of a Parquet file
_SMALL = 1 << 12  # bytes of columns: a block of a disk, which compression cannot make smaller
_MARK, _ZEROS = "byrote-sha256:", "0" * 64
BLANK = _MARK + _ZEROS  # written where the seal will be
Verified = MutableMapping[Path, files.FileState]  # state of each file when its digest was verified


def write(
    path: Path, content: bytearray, *, last: bool = False, later: files.Later | None = None
) -> None:
    """Write a file with its digest in place of the first, or last, blank seal."""
    start = _seal_start(content, last=last)
    content[start : start + len(_ZEROS)] = _digest(content, start).encode()
    files.write_atomically(path, content, later)


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


def write_json(path: Path, data: Mapping[str, Any], later: files.Later | None = None) -> None:
    """Write a JSON object whose first member is the seal."""
    text = f"{blank_json(data, indent=2, allow_nan=False)}\n"
    write(path, bytearray(text.encode()), later=later)


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


def write_parquet(
    path: Path,
    columns: Mapping[str, Any],
    facts: Mapping[str, Any],
    *,
    later: files.Later | None = None,
    **options: Any,
) -> tuple[pa.Table, dict[str, Any]]:
    """Write columns and facts atomically, with a checksum on every page.

    Returns what ``read_parquet`` would read.
    """
    text = json.dumps(dict(facts))
    table = pa.table(dict(columns)).replace_schema_metadata({_FACTS: escaped(text), KEY: BLANK})
    buffer = pa.BufferOutputStream()  # which Arrow fills without asking Python
    compression = "zstd" if table.nbytes > _SMALL else "none"
    pq.write_table(table, buffer, compression=compression, write_page_checksum=True, **options)
    write(path, bytearray(buffer.getvalue()), last=True, later=later)
    return table, json.loads(text)


@contextmanager
def opened_parquet(
    path: Path, columns: Iterable[str] = (), *, verified: Verified | None = None
) -> Iterator[tuple[pq.ParquetFile, dict[str, Any]]]:
    """Open a file that must have the columns, and read its facts.

    Read from it in one thread: Arrow's scanner of data sets waits forever on some files.
    """
    with opened(path, last=True, verified=verified) as file, files.parsing(path):
        # What is in memory Arrow reads without asking Python.
        source = pa.BufferReader(file.getvalue()) if isinstance(file, io.BytesIO) else file
        parquet = pq.ParquetFile(source, page_checksum_verification=True)
        names = parquet.schema_arrow.names
        if missing := [name for name in columns if name not in names]:
            raise CorruptFile(
                f"{path} is damaged and cannot be read: the column {missing[0]} is missing"
            )
        yield parquet, dict(json.loads(parquet.metadata.metadata[_FACTS.encode()]))
    release_memory()


def release_memory() -> None:
    """Give back the memory that Arrow decoded in, and would keep."""
    pa.default_memory_pool().release_unused()


def read_parquet(
    path: Path, columns: Iterable[str] = (), *, at_once: int = 1 << 20
) -> tuple[pa.Table, dict[str, Any]]:
    """Read the whole table, which must have the columns, and its facts.

    ``at_once``: rows decoded at a time. Where they are long, a few take far less memory.
    """
    with opened_parquet(path, columns) as (file, facts):
        batches = [*file.iter_batches(at_once, use_threads=False)]
        return pa.Table.from_batches(batches, file.schema_arrow), facts


def check_destination(path: str | Path) -> None:
    """Reject a path for a result whose folder does not exist, or that is a folder."""
    target = checks.path("path", path)
    if not target.absolute().parent.is_dir():
        raise InvalidInput(f"path must lie in a folder that exists; got {path}")
    if target.is_dir():
        raise InvalidInput(f"path must name a file; {path} is a folder")


def column(values: Any) -> NDArray[Any]:
    """Convert a column without gaps to an array; text to fixed-width strings.

    Arrow's own conversion would first load pandas, which takes half a second.
    """
    if pa.types.is_boolean(values.type) or values.null_count:
        return np.asarray(values.to_numpy(zero_copy_only=False))
    if pa.types.is_primitive(values.type):
        whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        return np.from_dlpack(whole)
    return np.array(values.to_pylist(), dtype=str)


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
    raise ValueError(f"{constant} is not a JSON number")
