"""What a number depends on besides seeds: versions and the kind of processor."""

import platform
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("byrote", "numpy", "scipy", "scikit-learn", "torch", "transformers", "tokenizers")


@lru_cache(maxsize=1)
def environment() -> dict[str, str]:
    """Versions of Python and of the numerical libraries, and the processor's model name."""
    found = {"python": platform.python_version(), "processor": _processor()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # an optional one
            continue
    return found


def peak_memory() -> int:
    """The most memory that this process has used, in bytes."""
    if sys.platform == "win32":  # it has no such count
        return 0
    import resource  # noqa: PLC0415 (not on every system)

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _processor() -> str:
    if sys.platform == "linux":
        try:
            for line in Path("/proc/cpuinfo").read_text().splitlines():
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
        except OSError:
            pass
    return platform.processor() or platform.machine()
