"""Available memory, and a refusal before data would take too much of it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from byrote.errors import InvalidInput

_SHARE = 2  # whatever uses the data needs as much again
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def available() -> int | None:
    """Return the bytes of memory that this process can still use; None if not known."""
    return min((max(0, size) for size in _limits()), default=None)


def require(size: int, what: str, way_out: str = "") -> None:
    """Refuse data, named by a plural, that would take more than half of the available memory.

    Examples
    --------
    >>> require(1 << 10, "the records")
    >>> require(1 << 60, "the records")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    byrote.errors.InvalidInput: the records take 1.2e+09 GB of memory, ...
    """
    limit = available()
    if limit is not None and size * _SHARE > limit:
        raise InvalidInput(
            f"{what} take {size / 1e9:.2g} GB of memory, more than half of the {limit / 1e9:.2g} GB"
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
    """Yield the rest of each control group that limits this process, versions 2 and 1."""
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
                yield from _left_in_group(group, *names)


def _left_in_group(group: Path, limit_file: str, usage_file: str) -> Iterator[int]:
    try:
        limit = (group / limit_file).read_text().strip()
        if limit != "max":
            yield int(limit) - int((group / usage_file).read_text()) + _page_cache(group)
    except (OSError, ValueError):
        return


def _page_cache(group: Path) -> int:
    """Return the bytes of cached files, which the group releases on demand."""
    rows = (line.split() for line in (group / "memory.stat").read_text().splitlines())
    return sum(int(count) for name, count in rows if name == "inactive_file")


def _address_space() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
