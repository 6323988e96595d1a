"""Ways to hand the records to workers without sending them with every fit."""

import os
import tempfile
import uuid
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from byrote.runs.files import TEMPORARY, atomic, make_folder, writing


@dataclass(frozen=True, eq=False)
class InMemory:
    """Records in this process."""

    array: NDArray[Any]

    def get(self) -> NDArray[Any]:
        """Return the records."""
        return self.array


@dataclass(frozen=True)
class MappedFile:
    """Records in a file that each worker maps; workers of one machine share the memory.

    ``key`` is unique to the file: a worker that outlives a run must not take old records for new.
    """

    path: str
    key: str

    def get(self) -> NDArray[Any]:
        """Return the records, read-only."""
        return _mapped(self.path, self.key)


@lru_cache(maxsize=1)
def _mapped(path: str, key: str) -> NDArray[Any]:  # noqa: ARG001 (tells files of one path apart)
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def share_as_file(array: NDArray[Any], folder: Path) -> MappedFile:
    """Write the records into a folder that is removed when the run ends."""
    make_folder(folder)
    key = uuid.uuid4().hex
    path = (folder / f"records-{key}.npy").resolve()
    with atomic(path) as file:
        _write(array, file)
    return MappedFile(str(path), key)


def share_without_name(array: NDArray[Any], folder: Path) -> tuple[MappedFile, IO[bytes]] | None:
    """Write the records into an unnamed file, which is gone when this process ends.

    Processes of the same user on this machine can open it while it is open here. None on systems
    without ``/proc``, where they cannot.
    """
    with writing(folder / "a copy of the records for worker processes"):
        file = tempfile.TemporaryFile(dir=folder, prefix=".records.", suffix=TEMPORARY)  # noqa: SIM115
        path = f"/proc/{os.getpid()}/fd/{file.fileno()}"
        if not Path(path).exists():
            file.close()
            return None
        try:
            _write(array, file)
            file.flush()
        except BaseException:
            file.close()
            raise
    return MappedFile(path, uuid.uuid4().hex), file


def _write(array: NDArray[Any], file: IO[bytes]) -> None:
    """Write as ``numpy.save`` does, but raise the original system errors."""
    header = npy.header_data_from_array_1_0(array)
    npy.write_array_header_1_0(file, header)
    values = np.ascontiguousarray(array.T if header["fortran_order"] else array)
    file.write(values.reshape(-1).view(np.uint8).data)


def readonly(array: Any) -> Any:
    """Return a read-only view of an array; a list of texts as it is."""
    if not isinstance(array, np.ndarray):
        return array
    view = array.view()
    view.flags.writeable = False
    return np.asarray(view)
