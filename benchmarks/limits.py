"""How often simultaneous limits of all records miss the truth of one: docs/levels.md.

500 records without memorization, and with ten that rise; 5 % are allowed for each end. Missed by
lower ends, by upper ends and by the lower limit of the largest effect, in both cases; how often
that limit, and one of a single record, is above 0 where ten rise; the share of records with limits.

    python benchmarks/limits.py --runs 100
"""

import argparse
from typing import Any

import numpy as np

from byrote import KFold, Probes, Subset
from byrote.scores.memorization.moderated import moderated_test
from discovery import EFFECTS, NOISES, RECORDS, simulated

TAIL = 0.05
PLANS = {
    "3 folds, 4 times": KFold(3, repeats=4),
    "3 folds, 6 times": KFold(3, repeats=6),
    "10 folds, 4 times": KFold(10, repeats=4),
    "subsets of a half, 12 fits": Subset(0.5, fits=12),
    "subsets of 0.7, 10 fits": Subset(0.7, fits=10),
    "subsets of 0.8, 16 fits": Subset(0.8, fits=16),
    "subsets of 0.9, 20 fits": Subset(0.9, fits=20),
    "coins, 12 fits": Probes(RECORDS, fits=12, coins=True, bystanders=0),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=100)
    options.add_argument("--plans", nargs="*", default=list(PLANS))
    asked = options.parse_args()
    print(
        "| plan | noise | lower | upper | largest | ten rise: lower | upper | largest"
        " | above 0: largest | one | with limits |"
    )
    print("| --- " * 11 + "|")
    for name in asked.plans:
        for noise in NOISES:
            trials = [trial(PLANS[name], noise, seed) for seed in range(asked.runs)]
            shares = (f"{share:.1%}" for share in np.mean(trials, axis=0))
            print(f"| {name} | {noise} | {' | '.join(shares)} |", flush=True)


def trial(plan: Any, noise: str, seed: int) -> list[float]:
    """Whether ends miss, without memorization and with; what is above 0; the share with limits."""
    tables = [
        simulated(plan, NOISES[noise], np.random.default_rng(seed), effects)
        for effects in (EFFECTS[:0], EFFECTS)
    ]
    rise = np.nanmax(tables[1].log_prob - tables[0].log_prob, axis=0)
    missed: list[float] = []
    for table, truth in zip(tables, (np.zeros(RECORDS), rise), strict=True):
        discovery = moderated_test(table, seed, control_values=100)
        low, high = discovery.limits(TAIL)
        largest = max(discovery.largest_is_above(TAIL)[0], np.nanmax(low))  # as the gate takes it
        missed += [(low > truth).any(), (high < truth).any(), largest > truth.max()]
    return [*missed, largest > 0, (low > 0).any(), float(np.isfinite(high).mean())]


if __name__ == "__main__":
    main()
