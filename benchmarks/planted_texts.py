"""Twenty planted texts among 2,000 lines: which of them a character model learns by heart.

The lines are of Python's help; each planted text has random digits, and is there once, 4 or 16
times. The copies of a text are held out together, so that none stands in for another. Printed is
how many planted texts and how many lines are found at a 5 % false discovery rate, their
counterfactual memorization, and the discoveries after memberships are permuted.

    python benchmarks/planted_texts.py --fits 16 --permutations 20
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import byrote
from byrote.models import CharLSTM
from byrote.scores.memorization.moderated import SIGNIFICANCE, moderated_test
from byrote.stats.multiple_testing import q_values
from permuted import discoveries, lines_of_help

LINES = 2000
COPIES = {1: 8, 4: 6, 16: 6}  # number of planted texts by number of copies


def corpus(seed: int) -> tuple[list[str], NDArray[np.intp]]:
    """Texts with all copies, and the number of each one's text, the planted ones first."""
    generator = np.random.default_rng(seed)
    times = np.repeat(list(COPIES), list(COPIES.values()))
    planted = [
        f"the card number of customer {number} is {generator.integers(10**15, 10**16)}"
        for number in range(len(times))
    ]
    texts = [*planted, *lines_of_help(LINES - len(planted))]
    which = np.repeat(np.arange(LINES), [*times, *np.ones(LINES - len(planted), dtype=int)])
    return [texts[number] for number in which], which


def membership(which: NDArray[np.intp], fits: int, seed: int) -> NDArray[np.bool_]:
    """(fits, n) a random half of the fits for each text, the same for all copies of it."""
    half = np.repeat(np.arange(fits)[:, None] < fits // 2, LINES, axis=1)
    return np.random.default_rng(seed).permuted(half, axis=0)[:, which]


def report(run: byrote.Run, which: NDArray[np.intp], permutations: int) -> None:
    first = np.unique(which, return_index=True)[1]  # of the copies of each text
    whole, scores = run.table(), run.memorization()
    table = replace(whole, rows=whole.rows[first], log_prob=whole.log_prob[:, first])
    q_value = q_values(moderated_test(table, run.manifest.seed).p_value)
    found, gain = q_value <= SIGNIFICANCE, scores.counterfactual[first]
    begin = 0
    for copies, count in COPIES.items():
        part = slice(begin, begin + count)
        nats = np.median(scores.mean_log[first][part])
        print(
            f"{copies:>2} copies: {found[part].sum()} of {count} found, median effect {nats:.1f}"
            f" nats, counterfactual memorization {np.median(gain[part]):.2f}"
        )
        begin += count
    print(f"lines: {found[begin:].sum()} of {LINES - begin} found, {np.median(gain[begin:]):.3f}")
    of = discoveries(table, permutations)[1]
    print(f"{of} of {permutations} permutations with a discovery at q ≤ {SIGNIFICANCE}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--fits", type=int, default=16)
    options.add_argument("--permutations", type=int, default=20)
    asked = options.parse_args()
    texts, which = corpus(seed=0)
    plan = byrote.Membership(membership(which, asked.fits, seed=1), randomized=True)
    model = CharLSTM(hidden=64, layers=1, epochs=20, batch_size=16)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        byrote.score_memorization(model, texts, plan=plan, out=Path(folder) / "run")
        print(f"{len(texts):,} texts, {asked.fits} fits: {time.perf_counter() - started:.0f} s")
        report(byrote.open_run(Path(folder) / "run"), which, asked.permutations)


if __name__ == "__main__":
    main()
