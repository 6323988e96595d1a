"""What runs fits: any executor, with the two things that executors do not agree on.

An executor takes calls; a pool also knows how the records reach the workers (once, not with every
fit) and what to do when a worker dies.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from byrote.runs.job import DataHandle
from byrote.runs.sharing import share_as_file


class Pool:
    """An executor of the user's. The records go to its workers through a mapped file.

    The file lies in the run folder, which the workers of another machine must be able to read.
    """

    #: Calls handed over and not yet back. Large enough for a cluster's queue.
    window = 256

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    def share(self, array: NDArray[Any], folder: Path) -> DataHandle:
        """Make the records reachable for the workers."""
        return share_as_file(array, folder)

    def submit(self, call: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Hand a call over."""
        return self.executor.submit(call, *arguments)

    def restart(self) -> bool:
        """Replace a broken executor; false where it is not ours to replace."""
        return False

    def close(self, *, kill: bool) -> None:
        """Let go of the workers, at once if ``kill``. The user's executor is left as it is."""
