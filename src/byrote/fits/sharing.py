"""How the records reach a worker without being sent with every fit."""

import uuid
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.fits.files import atomic, make_folder


@dataclass(frozen=True, eq=False)
class InMemory:
    """Records in this process."""

    array: NDArray[Any]

    def get(self) -> NDArray[Any]:
        """The records."""
        return self.array


@dataclass(frozen=True)
class MappedFile:
    """Records in a file that each worker maps; workers of one machine share the memory."""

    path: str

    def get(self) -> NDArray[Any]:
        """The records, read-only."""
        return _mapped(self.path)


@lru_cache(maxsize=1)
def _mapped(path: str) -> NDArray[Any]:
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def share_as_file(array: NDArray[Any], folder: Path) -> MappedFile:
    """Write the records once, into a folder that is removed when the run ends."""
    make_folder(folder)
    # A name of its own: a worker that outlives this run must not take old records for new ones.
    path = (folder / f"records-{uuid.uuid4().hex}.npy").resolve()
    with atomic(path) as file:
        np.save(file, array, allow_pickle=False)
    return MappedFile(str(path))


def readonly(array: NDArray[Any]) -> NDArray[Any]:
    """The same memory, without permission to write."""
    view = array.view()
    view.flags.writeable = False
    return np.asarray(view)
