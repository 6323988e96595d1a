"""What a fit costs beside its training: ten thousand trivial ones in this process."""

import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, clone

import byrote
from byrote.plans import Subset, design_of
from run import peak_gb, report

FITS, RECORDS = 10_000, 50


class Trivial(BaseEstimator):
    """Costs nothing to speak of."""

    def fit(self, X):
        self.mean_ = X.mean()
        return self

    def score_samples(self, X):
        return -((X[:, 0] - self.mean_) ** 2)


def clocks() -> np.ndarray:
    """Seconds that have passed, and seconds of the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def measure(fits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Clocks of a run with its tests, of reading and testing it, of its fits alone; GB after."""
    x = np.random.default_rng(0).normal(size=(RECORDS, 1))
    plan = Subset(0.5, fits)
    with tempfile.TemporaryDirectory() as folder:
        started, store = clocks(), Path(folder) / "run"
        result = byrote.score_memorization(Trivial(), x, plan=plan, out=store)
        all_, memory = clocks() - started, peak_gb()
        started = clocks()
        assert byrote.open_run(store).memorization().to_frame().equals(result.to_frame())
        scores = clocks() - started
    design = design_of(plan, RECORDS)
    started = clocks()
    for fit in range(fits):
        clone(Trivial()).fit(x[design.training_rows(fit)]).score_samples(x)
    return all_, scores, clocks() - started, memory


def main() -> None:
    all_, scores, alone, memory = measure(FITS)
    seconds, processor = 1e3 * (all_ - alone) / FITS
    rows = {
        f"{FITS:,} fits in this process, scores and tests: seconds": all_[0],
        f"{FITS:,} fits in this process, scores and tests: processor seconds": all_[1],
        "opening the finished run, scores and tests: processor seconds": scores[1],
        "training and scoring alone: processor seconds": alone[1],
        "all that a fit costs beside these, milliseconds": seconds,
        "all that a fit costs beside these, milliseconds of the processor": processor,
        "peak memory, GB": memory,
    }
    report(rows, {})


if __name__ == "__main__":
    main()
