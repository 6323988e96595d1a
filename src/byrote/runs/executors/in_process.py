"""Fits one after the other in this process: the plain case, and the one to debug in."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from byrote.runs.executors.pool import Pool
from byrote.runs.job import DataHandle
from byrote.runs.sharing import InMemory, readonly


class InProcessExecutor(Executor):
    """Runs a call when it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """A future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # a future holds whatever its call raised
            future.set_exception(error)
        return future


class InProcess(Pool):
    """The pool of one: nothing to share, nothing to kill."""

    window = 1

    def __init__(self) -> None:
        super().__init__(InProcessExecutor())

    def share(self, array: NDArray[Any], folder: Path) -> DataHandle:  # noqa: ARG002
        """The records themselves, protected from a model that writes into its input."""
        return InMemory(readonly(array))
