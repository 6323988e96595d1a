"""Executors by name, and the pool of workers that each opens."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from byrote import checks
from byrote.errors import InvalidInput
from byrote.models.extras import check_installed
from byrote.runs.executors.pool import InProcess, Pool
from byrote.runs.interrupts import deferred_signals
from byrote.stats.threads import cores

EXECUTORS = ("auto", "in-process", "processes", "ray")


def check_executor(executor: Any, workers: int, threads: int) -> None:
    """Reject an unknown executor, or more threads for each fit than there are cores."""
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
    """Open a pool for the length of a block; an exception in the block kills its workers."""
    pool = _pool(executor, workers, threads)
    kill = True
    try:
        yield pool
        kill = False
    finally:
        with deferred_signals():
            pool.close(kill=kill)


def _pool(executor: str | Executor, workers: int, threads: int) -> Pool:
    # Loky and Ray are slow to import, so only the chosen one is.
    if isinstance(executor, Executor):
        return Pool(executor)
    if executor == "ray":
        from byrote.runs.executors.ray_cluster import RayCluster  # noqa: PLC0415

        return RayCluster(workers, threads)
    if in_process(executor, workers):
        return InProcess()
    from byrote.runs.executors.processes import Processes  # noqa: PLC0415

    return Processes(usable_workers(workers, threads), threads)


def in_process(executor: str | Executor, workers: int) -> bool:
    """Whether fits run in this process, so that no workers have to start."""
    return executor == "in-process" or (executor == "auto" and workers == 1)


def usable_workers(workers: int, threads: int) -> int:
    """Limit workers to those that the cores can run with their threads; at least one.

    The number of workers changes no result.
    """
    return max(1, min(workers, cores() // threads))
