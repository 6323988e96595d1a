"""Which records the moderated test finds, and how often it errs: tables of docs/statistics.md.

Log-likelihoods are drawn, not trained: a record has a level and a scale of its own, 10 or more of
the records rise by a multiple of their scale where they are trained on, and what noise has beside
that is the row of the table. The exact rank test stands beside the moderated one.

    python benchmarks/discovery.py --runs 200
"""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from byrote import KFold, Probes, Subset
from byrote.plans import IN, Design, design_of
from byrote.runs.table import Table
from byrote.scores.memorization.exact_tests import exact_tests
from byrote.scores.memorization.moderated import moderated_test
from byrote.stats.multiple_testing import q_values

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Noise = Callable[[np.random.Generator, Flags], Array]  # of (F, n) who is trained on

RECORDS, BYSTANDERS = 500, 2000
EFFECTS = np.repeat([3.0, 6.0, 9.0, 12.0, 15.0], 2)  # of planted records, in their scales
LEVELS = (0.05, 0.01, 0.001)


def left_exponential(generator: np.random.Generator, inside: Flags) -> Array:
    return 1 - generator.exponential(size=inside.shape)


def log_logistic(generator: np.random.Generator, inside: Flags) -> Array:
    """Skewed to the left, with a tail of the power 4."""
    return -2 * np.exp(0.25 * generator.logistic(size=inside.shape))


def by_quality(generator: np.random.Generator, inside: Flags) -> Array:
    """Fits of unequal quality: the scale of each is lognormal."""
    return generator.normal(size=inside.shape) * generator.lognormal(0, 0.7, (len(inside), 1))


def near_records(generator: np.random.Generator, inside: Flags) -> Array:
    """Each record has a near one, and is less likely where that one is held out.

    All folds of a repeat together hold it out once, so that the means of repeats vary less than the
    values: by 1.33 in three folds, as the digits do under a variational auto-encoder.
    """
    return generator.normal(size=inside.shape) + np.roll(inside, 1, axis=1)


def by_class(generator: np.random.Generator, inside: Flags) -> Array:
    """A fit shifts the records of each of ten classes by as much, which no centring removes."""
    shifts = 2 * generator.normal(size=(len(inside), 10))
    return generator.normal(size=inside.shape) + shifts[:, np.arange(inside.shape[1]) % 10]


def wider_held_out(generator: np.random.Generator, inside: Flags, times: float = 2) -> Array:
    """A record's values vary more where it is held out; their means are the same."""
    return generator.normal(size=inside.shape) * np.where(inside, 1, times)


def wider_where_planted(generator: np.random.Generator, inside: Flags) -> Array:
    """The records that rise vary twice as much where they are held out."""
    wider = ~inside & (np.arange(inside.shape[1]) < len(EFFECTS))
    return generator.normal(size=inside.shape) * np.where(wider, 2, 1)


NOISES: Mapping[str, Noise] = {
    "normal": lambda g, inside: g.normal(size=inside.shape),
    "t, 4 degrees": lambda g, inside: g.standard_t(4, size=inside.shape) / np.sqrt(2),
    "left exponential": left_exponential,
    "log-logistic": log_logistic,
    "unequal fits": by_quality,
    "common shifts": lambda g, inside: (
        g.normal(size=inside.shape) + 2 * g.normal(size=(len(inside), 1))
    ),
    "all three": lambda g, inside: (
        left_exponential(g, inside) * g.lognormal(0, 0.7, size=(len(inside), 1))
        + 2 * g.normal(size=(len(inside), 1))
    ),
    "near records": near_records,
    "within-class shifts": by_class,
    "wider held out": wider_held_out,
    "wider held out, 1.3 times": partial(wider_held_out, times=1.3),
    "wider where planted": wider_where_planted,
}

PLANS: Mapping[str, Any] = {
    **{
        f"{folds} folds, {repeats} times": KFold(folds, repeats=repeats)
        for folds in (3, 5, 10)
        for repeats in (1, 2, 6, 10)
    },
    **{
        f"probes, {fits} fits{with_bystanders}": Probes(range(RECORDS), fits, bystanders=bystanders)
        for fits in (8, 12, 16)
        for bystanders, with_bystanders in ((0, ""), (BYSTANDERS, " + bystanders"))
    },
    "pairs, 12 fits": Probes(range(RECORDS), fits=12, pairs=True, bystanders=0),
    "coins, 12 fits": Probes(range(RECORDS), fits=12, coins=True, bystanders=0),
    "subsets, 12 fits": Subset(0.7, fits=12),
}


def simulated(plan: Any, noise: Noise, generator: np.random.Generator, effects: Array) -> Table:
    """A table of a plan, whose first records rise where they are trained on."""
    bystanders = getattr(plan, "bystanders", 0)
    design = design_of(plan, RECORDS + bystanders, int(generator.integers(1 << 31)))
    return table_of(design, noise, generator, effects)


def table_of(design: Design, noise: Noise, generator: np.random.Generator, effects: Array) -> Table:
    """A table of a design, whose first records rise where they are trained on."""
    scale = generator.lognormal(0, 0.5, size=design.n)
    inside = np.stack([design.role(fit) == IN for fit in range(design.fits)])
    values = noise(generator, inside) + 10 * generator.normal(size=design.n)
    values *= scale
    table = Table(design, design.scored, values[:, :RECORDS], (), values[:, RECORDS:])
    planted = slice(len(effects))
    table.log_prob[:, planted] += effects * scale[planted] * (table.roles()[:, planted] == IN)
    return table


def trial(plan: Any, noise: Noise, seed: tuple[int, ...], effects: Array) -> Array:
    """False discovery rate, share of null p-values below LEVELS, and power, of both tests."""
    generator = np.random.default_rng(seed)
    table = simulated(plan, noise, generator, effects)
    exact = exact_tests(table).p_value
    moderated = moderated_test(table, seed[-1], control_values=100).p_value
    moderated = np.where(np.isnan(moderated), exact, moderated)
    return np.array([_performance(p, len(effects)) for p in (moderated, exact)])


def _performance(p_value: Array, planted: int) -> list[float]:
    discovered = q_values(p_value) <= 0.05
    null = p_value[planted:][~np.isnan(p_value[planted:])]
    return [
        discovered[planted:].sum() / max(1, discovered.sum()),
        *((null <= level).mean() for level in LEVELS),
        *discovered[:planted].reshape(-1, max(1, 2 * planted // len(EFFECTS))).mean(axis=1),
    ]


def measure(runs: int, plan: str, noise: str, *, planted: int) -> str:
    """One row of the table."""
    effects = np.repeat(EFFECTS, planted // len(EFFECTS))

    def mean(effects: Array) -> Array:
        key = (sorted(PLANS).index(plan), sorted(NOISES).index(noise))
        trials = [trial(PLANS[plan], NOISES[noise], (*key, run), effects) for run in range(runs)]
        return np.asarray(np.mean(trials, axis=0))

    with_planted, without = mean(effects), mean(effects[:0])
    power = (" ".join(f"{value:.2f}" for value in test[4:]) for test in with_planted)
    rates = f"{with_planted[0, 0]:.3f} | {without[0, 0]:.3f}"
    shares = " | ".join(f"{share:.4f}" for share in without[0, 1:4])
    return f"| {plan} | {noise} | {rates} | {shares} | {' | '.join(power)} |"


def print_table(
    head: str,
    row_of: Callable[[int, str, str], str],
    plans: Iterable[str],
    runs: int,
    arguments: Sequence[str] | None = None,
) -> None:
    """Print a row for each plan and kind of noise, as many runs of each as are asked for."""
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=runs)
    options.add_argument("--plans", nargs="*", default=[*plans])
    options.add_argument("--noises", nargs="*", default=list(NOISES))
    options.add_argument("--workers", type=int, default=2)
    asked = options.parse_args(arguments)
    print(f"{head}\n{'| --- ' * (head.count('|') - 1)}|")
    jobs = [(asked.runs, plan, noise) for plan in asked.plans for noise in asked.noises]
    for row in Parallel(asked.workers, return_as="generator")(
        delayed(row_of)(*job) for job in jobs
    ):
        print(row, flush=True)


def main() -> None:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--planted", type=int, default=len(EFFECTS), help="a multiple of ten")
    asked, rest = options.parse_known_args()
    head = (
        f"| plan | noise | FDR, {asked.planted} planted | FDR, none | p ≤ .05 | .01 | .001 |"
        " power at 3, 6, 9, 12, 15 sd | exact test |"
    )
    print_table(head, partial(measure, planted=asked.planted), PLANS, runs=20, arguments=rest)


if __name__ == "__main__":
    main()
