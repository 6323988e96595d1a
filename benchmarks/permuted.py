"""The moderated test on a run whose memberships are permuted after training.

Each record then has the membership of another one: p-values should be uniform, and a record found
in at most 5 % of the permutations. RUN is a finished run's folder, or the word
"characters": then 2,000 lines of Python's help are scored by a recurrent character model first.

    python benchmarks/permuted.py RUN --permutations 100
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

import byrote
from byrote.models import CharLSTM
from byrote.scores.memorization.moderated import moderated_test
from byrote.stats.multiple_testing import q_values

LEVELS = (0.05, 0.01, 0.001)
LINES, LENGTH = 2000, 60


class CharacterLines(BaseEstimator):
    """``CharLSTM`` of lines that are rows of character codes."""

    def __init__(self, random_state: int | None = 0) -> None:
        self.random_state = random_state

    def fit(self, X: NDArray[np.uint8]) -> "CharacterLines":
        self.model_ = CharLSTM(
            hidden=64, layers=1, epochs=20, batch_size=16, random_state=self.random_state
        ).fit(texts_of(X))
        return self

    def score_samples(self, X: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.asarray(self.model_.score_samples(texts_of(X)))


def texts_of(codes: NDArray[np.uint8]) -> list[str]:
    return [bytes(row).decode("ascii") for row in codes.astype(np.uint8)]


def score_characters(folder: Path) -> byrote.Run:
    text = "".join(byrote.load_corpus("python-help").documents).replace("\n", " ")
    text = text.encode("ascii", "ignore")[: LINES * LENGTH]
    codes = np.frombuffer(text, np.uint8).reshape(LINES, LENGTH)
    plan = byrote.KFold(3, repeats=6)
    byrote.score_memorization(CharacterLines(), codes, plan=plan, out=folder, workers=2)
    return byrote.open_run(folder)


def report(run: byrote.Run, permutations: int) -> None:
    table, pooled, discoveries = run.table(), [], 0
    for seed in range(permutations):
        order = np.random.default_rng(seed).permutation(len(table.rows))
        permuted = replace(table, log_prob=table.log_prob[:, order])
        test = moderated_test(permuted, seed, control_values=200)
        known = test.p_value[~np.isnan(test.p_value)]
        pooled.append(known)
        discoveries += bool((q_values(known) <= 0.05).any())
    p_value = np.concatenate(pooled)
    quantiles = ", ".join(f"{level}: {np.quantile(p_value, level):.5f}" for level in LEVELS)
    print(f"{len(p_value)} p-values; their quantiles {quantiles}")
    print(f"{discoveries} of {permutations} permutations with a discovery at q ≤ 0.05")


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
