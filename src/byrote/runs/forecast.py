"""Forecasts of time, memory and disk, extrapolated from short pilot fits."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np

from byrote.plans import Design, Plan
from byrote.runs.executors.registry import usable_workers

Result = TypeVar("Result")
LONG_ENOUGH = 2.0  # seconds of a pilot fit from which the time of a whole one is extrapolated


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Rough costs of a run: seconds and bytes.

    overhead: the part of ``seconds`` that is not fits: imports, reading, checks, the start of
    workers, evaluation.
    """

    fits: int
    seconds_per_fit: float
    seconds: float
    memory: int
    disk: int
    overhead: float

    def plus_overhead(self, seconds: float) -> Self:
        """Add seconds that are not fits."""
        return replace(self, seconds=self.seconds + seconds, overhead=self.overhead + seconds)


@dataclass(frozen=True)
class Planned:
    """A run before its first fit.

    smallest: the size that the model needed in the preflight. before: number of fits by which the
    model resolves "auto". overhead: seconds until here.
    """

    model: Any
    plan: Plan
    design: Design
    smallest: int
    seed: int
    threads: int
    workers: int
    keep_models: str
    track: tuple[int, ...]
    reports: int | None
    before: int
    overhead: float

    @property
    def keeps(self) -> bool:
        """Whether weights are kept."""
        return self.keep_models != "none"

    @property
    def fits(self) -> int:
        """Number of fits, including the one on all records."""
        return self.design.fits + (len(self.design.extra) if self.keeps else 0)

    @property
    def models(self) -> int:
        """Number of models whose weights are kept."""
        return {"none": 0, "release": 1, "all": self.fits}[self.keep_models]

    @property
    def processes(self) -> int:
        """Number of worker processes; 0 where the main process carries out the fits."""
        workers = usable_workers(self.workers, self.threads)
        return workers if workers > 1 else 0

    def total(self, seconds_per_fit: float) -> float:
        """Return the seconds of all fits and of what comes before them."""
        at_once = max(1, self.processes)
        rounds = sum(-(-fits // at_once) for fits in (self.before, self.fits))
        return seconds_per_fit * rounds + self.overhead


def run_pilots(
    sizes: Iterable[int],
    fit: Callable[[int], tuple[float, Result]],
    long_enough: float = LONG_ENOUGH,
) -> tuple[list[tuple[int, float]], Result]:
    """Fit growing parts until one takes long enough; return all times, and the last result."""
    times: list[tuple[int, float]] = []
    for size in sizes:
        seconds, result = fit(size)
        times.append((size, seconds))
        if seconds >= long_enough:
            break
    return times, result


def doubling(size: int, most: int) -> Iterable[int]:
    """Yield a size, twice as much, and so on up to the largest."""
    while size < most:
        yield size
        size *= 2
    yield most


def extrapolated(times: list[tuple[int, float]], n: int) -> float:
    """Extrapolate seconds to size n, by the growth between the last two sizes."""
    (size, seconds), before = times[-1], times[-2] if len(times) > 1 else None
    growth = 1.0
    if before is not None:
        growth = np.log(seconds / before[1]) / np.log(size / before[0])
    return float(seconds * (n / size) ** np.clip(growth, 0.5, 3.0))


def timed(work: Callable[[], Any]) -> float:
    """Return the seconds that some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
