"""Worker processes on this machine, started by loky."""

import ctypes
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from loky import ProcessPoolExecutor
from numpy.typing import NDArray

from byrote.errors import IncompleteRun
from byrote.runs.executors.pool import Pool
from byrote.runs.interrupts import deferred_signals
from byrote.runs.job import DataHandle
from byrote.runs.sharing import share_without_name

_PR_SET_PDEATHSIG = 1  # option of Linux's prctl: signal on the parent's end
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Processes(Pool):
    """``workers`` processes with ``threads`` threads each."""

    def __init__(self, workers: int, threads: int) -> None:
        self.workers, self.threads = workers, threads
        self.window = 2 * workers
        self._records: IO[bytes] | None = None
        self._workers = self._start()
        super().__init__(self._workers)

    def _start(self) -> ProcessPoolExecutor:
        with _starting():
            return ProcessPoolExecutor(
                self.workers,
                initializer=_prepare_worker,
                initargs=(os.getpid(),),
                env=dict.fromkeys(_THREAD_VARIABLES, str(self.threads)),
            )

    def share(self, array: NDArray[Any], folder: Path) -> DataHandle:
        """Write the records into an unnamed file where the system has such files."""
        shared = share_without_name(array, folder.parent)
        if shared is None:
            return super().share(array, folder)
        handle, self._records = shared
        return handle

    def submit(self, call: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Submit a call; the first one starts the workers."""
        with _starting():
            return super().submit(call, *arguments)

    def restart(self) -> bool:
        """Replace workers that died."""
        self._workers.shutdown(wait=False, kill_workers=True)
        self.executor = self._workers = self._start()
        return True

    def close(self, *, kill: bool) -> None:
        """End the workers."""
        with _silenced(kill):
            self._workers.shutdown(wait=True, kill_workers=kill)
        if self._records is not None:
            self._records.close()


@contextmanager
def _starting() -> Iterator[None]:
    """Defer signals while a block may start processes, which ignore the terminal's end.

    That ends the main process, which then ends them; one of them removes the semaphores.
    """
    try:
        with deferred_signals(), _blocked("SIGHUP"):
            yield
    except OSError as error:
        raise IncompleteRun(
            f"cannot start worker processes: {error.strerror}; start the same run again, with"
            " fewer workers if it happens again"
        ) from None


@contextmanager
def _blocked(name: str) -> Iterator[None]:
    """Block a signal, if the system has it, in this thread and the processes that it starts."""
    if name not in signal.Signals.__members__:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.Signals[name]})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _silenced(killed: bool) -> Iterator[None]:
    """Keep loky's thread from logging the death of workers that we killed."""
    logger = logging.getLogger("concurrent.futures")  # where loky logs
    before = logger.disabled
    logger.disabled = before or killed
    try:
        yield
    finally:
        logger.disabled = before


def _prepare_worker(parent: int) -> None:
    # Ctrl-C goes to every process of the terminal; the main process decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":  # at once, even from the middle of a library's long call
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent has ended, even by a kill."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
