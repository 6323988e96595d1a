"""The moderated test on a run whose memberships are permuted after training.

Each record then has the membership of another one: p-values should be uniform, and a record found
in at most 5 % of the permutations. Records that get a membership equal to their own are left out,
since what is found of them is true. RUN is a finished run's folder, or the word
"characters": then 2,000 lines of Python's help are scored by a recurrent character model first.

    python benchmarks/permuted.py RUN --permutations 100
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import byrote
from byrote.models import CharLSTM
from byrote.runs.table import Table
from byrote.scores.memorization.moderated import moderated_test
from byrote.stats.multiple_testing import q_values

LEVELS = (0.05, 0.01, 0.001)
LINES, LENGTH = 2000, 60


def lines_of_help(count: int) -> list[str]:
    """Python's help in lines of 60 characters."""
    text = "".join(byrote.load_corpus("python-help").documents).replace("\n", " ")
    text = text.encode("ascii", "ignore").decode()
    return [text[start : start + LENGTH] for start in range(0, count * LENGTH, LENGTH)]


def score_characters(folder: Path) -> byrote.Run:
    model = CharLSTM(hidden=64, layers=1, epochs=20, batch_size=16, separate=False)
    plan = byrote.KFold(3, repeats=6)
    byrote.score_memorization(model, lines_of_help(LINES), plan=plan, out=folder, workers=2)
    return byrote.open_run(folder)


def discoveries(table: Table, permutations: int) -> tuple[NDArray[np.float64], int]:
    """All p-values, and in how many permutations a record is found."""
    pooled, count = [], 0
    for seed in range(permutations):
        order = np.random.default_rng(seed).permutation(len(table.rows))
        permuted = replace(table, log_prob=table.log_prob[:, order])
        test = moderated_test(permuted, seed, control_values=200)
        roles = table.roles()
        own = (roles[:, order] == roles).all(axis=0)
        known = test.p_value[~np.isnan(test.p_value) & ~own]
        pooled.append(known)
        count += bool((q_values(known) <= 0.05).any())
    return np.concatenate(pooled), count


def report(run: byrote.Run, permutations: int) -> None:
    p_value, count = discoveries(run.table(), permutations)
    quantiles = ", ".join(f"{level}: {np.quantile(p_value, level):.5f}" for level in LEVELS)
    print(f"{len(p_value)} p-values; their quantiles {quantiles}")
    print(f"{count} of {permutations} permutations with a discovery at q ≤ 0.05")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("run")
    options.add_argument("--permutations", type=int, default=100)
    asked = options.parse_args()
    if asked.run == "characters":
        with tempfile.TemporaryDirectory() as folder:
            report(score_characters(Path(folder)), asked.permutations)
    else:
        report(byrote.open_run(asked.run), asked.permutations)


if __name__ == "__main__":
    main()
