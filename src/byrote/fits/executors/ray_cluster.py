"""Fits on a Ray cluster."""

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.fits.executors.pool import Pool
from byrote.fits.job import DataHandle

_RETRIES = 5  # of a fit whose worker or node died; exceptions of a model are outcomes, not retried


@dataclass(frozen=True, eq=False)
class InObjectStore:
    """Records in Ray's object store; a node fetches them once for all its workers."""

    reference: list[Any]  # in a list, so that Ray hands over the reference and not the records

    def get(self) -> NDArray[Any]:
        """The records, read-only, in the memory that the node's workers share."""
        import ray  # noqa: PLC0415

        return np.asarray(ray.get(self.reference[0]))


class RayExecutor(Executor):
    """Ray's tasks behind the interface of ``concurrent.futures``."""

    def __init__(self, threads: int) -> None:
        import ray  # noqa: PLC0415

        self._call = ray.remote(num_cpus=threads, max_retries=_RETRIES)(_call)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """A future of the task's result."""
        future: Future[Any] = self._call.remote(fn, args, kwargs).future()
        return future


class RayCluster(Pool):
    """The cluster that ``RAY_ADDRESS`` names, the one already connected to, or a local one."""

    def __init__(self, workers: int, threads: int) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves without being asked
        import ray  # noqa: PLC0415

        self._started_here = not ray.is_initialized()
        if self._started_here:
            join = "RAY_ADDRESS" in os.environ
            ray.init(
                configure_logging=False,
                log_to_driver=False,
                include_dashboard=False,
                runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(_import_path())}},
                num_cpus=None if join else workers * threads,
            )
        super().__init__(RayExecutor(threads))

    def share(self, array: NDArray[Any], folder: Path) -> DataHandle:  # noqa: ARG002
        """Put the records into the object store, once.

        The copy that counts lies on the node of this process, and the run ends with this process
        anyway, so the loss of any other node loses no data.
        """
        import ray  # noqa: PLC0415

        return InObjectStore([ray.put(array)])

    def close(self, *, kill: bool) -> None:  # noqa: ARG002
        """Leave the cluster, if this run joined it."""
        import ray  # noqa: PLC0415

        if self._started_here:
            ray.shutdown()


def _call(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return fn(*args, **kwargs)


def _import_path() -> list[str]:
    given = os.environ.get("PYTHONPATH", "")
    return [str(Path.cwd()), *(given.split(os.pathsep) if given else [])]
