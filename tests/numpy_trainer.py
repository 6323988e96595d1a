"""A trainer that knows NumPy alone: a user's script, and the same formulas as an estimator."""

import numpy as np
from sklearn.base import BaseEstimator

FORMULAS = """
import numpy as np


def train(x, seed):
    \"\"\"A kernel density whose kernels are shaken a little by the seed.\"\"\"
    return x + np.random.default_rng(seed).normal(scale=0.05, size=x.shape)


def log_density(centres, x):
    squares = ((x[:, None] - centres[None]) ** 2).sum(axis=2)
    exponents = -squares / (2 * 0.4**2) - x.shape[1] * np.log(0.4 * np.sqrt(2 * np.pi))
    top = exponents.max(axis=1)
    return top + np.log(np.exp(exponents - top[:, None]).mean(axis=1))
"""

SCRIPT = (
    FORMULAS
    + """

import argparse
import os

parser = argparse.ArgumentParser()
parser.add_argument("--data", default="x.npy")
parser.add_argument("--rows")
parser.add_argument("--ids")
parser.add_argument("--score")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out")
options = parser.parse_args()
x = np.load(options.data)
rows = np.loadtxt(options.rows or options.ids, dtype=int, ndmin=1)
print("rehearsal" if os.environ.get("BYROTE_REHEARSAL") else "training", "on", len(rows), "rows")
score = np.loadtxt(options.score, dtype=int) if options.score else np.arange(len(x))
log_prob = log_density(train(x[rows], options.seed), x[score])
if options.out.endswith(".npy"):
    np.save(options.out, log_prob)
else:
    with open(options.out, "w") as file:
        file.write("id,log_prob\\n")
        file.writelines(f"{row},{float(value)!r}\\n" for row, value in zip(score, log_prob))
"""
)
_formulas = {}
exec(FORMULAS, _formulas)


class InProcess(BaseEstimator):
    """The same model in this process."""

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit(self, X):
        self.centres_ = _formulas["train"](X, self.random_state)
        return self

    def score_samples(self, X):
        return _formulas["log_density"](self.centres_, X)


def some_data(n=120, d=3):
    """(n, d) records, of which the first five are far from the others."""
    x = np.random.default_rng(0).normal(size=(n, d))
    x[:5] *= 5
    return x
