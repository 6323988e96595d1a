"""What forecasts share: from the times of small pilots to that of the whole."""

import numpy as np

from byrote.fits.executors import usable_workers
from byrote.fits.request import Settings

LONG_ENOUGH = 2.0  # seconds of a pilot fit from which the time of a whole one is extrapolated
_START = 5.0  # seconds until worker processes have loaded their libraries


def extrapolated(times: list[tuple[int, float]], n: int) -> float:
    """Seconds for size n from those of rising sizes, by the growth between the last two."""
    (size, seconds), before = times[-1], times[-2] if len(times) > 1 else None
    growth = 1.0
    if before is not None:
        growth = np.log(seconds / before[1]) / np.log(size / before[0])
    return float(seconds * (n / size) ** np.clip(growth, 0.5, 3.0))


def side_by_side(settings: Settings) -> tuple[int, float]:
    """How many fits run at a time, and the seconds until they start."""
    workers = usable_workers(settings.workers, settings.threads)
    return workers, _START if workers > 1 else 0.0
