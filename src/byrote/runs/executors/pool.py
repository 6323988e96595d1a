"""Pools of workers: any executor, with data sharing and recovery; the one of this process."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from byrote.runs.job import DataHandle
from byrote.runs.sharing import InMemory, readonly, share_as_file


class Pool:
    """A user's executor, whose workers read the records from a mapped file.

    The file lies in the run folder, which workers on another machine must be able to read. Pools of
    byrote's own executors override what executors do not have in common.
    """

    #: Calls submitted and not yet finished. Large enough for a cluster's queue.
    window = 256

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    def share(self, array: NDArray[Any], folder: Path) -> DataHandle:
        """Share the records with the workers, once for all fits."""
        return share_as_file(array, folder)

    def submit(self, call: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Submit a call."""
        return self.executor.submit(call, *arguments)

    def restart(self) -> bool:
        """Replace the executor after a worker died; false if it is the user's."""
        return False

    def close(self, *, kill: bool) -> None:
        """Release the workers, at once if ``kill``. A user's executor is left running."""


class InProcess(Pool):
    """Fits one after the other in this process, which is also the way to debug them."""

    window = 1

    def __init__(self) -> None:
        super().__init__(_InProcessExecutor())

    def share(self, array: NDArray[Any], folder: Path) -> DataHandle:  # noqa: ARG002
        """Return the records themselves, read-only."""
        return InMemory(readonly(array))


class _InProcessExecutor(Executor):
    """Runs each call when it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # a future holds whatever its call raised
            future.set_exception(error)
        return future
