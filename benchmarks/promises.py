"""What the planner predicts beside what the run then shows, for three data sets.

Standard error of mean_log in a median record, smallest effect found in a single record with 80 %
power, and seconds: predicted by a pilot, measured, and their ratio.

    python benchmarks/promises.py
"""

import argparse
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote
from byrote.data.sources import as_records
from byrote.models import VAE
from byrote.runs.request import Request, Settings
from byrote.scores.outlook.outlook import foresee
from byrote.stats.planning import typical_deviation

POINTS = np.random.default_rng(0).normal(size=(2000, 2))
CASES: Mapping[str, tuple[Any, Any]] = {
    "VAE, 1,797 digits": (
        VAE(latent_dim=8, epochs=40, draws=32, likelihood="shared-gaussian"),
        byrote.load("digits"),
    ),
    "mixture, 2,000 points": (GaussianMixture(5, random_state=0), as_records(POINTS)),
    "kernel density, 2,000 points": (KernelDensity(bandwidth=0.3), as_records(POINTS)),
}
PLANS = {  # with the degrees of freedom of a record's standard error
    byrote.KFold(3, repeats=6): 5,
    byrote.KFold(10, repeats=2): 1,
    byrote.Probes(300, fits=12): 10,
    byrote.Probes(300, fits=12, pairs=True): 5,
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cases", nargs="*", default=list(CASES))
    asked = options.parse_args()
    print("| case | plan | standard error | effect | seconds |\n" + "| --- " * 5 + "|")
    for name in asked.cases:
        model, records = CASES[name]
        for plan, degrees in PLANS.items():
            costs, outlook = foresee(Request(model, records, plan, settings=Settings()))
            started = time.perf_counter()
            result = byrote.score_memorization(model, records, plan=plan)
            seconds = time.perf_counter() - started
            squares = result.standard_error["mean_log"] ** 2
            squares = squares[~np.isnan(squares)]
            error = typical_deviation(squares, np.full(len(squares), degrees))
            pairs = (
                (outlook.standard_error, error),
                (outlook.detectable, result.summary().sensitivity.detectable),
                (costs.seconds, seconds),
            )
            cells = (f"{a:.3g}, {b:.3g}: {a / b:.2f}" for a, b in pairs)
            unsure = " (unsure)" if outlook.unsure else ""
            print(f"| {name} | {plan}{unsure} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
