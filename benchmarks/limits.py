"""How often simultaneous limits miss where records have different numbers of values in and out.

500 records without memorization; 5 % are allowed for each end. Limits of the lower end, of the
upper end, and the share of records that have limits.

    python benchmarks/limits.py --runs 100
"""

import argparse

import numpy as np

from byrote import Probes, Subset
from byrote.scores.memorization.moderated import moderated_test
from discovery import NOISES, RECORDS, simulated

TAIL = 0.05
PLANS = {
    "subsets of a half, 12 fits": Subset(0.5, fits=12),
    "subsets of 0.7, 10 fits": Subset(0.7, fits=10),
    "subsets of 0.8, 16 fits": Subset(0.8, fits=16),
    "subsets of 0.9, 20 fits": Subset(0.9, fits=20),
    "coins, 12 fits": Probes(RECORDS, fits=12, coins=True, bystanders=0),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=100)
    runs = options.parse_args().runs
    print("| plan | noise | lower | upper | with limits |\n" + "| --- " * 5 + "|")
    for name, plan in PLANS.items():
        for noise in NOISES:
            missed, known = np.zeros(2), 0.0
            for seed in range(runs):
                table = simulated(plan, NOISES[noise], np.random.default_rng(seed), np.zeros(0))
                low, high = moderated_test(table, seed, control_values=100).limits(TAIL)
                missed += [(low > 0).any(), (high < 0).any()]
                known += np.isfinite(high).mean() / runs
            lower, upper = missed / runs
            print(f"| {name} | {noise} | {lower:.1%} | {upper:.1%} | {known:.1%} |", flush=True)


if __name__ == "__main__":
    main()
