"""How the records reach a worker without being sent with every fit."""

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
        """The records."""
        return self.array


@dataclass(frozen=True)
class MappedFile:
    """Records in a file that each worker maps; workers of one machine share the memory.

    ``key`` is the file's own: a worker that outlives a run must not take old records for new ones.
    """

    path: str
    key: str

    def get(self) -> NDArray[Any]:
        """The records, read-only."""
        return _mapped(self.path, self.key)


@lru_cache(maxsize=1)
def _mapped(path: str, key: str) -> NDArray[Any]:  # noqa: ARG001 (tells files of one path apart)
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def share_as_file(array: NDArray[Any], folder: Path) -> MappedFile:
    """Write the records once, into a folder that is removed when the run ends."""
    make_folder(folder)
    key = uuid.uuid4().hex
    path = (folder / f"records-{key}.npy").resolve()
    with atomic(path) as file:
        _write(array, file)
    return MappedFile(str(path), key)


def share_without_name(array: NDArray[Any], folder: Path) -> tuple[MappedFile, IO[bytes]] | None:
    """Write the records into a file that no folder lists, and that goes with this process.

    Processes of the same user on this machine open it for as long as it is open here. None where
    the system does not show them the open files of another process (``/proc``).
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
    """As ``numpy.save`` does, but an error says what the system said."""
    header = npy.header_data_from_array_1_0(array)
    npy.write_array_header_1_0(file, header)
    values = np.ascontiguousarray(array.T if header["fortran_order"] else array)
    file.write(values.reshape(-1).view(np.uint8).data)


def readonly(array: NDArray[Any]) -> NDArray[Any]:
    """The same memory, without permission to write."""
    view = array.view()
    view.flags.writeable = False
    return np.asarray(view)
