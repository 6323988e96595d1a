"""Where fits run: in this process, in worker processes, on Ray, or in an executor of the user's."""

import os
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from byrote import checks
from byrote.errors import InvalidInput
from byrote.models.extras import check_installed
from byrote.runs.executors.pool import Pool
from byrote.runs.interrupts import held_back

__all__ = ["EXECUTORS", "Pool", "check_executor", "cores", "open_pool", "usable_workers"]

EXECUTORS = ("auto", "in-process", "processes", "ray")


def check_executor(executor: Any, workers: int, threads: int) -> None:
    """Refuse an unknown executor, or more threads per fit than there are cores.

    Raises
    ------
    InvalidInput
        With what was expected and what came.
    """
    checks.integer("workers", workers, at_least=1)
    if checks.integer("threads", threads, at_least=1) > cores():
        raise InvalidInput(f"threads must not exceed the {cores()} cores here; got {threads}")
    if isinstance(executor, str):
        checks.choice("executor", executor, EXECUTORS)
        if executor == "ray":
            check_installed("ray")
    elif not isinstance(executor, Executor):
        raise InvalidInput(
            f"executor must be one of {', '.join(EXECUTORS)} or a concurrent.futures.Executor;"
            f" got {type(executor).__name__}"
        )


@contextmanager
def open_pool(executor: str | Executor, workers: int, threads: int) -> Iterator[Pool]:
    """A pool for the length of a block; its workers are killed if the block ends by an exception.

    Worker processes are no more than the cores can carry, workers x threads; their number changes
    no result.
    """
    pool = _pool(executor, workers, threads)
    kill = True
    try:
        yield pool
        kill = False
    finally:
        with held_back():
            pool.close(kill=kill)


def _pool(executor: str | Executor, workers: int, threads: int) -> Pool:
    # Each kind of pool imports its own machinery, so that nobody waits for what is not used.
    if isinstance(executor, Executor):
        return Pool(executor)
    if executor == "ray":
        from byrote.runs.executors.ray_cluster import RayCluster  # noqa: PLC0415

        return RayCluster(workers, threads)
    if executor == "in-process" or (executor == "auto" and workers == 1):
        from byrote.runs.executors.in_process import InProcess  # noqa: PLC0415

        return InProcess()
    from byrote.runs.executors.processes import Processes  # noqa: PLC0415

    return Processes(usable_workers(workers, threads), threads)


def usable_workers(workers: int, threads: int) -> int:
    """As many of the workers as the cores can carry with their threads, at least one."""
    return max(1, min(workers, cores() // threads))


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
