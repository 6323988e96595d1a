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


def main() -> None:
    x = np.random.default_rng(0).normal(size=(RECORDS, 1))
    plan = Subset(0.5, FITS)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        byrote.score_memorization(Trivial(), x, plan=plan, out=Path(folder) / "run")
        ours = time.perf_counter() - started
    design = design_of(plan, RECORDS)
    started = time.perf_counter()
    for fit in range(FITS):
        clone(Trivial()).fit(x[design.training_rows(fit)]).score_samples(x)
    alone = time.perf_counter() - started
    rows = {
        f"{FITS:,} fits in this process: seconds": ours,
        "training and scoring alone: seconds": alone,
        "overhead of a fit, milliseconds": 1e3 * (ours - alone) / FITS,
        "peak memory, GB": peak_gb(),
    }
    report(rows, {})


if __name__ == "__main__":
    main()
