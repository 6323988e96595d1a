"""Group commit: files that are finished within a second are forced to disk together.

A file system writes its journal once for all files that wait for it, so that a thousand quick fits
need not wait a thousand times.
"""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from byrote.runs import files
from byrote.runs.interrupts import deferred_signals

SECONDS = 1.0  # of finished fits that a power failure may cost
_WAITING = 8  # files forced at the same time


class GroupCommit:
    """Files that are in place, until they are forced to disk.

    That happens when a file comes a second or more after the last time, and when the block ends,
    whatever ends it. A power failure then costs at most the files of one second; the end of the
    process costs none.
    """

    def __init__(self) -> None:
        self._files: list[Path] = []
        self._committed = -math.inf

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with deferred_signals():
            self.commit()

    def add(self, file: Path) -> None:
        """Take a file that was moved into place."""
        self._files.append(file)
        if time.monotonic() >= self._committed + SECONDS:
            self.commit()

    def commit(self) -> None:
        """Force all files to disk, and then their names."""
        if not self._files:
            return
        with ThreadPoolExecutor(min(_WAITING, len(self._files))) as threads:
            list(threads.map(files.sync_file, self._files))
        for folder in {file.parent for file in self._files}:
            files.sync_folder(folder)
        self._files.clear()
        self._committed = time.monotonic()
