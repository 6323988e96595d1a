"""How often bounds and intervals err where nothing is memorized: the tables of docs/levels.md.

Every table of log-likelihoods is made without a look at who trained on what. A bound on epsilon
above 0 is an error, as is an interval that does not hold the truth, and a p- or q-value of at most
0.05; of the ends of a gate's intervals only the lower one is asked. Where a method says that it
cannot tell, there is no error.

    python benchmarks/levels.py --runs 200
"""

import argparse
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import KFold, Probes, Subset
from byrote.exposure import estimate_exposure
from byrote.plans import IN, design_of
from byrote.privacy import (
    audit_one_run,
    epsilon_from_density,
    epsilon_from_scores,
    infer_membership,
)
from byrote.runs.table import Table
from byrote.scores.gate import max_q999, max_significant
from byrote.scores.gate.threshold import GatedRun
from byrote.scores.memorization.evaluation import evaluate
from byrote.scores.memorization.summary import distribution
from byrote.scores.privacy.canary_bounds import CanaryTable, exposure_rank_bound
from byrote.scores.privacy.measures import exposure_measure
from byrote.scores.privacy.membership import attack_table
from byrote.scores.privacy.record_bounds import Claim, one_run_bounds
from byrote.scores.run import Run
from byrote.stats.estimate import mean
from byrote.stats.multiple_testing import q_values

Array = NDArray[np.float64]
Generator = np.random.Generator
Null = Callable[[Generator, tuple[int, int]], Array]
RARE = 0.3  # of the factor 4
CLAIM = Claim(delta=0.0, significance=0.05)


def two_valued(generator: Generator, shape: tuple[int, int]) -> Array:
    return np.where(generator.random(shape) < RARE, np.log(4.0), 0.0)


def infinite(generator: Generator, shape: tuple[int, int]) -> Array:
    return np.where(generator.random(shape) < 0.1, -np.inf, generator.normal(size=shape))


NULLS: Mapping[str, Null] = {
    "normal": lambda g, shape: g.normal(size=shape),
    "heavy tails": lambda g, shape: g.standard_t(2.5, size=shape),
    "rounded": lambda g, shape: np.round(g.normal(size=shape)),
    "two values": two_valued,
    "10 % infinite": infinite,
    "fits shifted": lambda g, shape: g.normal(size=shape) + g.normal(size=(shape[0], 1)),
    "fits of two values": lambda g, shape: np.broadcast_to(
        two_valued(g, (shape[0], 1)), shape
    ).copy(),
}


def table_of(plan: Any, n: int, null: Null, generator: Generator) -> Table:
    """A table of a plan, filled without a look at it."""
    design = design_of(plan, n, int(generator.integers(1 << 31)))
    rows = design.scored
    table = Table(design, rows, np.zeros((design.fits, len(rows))))
    table.log_prob[:] = np.where(table.roles() == 0, np.nan, null(generator, table.log_prob.shape))
    return table


def run_of(plan: Any, table: Table, diagnostics: Mapping[str, Any] | None = None) -> Run:
    """An open run of such a table, without files."""
    manifest = SimpleNamespace(
        plan=SimpleNamespace(spec=plan.spec()),
        model=SimpleNamespace(name="", parameters={}),
        parameters={},
        seed=0,
    )
    folder: Any = SimpleNamespace(
        design=table.design,
        manifest=manifest,
        ids=np.arange(table.design.n),
        table=lambda **_: table,
        file=lambda _: SimpleNamespace(diagnostics=lambda: diagnostics or {}),
        place=lambda _, rows: slice(None),  # noqa: ARG005
    )
    return Run(folder)


def source_of(plan: Any, n: int, null: Null, generator: Generator) -> GatedRun:
    """The same as a gate reads it, with 2.5 % for each end of its intervals."""
    return GatedRun(run_of(plan, table_of(plan, n, null, generator)), 0.025)


def misses(low: Any, high: Any, truth: float) -> list[bool]:
    """Whether intervals miss the truth; none where they are not known."""
    low, high = np.atleast_1d(low), np.atleast_1d(high)
    known = ~np.isnan(low)
    return list((low[known] > truth) | (high[known] < truth))


def guesses(null: Null, generator: Generator) -> list[bool]:
    """1,000 coins of one fit, listed by membership."""
    included = np.sort(generator.random(1000) < 0.5)
    found = audit_one_run(null(generator, (1, 1000))[0], included, guesses=100, delta=1e-5)
    return [max(found.epsilon, found.gaussian_epsilon) > 0]


def guesses_of_a_run(null: Null, generator: Generator) -> list[bool]:
    plan = Probes(list(range(60)), fits=8, coins=True)
    return [one_run_bounds(plan.spec(), table_of(plan, 60, null, generator), CLAIM)[0].epsilon > 0]


def trials(null: Null, generator: Generator) -> list[bool]:
    values = null(generator, (60, 1))[:, 0]
    return [epsilon_from_scores(values[:30], values[30:]).epsilon > 0]


def densities(plan: Any) -> Callable[[Null, Generator], list[bool]]:
    def measure(null: Null, generator: Generator) -> list[bool]:
        table = table_of(plan, 60, null, generator)
        return [epsilon_from_density(table.log_prob, table.roles() == IN).epsilon > 0]

    return measure


def ranks_of_secrets(null: Null, generator: Generator) -> list[bool]:
    """Six canaries inserted in two fits, beside 200 references."""
    values = null(generator, (2, 206))
    times = np.tile([1] * 6 + [0] * 200, (2, 1))
    planted = CanaryTable(
        fits=np.arange(2),
        log_prob=values,
        inserted=times,
        pattern=np.zeros(206, dtype=np.int64),
        canaries=6,
        chosen=np.zeros(206, dtype=bool),
        ids=np.arange(6).astype(str),
        sizes=(10**6,),
        most=None,
        longest=6,
        even=True,
    )
    return [exposure_rank_bound(planted, CLAIM, 1).epsilon > 0]


def exposure_of_a_secret(null: Null, generator: Generator) -> list[bool]:
    """One of 2,000 candidates, ranked beside 100 references; the truth is its rank among all."""
    bits = -null(generator, (1, 2000))[0]
    if not np.isfinite(bits).all():
        return []  # refused
    order = generator.permutation(2000)
    found = estimate_exposure(bits[order[:1]], bits[order[1:101]], space_size=2000)
    truth = np.log2(2000) - np.log2((bits <= bits[order[0]]).sum())
    return misses(found.low - 1e-9, found.high + 1e-9, truth)


def mean_exposure_of_records(null: Null, generator: Generator) -> list[bool]:
    """Against what chance gives: with ties it is less, so only the lower end is asked."""
    side = exposure_measure("", table_of(Probes(60, fits=12), 60, null, generator))
    return misses(side.estimate.low, np.inf, side.null)


def area(attack: str, fits: int) -> Callable[[Null, Generator], list[bool]]:
    def measure(null: Null, generator: Generator) -> list[bool]:
        table = table_of(Probes(list(range(100)), fits=fits, coins=True), 100, null, generator)
        found = attack_table(table, attack)
        return misses(*found.interval, 0.5)

    return measure


def hits(null: Null, generator: Generator) -> list[bool]:
    """The true-positive rate of the loss, at 1 % false alarms: whether more is claimed."""
    table = table_of(Probes(list(range(100)), fits=12, coins=True), 100, null, generator)
    hit = attack_table(table, "loss").hits[1]
    return misses(hit.interval[0], np.inf, hit.asked)


def intervals(plan: Any) -> Callable[[Null, Generator], list[bool]]:
    def measure(null: Null, generator: Generator) -> list[bool]:
        found = evaluate(table_of(plan, 40, null, generator))
        return misses(*found.interval.T, 0.0)[
            :1
        ]  # one record of each run: they are not independent

    return measure


def mean_interval(null: Null, generator: Generator) -> list[bool]:
    """The mean of mean_log over records, in the side-by-side table."""
    found = evaluate(table_of(KFold(3, repeats=8), 40, null, generator))
    mean = distribution(found, "mean_log")["mean"]
    half = 2.3646 * mean.standard_error  # Student's, seven degrees of freedom
    return misses(mean.value - half, mean.value + half, 0.0) if np.isfinite(half) else []


def discoveries(null: Null, generator: Generator) -> list[bool]:
    """Any record with q <= 0.05."""
    found = evaluate(table_of(Probes(40, fits=20), 40, null, generator))
    return [bool((q_values(found.p_value_exact) <= 0.05).any())]


def threshold(measure_of: Any, plan: Any) -> Callable[[Null, Generator], list[bool]]:
    def measure(null: Null, generator: Generator) -> list[bool]:
        with np.errstate(invalid="ignore", divide="ignore"):
            return [measure_of(source_of(plan, 60, null, generator), 0.0).low > 0]

    return measure


def mean_of_secrets(null: Null, generator: Generator) -> list[bool]:
    """Student's interval over the 12 secrets of a fit, which is fixed, of a mean over secrets."""
    values = null(generator, (1, 12))[0]
    if null in (NULLS["fits shifted"], NULLS["fits of two values"]) or np.isinf(values).any():
        return []
    truth = RARE * np.log(4.0) if null is two_valued else 0.0
    return misses(*mean(values).interval, truth)


RAISED = ("normal", "heavy tails", "fits shifted")

MEASURES: Mapping[str, tuple[float, Callable[[Null, Generator], list[bool]]]] = {
    "guesses about coins: `audit_one_run`, 1,000 coins": (0.05, guesses),
    "the same in a run: probes by coins, 8 fits": (0.05, guesses_of_a_run),
    "trials of one record: `epsilon_from_scores`, 60 fits": (0.05, trials),
    "mean densities: `Probes`, 8 fits": (0.05, densities(Probes(60, fits=8))),
    "mean densities: `Probes`, 40 fits": (0.05, densities(Probes(60, fits=40))),
    "mean densities: `KFold(2, repeats=2)`": (0.05, densities(KFold(2, repeats=2))),
    "mean densities: `KFold(3, repeats=12)`": (0.05, densities(KFold(3, repeats=12))),
    "mean densities: `Subset(0.5, fits=30)`": (0.05, densities(Subset(0.5, fits=30))),
    "ranks of secrets: 6 canaries, 2 fits": (0.05, ranks_of_secrets),
    "exposure of a secret, sampled": (0.05, exposure_of_a_secret),
    "mean exposure of records, lower end": (0.025, mean_exposure_of_records),
    "area under the curve, loss, 12 fits": (0.05, area("loss", 12)),
    "area under the curve, LiRA, 12 fits": (0.05, area("lira", 12)),
    "area under the curve, LiRA, 30 fits": (0.05, area("lira", 30)),
    "true-positive rate at 1 %, lower end": (0.025, hits),
    "mean over 12 secrets of one fit": (0.05, mean_of_secrets),
    "`mean_log` of a record: `Probes`, 16 fits": (0.05, intervals(Probes(40, fits=16))),
    "`mean_log` of a record: `KFold(3, repeats=8)`": (0.05, intervals(KFold(3, repeats=8))),
    "`mean_log` of a record: `KFold(2, repeats=2)`": (0.05, intervals(KFold(2, repeats=2))),
    "mean of `mean_log`: `KFold(3, repeats=8)`": (0.05, mean_interval),
    "any record with exact q ≤ 0.05: `Probes`, 20 fits": (0.05, discoveries),
    "`--max-q999`, lower end: `KFold(3, repeats=8)`": (
        0.025,
        threshold(max_q999.measure, KFold(3, repeats=8)),
    ),
    "`--max-q999`, lower end: `KFold(2, repeats=2)`": (
        0.025,
        threshold(max_q999.measure, KFold(2, repeats=2)),
    ),
    "`--max-significant`, lower end: `Probes`, 20 fits": (
        0.025,
        threshold(max_significant.measure, Probes(list(range(60)), fits=20)),
    ),
}


def runs_of(measure: str, runs: int) -> int:
    """LiRA with its replicates takes ten times as long as all else: a quarter of the runs."""
    return runs // 4 if "LiRA" in measure else runs


def errors(measure: str, null: str, runs: int, seed: int = 0) -> tuple[int, int]:
    """How many of the runs err, and how many say anything."""
    key = [seed, *map(ord, measure + null)]
    found = []
    for number in range(runs):
        generator = np.random.default_rng([number, *key])
        with np.errstate(invalid="ignore"):
            found += MEASURES[measure][1](NULLS[null], generator)
    return int(np.sum(found)), len(found)


def raised(null: str, runs: int) -> Array:
    """LiRA's area where members are raised by 1, with its interval, (runs, 3).

    16 fits of 150 records, each of which is in half of the fits.
    """
    halves = np.broadcast_to(np.arange(16)[:, None] < 8, (16, 150))
    found = []
    for seed in range(runs):
        generator = np.random.default_rng(seed)
        included = generator.permuted(halves, axis=0)
        values = 3 * generator.normal(size=150) + NULLS[null](generator, (16, 150)) + included
        attack = infer_membership(values, included)
        found.append([attack.auc, *attack.interval])
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    print(f"| % that err, of {runs} runs | allowed |", " | ".join(NULLS), "|")
    print("| --- |" + " ---: |" * (1 + len(NULLS)))
    for name, (allowed, _) in MEASURES.items():
        cells = []
        for null in NULLS:
            wrong, said = errors(name, null, runs_of(name, runs))
            few = f" ({said})" if 0 < said < runs else ""
            cells.append(f"{100 * wrong / said:.1f}{few}" if said else "–")
        print(f"| {name} | {100 * allowed:g} |", " | ".join(cells), "|", flush=True)
    for null in RAISED:
        area, low, high = raised(null, runs).T
        wrong = sum(misses(low, high, area.mean()))
        print(f"area of LiRA where members are raised, {null}: {wrong} of {runs} intervals miss it")


if __name__ == "__main__":
    main()
