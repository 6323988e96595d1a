"""How often the smallest effect that a run claims to find is found: a table of docs/statistics.md.

Log-likelihoods are drawn as in discovery.py, nothing is planted, and the run says which effect it
finds with 80 % power in a single record of median standard error, and in a noisy one. Then such an
effect is planted in one record near that standard error, and the test is made again.

    python benchmarks/power.py --runs 200
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.plans import IN
from byrote.runs.table import Table
from byrote.scores.memorization.evaluation import evaluate
from byrote.scores.memorization.sensitivity import NOISY, sensitivity_of
from byrote.stats.multiple_testing import q_values
from discovery import NOISES, PLANS, print_table, simulated

CHOSEN = (
    "3 folds, 6 times",
    "10 folds, 2 times",
    "probes, 8 fits + bystanders",
    "probes, 12 fits",
    "pairs, 12 fits",
)
NEAR = 25  # records among which one is drawn for its standard error


def trial(plan: Any, noise: Any, seed: tuple[int, ...]) -> NDArray[np.float64]:
    """Whether a typical and a noisy record are found; NaN where the run claims no effect."""
    generator = np.random.default_rng(seed)
    table = simulated(plan, noise, generator, np.empty(0))
    evaluation = evaluate(table, seed[-1])
    claimed = sensitivity_of(evaluation, q_values(evaluation.p_value))
    if claimed.far_from_normal or not np.isfinite(claimed.detectable):
        return np.full(2, np.nan)
    order = np.argsort(evaluation.discovery.standard_error)
    found = []
    for quantile, effect in ((0.5, claimed.detectable), (NOISY, claimed.detectable_noisy)):
        place = int(quantile * (len(order) - 1)) - NEAR // 2 + int(generator.integers(NEAR))
        record = order[min(place, len(order) - 1)]
        found.append(_found(table, record, effect, seed[-1]))
    return np.array(found, dtype=np.float64)


def _found(table: Table, record: int, effect: float, seed: int) -> bool:
    values = table.log_prob.copy()
    values[:, record] += effect * (table.roles()[:, record] == IN)
    changed = Table(table.design, table.rows, values, (), table.bystanders)
    return bool(q_values(evaluate(changed, seed).p_value)[record] <= 0.05)


def measure(runs: int, plan: str, noise: str) -> str:
    """One row of the table."""
    key = (sorted(PLANS).index(plan), sorted(NOISES).index(noise))
    trials = np.array([trial(PLANS[plan], NOISES[noise], (*key, run)) for run in range(runs)])
    claimed = trials[~np.isnan(trials).any(axis=1)]
    means = claimed.mean(axis=0) if len(claimed) else trials[0]
    shares = " | ".join("–" if np.isnan(share) else f"{100 * share:.0f} %" for share in means)
    return f"| {plan} | {noise} | {len(claimed)} of {runs} | {shares} |"


def main() -> None:
    head = "| plan | noise | claimed | typical record | noisy record |"
    print_table(head, measure, CHOSEN, runs=200)


if __name__ == "__main__":
    main()
