"""How much memory there is, and a refusal before more is taken."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from byrote.errors import InvalidInput

_SHARE = 2  # what uses the data needs as much again
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def available() -> int | None:
    """Bytes of memory that this process can still take; None where the system does not tell."""
    return min((max(0, size) for size in _limits()), default=None)


def require(size: int, what: str, way_out: str = "") -> None:
    """Refuse data that would take more than half of the memory available.

    Parameters
    ----------
    size
        Bytes that will be taken, by the header or the metadata.
    what
        The data, for the message, in the plural.
    way_out
        What the user can do, as a clause.

    Raises
    ------
    InvalidInput
        If they would.

    Examples
    --------
    >>> require(1 << 10, "the records")
    >>> require(1 << 60, "the records")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    byrote.errors.InvalidInput: the records take 1.2e+09 GB of memory, ...
    """
    there = available()
    if there is not None and size * _SHARE > there:
        raise InvalidInput(
            f"{what} take {size / 1e9:.2g} GB of memory, more than half of the {there / 1e9:.2g} GB"
            f" available{f'; {way_out}' if way_out else ''}"
        )


def _limits() -> Iterator[int]:
    yield from _machine()
    yield from _control_groups()
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 (not on every system)

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            yield limit - _address_space()


def _machine() -> Iterator[int]:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield int(line.split()[1]) << 10
                return
    except OSError:
        pass
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _control_groups() -> Iterator[int]:
    """Of each group that limits this process, what it has left."""
    try:
        lines = _OWN_CGROUPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        names = ("memory.max", "memory.current")
        root = _CGROUPS
        if controllers == "memory":
            names, root = ("memory.limit_in_bytes", "memory.usage_in_bytes"), root / "memory"
        elif controllers:
            continue
        folder = root / path.lstrip("/")
        for group in (folder, *folder.parents):
            if group.is_relative_to(root):
                yield from _left(group, *names)


def _left(group: Path, limit: str, used: str) -> Iterator[int]:
    try:
        most = (group / limit).read_text().strip()
        if most != "max":
            yield int(most) - int((group / used).read_text()) + _cache(group)
    except (OSError, ValueError):
        return


def _cache(group: Path) -> int:
    """Bytes of files that the group holds in memory, and gives up when asked."""
    rows = (line.split() for line in (group / "memory.stat").read_text().splitlines())
    return sum(int(count) for name, count in rows if name == "inactive_file")


def _address_space() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
