"""Level and saving of runs that are looked at three times: tables of docs/statistics.md.

Log-likelihoods are drawn as in discovery.py; what a run finds counts at the look where it stops. As
often as it is looked at, beside it stands the same run whose p-values ignore that.

    python benchmarks/looks.py --runs 200

What real runs save, 24 fits of 300 probes, beside the same runs to the end:

    python benchmarks/looks.py real
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote
from byrote import KFold, Probes, Subset
from byrote.models import VAE
from byrote.plans import Context, Design
from byrote.runs.table import Table
from byrote.scores.memorization.evaluation import Evaluation, evaluate
from byrote.scores.memorization.moderated import moderated_test
from byrote.scores.memorization.stopping import Question
from byrote.stats.multiple_testing import q_values
from discovery import (
    EFFECTS,
    NOISES,
    RECORDS,
    Array,
    Noise,
    print_table,
    table_of,
)
from planted import points

LOOKS = 3
PLANS: Mapping[str, Any] = {
    "probes, 24 fits": Probes(range(RECORDS), fits=24, bystanders=1000),
    "pairs, 24 fits": Probes(range(RECORDS), fits=24, pairs=True, bystanders=0),
    "coins, 24 fits": Probes(range(RECORDS), fits=24, coins=True, bystanders=0),
    "subsets, 24 fits": Subset(0.7, fits=24),
    "3 folds, 6 times": KFold(3, repeats=6),
}
QUESTIONS = tuple(map(Question.parse, ("discover=1", "discover=5", "discover=20")))


def designs_of(plan: Any, seed: int) -> list[Design]:
    """The designs of a run at its looks, each the beginning of the next."""
    n = RECORDS + getattr(plan, "bystanders", 0)
    designs: list[Design] = []
    for size in plan.sizes(LOOKS):
        before = designs[-1] if designs else None
        design = plan.resized(size).draw(Context(n, seed, np.arange(n)), after=before)
        designs.append(replace(design, looks=LOOKS))
    return designs


def evaluations(
    plan: Any, noise: Noise, generator: np.random.Generator, effects: Array
) -> Iterator[Evaluation]:
    """A run at each of its looks."""
    designs = designs_of(plan, int(generator.integers(1 << 31)))
    whole = table_of(designs[-1], noise, generator, effects)
    for design in designs:
        assert whole.bystanders is not None
        first = slice(design.fits)
        table = Table(design, whole.rows, whole.log_prob[first], (), whole.bystanders[first])
        evaluation = evaluate(table)
        # That of discovery.py for each look: the control of a real run is larger and takes longer.
        vars(evaluation)["discovery"] = moderated_test(table, 0, control_values=100 * LOOKS)
        yield evaluation


def trial(plan: Any, noise: Noise, seed: tuple[int, ...], effects: Array) -> Array:
    """(2 + questions, 3): share of false discoveries at the stop, of planted found, of fits made.

    First of a run that is always complete, if its looks count and if they do not, in place of the
    stop the largest share of any look; then of a run with each question.
    """
    looks, stops = [], [LOOKS - 1] * len(QUESTIONS)
    generator = np.random.default_rng(seed)
    fits = np.array([design.fits for design in designs_of(plan, 0)])
    shares = fits / fits[-1]
    for number, evaluation in enumerate(evaluations(plan, noise, generator, effects)):
        p_value = evaluation.p_value
        looks.append([_found(p, len(effects)) for p in (p_value, p_value / LOOKS)])
        for place, question in enumerate(QUESTIONS):
            if stops[place] == LOOKS - 1 and question.answer(evaluation, shares[number]):
                stops[place] = number
    rates = np.array(looks)  # (looks, corrected or not, false or planted)
    complete = [[*rates[:, way].max(axis=0)[:1], rates[-1, way, 1], 1.0] for way in (0, 1)]
    return np.array([*complete, *([*rates[stop, 0], shares[stop]] for stop in stops)])


def _found(p_value: Array, planted: int) -> tuple[float, float]:
    discovered = q_values(p_value) <= 0.05
    false = discovered[planted:].sum() / max(1, discovered.sum())
    return float(false), float(discovered[:planted].mean()) if planted else float("nan")


def measure(runs: int, plan: str, noise: str) -> str:
    """One row of the table."""
    key = (sorted(PLANS).index(plan), sorted(NOISES).index(noise))

    def mean(effects: Array) -> Array:
        trials = [trial(PLANS[plan], NOISES[noise], (*key, run), effects) for run in range(runs)]
        return np.asarray(np.mean(trials, axis=0))

    without, planted = mean(EFFECTS[:0]), mean(EFFECTS)
    cells = [
        " / ".join(f"{rate:.1%}" for rate in without[:2, 0]),
        " / ".join(f"{rate:.1%}" for rate in planted[:2, 0]),
        " / ".join(f"{rate:.1%}" for rate in planted[2:, 0]),
        " / ".join(f"{power:.2f}" for power in planted[:2, 1]),
        " / ".join(f"{share:.0%}" for share in planted[2:, 2]),
        " / ".join(f"{share:.0%}" for share in without[2:, 2]),
    ]
    return f"| {plan} | {noise} | {' | '.join(cells)} |"


# -- real runs ------------------------------------------------------------------------------------


def digits(generator: np.random.Generator) -> Any:  # noqa: ARG001
    return byrote.load("digits")


REAL: Mapping[str, tuple[Any, Callable[[np.random.Generator], Any], str]] = {
    "digits, kernel density": (KernelDensity(leaf_size=2000), digits, "discover=5"),
    "digits, kernel density, more asked": (KernelDensity(leaf_size=2000), digits, "discover=200"),
    "points, ten far off, kernel density": (KernelDensity(bandwidth=0.5), points, "discover=5"),
    "points, ten far off, mixture of 5": (GaussianMixture(5, random_state=0), points, "discover=5"),
    "digits, VAE of 2 epochs": (VAE(latent_dim=8, epochs=2, draws=32), digits, "discover=20"),
}


def save(name: str) -> str:
    """One row of the table of real runs."""
    model, draw, question = REAL[name]
    x = draw(np.random.default_rng(0))
    # Of points the last ones, among them those far off; of digits any.
    plan = Probes(range(len(x) - 300, len(x)) if draw is points else 300, fits=24)
    with tempfile.TemporaryDirectory() as folder:
        run = {"plan": plan, "out": f"{folder}/run"}
        stopped = byrote.score_memorization(model, x, **run, stop_when=question).summary()
        complete = byrote.score_memorization(model, x, **run, looks=LOOKS).summary()
    alone = byrote.score_memorization(model, x, plan=plan).summary()
    look = stopped.look
    assert look is not None
    found = [str(each.significant) for each in (stopped, complete, alone)]
    fits = f"{look.fits} of {look.most_fits}"
    return f"| {name} | {question} | {look.answer or 'open'} | {fits} | {' | '.join(found)} |"


def print_real_runs(names: Sequence[str]) -> None:
    head = (
        "| data, model | question | answer | fits made | found | by 24 fits, 3 looks | one look |"
    )
    print(f"{head}\n{'| --- ' * (head.count('|') - 1)}|")
    for name in names or REAL:
        print(save(name), flush=True)


def main() -> None:
    head = (
        "| plan | noise | any discovery, none planted: looks count / do not | FDR, 10 planted |"
        " FDR at the stop: 1 / 5 / 20 asked | planted found by all fits | fits made, planted |"
        " none planted |"
    )
    print_table(head, measure, PLANS, runs=20)


if __name__ == "__main__":
    if sys.argv[1:2] == ["real"]:
        print_real_runs(sys.argv[2:])
    else:
        main()
