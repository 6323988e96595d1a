"""Worker processes on this machine, by loky."""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from loky import ProcessPoolExecutor

from byrote.fits.executors.pool import Pool

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Processes(Pool):
    """``workers`` processes with ``threads`` threads each."""

    def __init__(self, workers: int, threads: int) -> None:
        self.workers, self.threads = workers, threads
        self.window = 2 * workers
        self._workers = self._start()
        super().__init__(self._workers)

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.workers,
            initializer=_prepare_worker,
            initargs=(os.getpid(),),
            env=dict.fromkeys(_THREAD_VARIABLES, str(self.threads)),
        )

    def restart(self) -> bool:
        """New workers for those that died."""
        self._workers.shutdown(wait=False, kill_workers=True)
        self.executor = self._workers = self._start()
        return True

    def close(self, *, kill: bool) -> None:
        """End the workers."""
        with _silenced(kill):
            self._workers.shutdown(wait=True, kill_workers=kill)


@contextmanager
def _silenced(killed: bool) -> Iterator[None]:
    """Keep loky's thread from logging, as a fault of its own, that workers were killed."""
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
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    """End with the main process, even when that was killed and could not say so."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
