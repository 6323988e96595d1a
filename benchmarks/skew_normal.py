"""A skew-normal curve fitted to a million references, beside scipy's fit of the same."""

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import skewnorm

from byrote.exposure import estimate_exposure
from byrote.stats.skew_normal_fit import fit
from run import peak_gb, report

N = 1_000_000
SHAPE, LOCATION, SCALE = -1.5, 40.0, 3.0
SAME = 1e-6  # relative difference of the log-likelihoods


def timed(function: Callable[[], Any], times: int) -> tuple[Any, float]:
    """The result and the median time of so many calls."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - started)
    return result, float(np.median(seconds))


def plain(references: np.ndarray) -> tuple[float, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # overflows on scipy's way to the maximum
        return skewnorm.fit(references)


def main() -> None:
    references = skewnorm.rvs(SHAPE, LOCATION, SCALE, size=N, random_state=0)
    fit(np.sort(references[:20_000]))  # imports and caches
    ours, own = timed(lambda: fit(np.sort(references)), 5)
    whole, all_of_it = timed(lambda: estimate_exposure([10.0], references, method="skew_normal"), 5)
    theirs, scipys = timed(lambda: plain(references), 1)
    likelihood = skewnorm.logpdf(references, *theirs).sum()
    difference = (ours.log_likelihood - likelihood) / abs(likelihood)
    assert ours.reason == "", ours.reason
    assert whole.fits[0].accepted
    assert abs(difference) < SAME, difference
    rows = {
        f"{N:,} references, fit: seconds": own,
        "the same with its test, verdict and a canary: seconds": all_of_it,
        "scipy.stats.skewnorm.fit: seconds": scipys,
        "log-likelihood above scipy's, nats": ours.log_likelihood - likelihood,
        "peak memory, GB": peak_gb(),
    }
    report(rows, {"skew_normal": scipys / own})


if __name__ == "__main__":
    main()
