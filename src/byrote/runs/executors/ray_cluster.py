"""Fits on a Ray cluster."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.runs.executors.pool import Pool
from byrote.runs.interrupts import deferred_signals
from byrote.runs.job import DataHandle

_RETRIES = 5  # of a fit whose worker or node died; exceptions of a model are outcomes, not retried
_PATIENCE = 5.0  # seconds to wait for an address to answer
# The first bytes of a client of HTTP/2, which Ray speaks, and the type of frame that answers.
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_SETTINGS_FRAME = 4


@dataclass(frozen=True, eq=False)
class InObjectStore:
    """Records in Ray's object store; a node fetches them once for all its workers."""

    reference: list[Any]  # in a list, so that Ray hands over the reference and not the records

    def get(self) -> NDArray[Any]:
        """Return the records, read-only, from the memory that the node's workers share."""
        import ray  # noqa: PLC0415

        return np.asarray(ray.get(self.reference[0]))


class RayExecutor(Executor):
    """Ray's tasks behind the interface of ``concurrent.futures``."""

    def __init__(self, threads: int) -> None:
        import ray  # noqa: PLC0415

        self._call = ray.remote(num_cpus=threads, max_retries=_RETRIES)(_call)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Submit a call as a Ray task."""
        future: Future[Any] = self._call.remote(fn, args, kwargs).future()
        return future


class RayCluster(Pool):
    """The cluster that ``RAY_ADDRESS`` names, the one already connected to, or a local one."""

    def __init__(self, workers: int, threads: int) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # send nothing unasked
        import ray  # noqa: PLC0415

        self._started_here = not ray.is_initialized()
        try:
            if self._started_here:
                _connect(os.environ.get("RAY_ADDRESS", ""), workers * threads)
            super().__init__(RayExecutor(threads))
        except BaseException:  # Ctrl-C included: what was started would stay
            self.close(kill=True)
            raise

    def share(self, array: NDArray[Any], folder: Path) -> DataHandle:  # noqa: ARG002
        """Put the records into the object store, once.

        The primary copy lies on the node of this process, so losing another node loses no data.
        """
        import ray  # noqa: PLC0415

        return InObjectStore([ray.put(array)])

    def close(self, *, kill: bool) -> None:  # noqa: ARG002
        """Leave a cluster that this run joined; shut down one that it started."""
        import ray  # noqa: PLC0415

        if self._started_here:
            with deferred_signals():
                ray.shutdown()


def _connect(address: str, cores: int) -> None:
    """Join the cluster at an address, or start a local one without an address."""
    import ray  # noqa: PLC0415

    if address not in ("", "local"):
        _check_answers(address)
    with _preserved_handler():
        try:
            ray.init(
                # Without an address Ray would join a cluster that an old file may name.
                address=address or "local",
                configure_logging=False,
                log_to_driver=False,
                include_dashboard=False,
                runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(_import_path())}},
                num_cpus=cores if address in ("", "local") else None,
            )
        except Exception as error:  # Ray raises many kinds, and Exception itself
            where = f"join the cluster at RAY_ADDRESS={address}" if address else "start a cluster"
            raise InvalidInput(
                f"executor 'ray' cannot {where} ({type(error).__name__}: {_first_line(error)})"
            ) from error


def _check_answers(address: str) -> None:
    """Reject an address where nothing answers, which Ray would silently try for minutes."""
    host, port = _place(address)
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE) as connection:
            connection.settimeout(_PATIENCE)
            if os.environ.get("RAY_USE_TLS", "0") in ("0", ""):
                connection.sendall(_GREETING)
                start = connection.recv(4)
                if len(start) < 4 or start[3] != _SETTINGS_FRAME:
                    raise ConnectionError("what answers is not Ray")
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise InvalidInput(
            "executor 'ray' needs RAY_ADDRESS to name a cluster that is up, or not to be set;"
            f" no Ray answers at {address} within {_PATIENCE:.0f} seconds ({reason})"
        ) from None


def _place(address: str) -> tuple[str, int]:
    """Parse an address of Ray: host:port, ray://host:port or auto."""
    target = address.partition("://")[2] or address
    try:
        host, _, port = (_local_address() if target == "auto" else target).rpartition(":")
        if not host:
            raise ValueError(target)
        return host.strip("[]"), int(port)
    except (ValueError, ConnectionError):
        raise InvalidInput(
            "executor 'ray' needs RAY_ADDRESS to be host:port, ray://host:port, auto where a"
            f" cluster was started on this machine, or not to be set; got {address!r}"
        ) from None


def _local_address() -> str:
    from ray._private.services import (  # noqa: PLC0415 (there is no other way to ask)
        canonicalize_bootstrap_address_or_die,
    )

    return str(canonicalize_bootstrap_address_or_die("auto"))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


@contextmanager
def _preserved_handler() -> Iterator[None]:
    """Restore the program's handler of SIGTERM, which Ray replaces."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if callable(handler) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def _call(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return fn(*args, **kwargs)


def _import_path() -> list[str]:
    path = os.environ.get("PYTHONPATH", "")
    return [str(Path.cwd()), *(path.split(os.pathsep) if path else [])]
