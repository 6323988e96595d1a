"""What a number depends on besides seeds: versions and the kind of processor."""

import platform
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("byrote", "numpy", "scipy", "scikit-learn", "torch")


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


def _processor() -> str:
    if sys.platform == "linux":
        try:
            for line in Path("/proc/cpuinfo").read_text().splitlines():
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
        except OSError:
            pass
    return platform.processor() or platform.machine()
