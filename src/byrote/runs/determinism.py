"""Determinism of fits: versions, processor, threads and global generators."""

import importlib
import platform
import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

_PACKAGES = (
    "byrote", "numpy", "scipy", "scikit-learn", "torch", "transformers", "tokenizers", "zuko",
)  # fmt: skip
_one_at_a_time = threading.RLock()


@lru_cache(maxsize=1)
def environment() -> dict[str, str]:
    """Return the versions of Python and the numerical libraries, and the processor's name."""
    versions = {"python": platform.python_version(), "processor": _processor()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # an optional one
            continue
    return versions


@contextmanager
def controlled(seed: int, threads: int, needs_torch: bool) -> Iterator[None]:
    """Run a block with fixed thread counts and seeded global generators.

    Thread counts change the order of additions and so the last bits of a result; a model that draws
    from a global generator would otherwise depend on what ran before it. Both belong to the whole
    process, so blocks in different threads wait for one another.
    """
    if needs_torch:
        importlib.import_module("torch")
    libraries = _native_libraries(len(sys.modules))
    with (
        _one_at_a_time,
        libraries.limit(limits=threads),
        _torch_threads(threads),
        _seeded_globals(seed),
    ):
        yield


@lru_cache(maxsize=1)
def _native_libraries(modules: int) -> ThreadpoolController:  # noqa: ARG001
    """Find the loaded libraries with threads, again only after an import, which may load more."""
    return ThreadpoolController()


@contextmanager
def preserved_generators() -> Iterator[None]:
    """Restore the global generators of Python, NumPy and PyTorch after a block."""
    torch = sys.modules.get("torch")
    python, numpy_ = random.getstate(), np.random.get_state()  # noqa: NPY002 (others' models use it)
    cpu = torch.get_rng_state() if torch is not None else None
    on_gpu = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    gpus = torch.cuda.get_rng_state_all() if torch is not None and on_gpu else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy_)  # noqa: NPY002
        if torch is not None:
            torch.set_rng_state(cpu)
            if gpus is not None:
                torch.cuda.set_rng_state_all(gpus)


@contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _seeded_globals(seed: int) -> Iterator[None]:
    torch = sys.modules.get("torch")
    with preserved_generators():
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        if torch is not None:
            _seed_torch(torch, seed)
        yield


def _seed_torch(torch: Any, seed: int) -> None:
    """Seed every device; ``torch.manual_seed`` keeps a stack trace for each that is missing."""
    if torch.accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


def _processor() -> str:
    if sys.platform == "linux":
        try:
            for line in Path("/proc/cpuinfo").read_text().splitlines():
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
        except OSError:
            pass
    return platform.processor() or platform.machine()
