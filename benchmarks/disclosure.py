"""Attribute disclosure from densities: the numbers of docs/tables.md.

The level of intervals and tests is that of a model whose conditional is noise of retraining. The
VAE is trained on a table in which ten people live in towns of their own, with a rare secret.

    python benchmarks/disclosure.py --runs 400
"""

import argparse
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from byrote import Probes
from byrote.models import VAE
from byrote.privacy import attribute_disclosure

PLANTED = range(10)


class Noise(BaseEstimator):  # type: ignore[misc]
    """A density of categories that is drawn anew in each fit, whatever it trains on."""

    takes_categories = True

    def __init__(self, random_state: int | None = None) -> None:
        self.random_state = random_state

    def fit(self, X: NDArray[Any], y: object = None) -> "Noise":
        del X, y
        self.error_ = np.random.default_rng(self.random_state).normal(size=997)
        return self

    def score_samples(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.error_[(X @ 11 ** np.arange(X.shape[1])).astype(int) % 997]


def people(n: int, seed: int, *, planted: bool) -> pd.DataFrame:
    """Return people of whom the old are ill more often; those planted live alone."""
    generator = np.random.default_rng(seed)
    decade = generator.integers(2, 8, n)
    frame = pd.DataFrame(
        {
            "decade": decade.astype(str),
            "town": generator.choice([f"town {i}" for i in range(12)], n),
            "job": generator.choice(["clerk", "nurse", "smith"], n),
            "ill": np.where(generator.random(n) < decade / 10, "yes", "no"),
        }
    )
    if planted:
        frame.loc[PLANTED, "town"] = [f"hamlet {i}" for i in PLANTED]
        frame.loc[PLANTED, "ill"] = ["for years", "at times"] * (len(PLANTED) // 2)
    return frame


def level(runs: int) -> tuple[int, int]:
    """Count the runs whose interval of the mean misses 0, and those that find somebody."""
    missed = found = 0
    for seed in range(runs):
        frame, plan = people(60, seed, planted=False), Probes(30, fits=8)
        result = attribute_disclosure(Noise(), frame, secret="ill", plan=plan, seed=seed)
        missed += result.mean.sign != 0
        found += len(result.found) > 0
    return missed, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    runs = parser.parse_args().runs
    missed, found = level(runs)
    print(f"noise: {missed} of {runs} intervals miss 0, {found} runs find somebody", flush=True)
    model = VAE(latent_dim=8, hidden=(64,), epochs=150, learning_rate=0.01, batch_size=16)
    frame, plan = people(200, 0, planted=True), Probes([*PLANTED, *range(50, 100)], fits=12)
    result = attribute_disclosure(model, frame, secret="ill", plan=plan)
    planted, others = result.advantage[:10], result.advantage[50:100]
    found = np.isin(result.found, PLANTED)
    print(
        f"VAE: {found.sum()} of 10 planted people found, {(~found).sum()} of 50 others; advantage"
        f" {planted.mean():.3f} and {others.mean():.3f}; quality in training"
        f" {result.quality_in[:10].mean():.2f}, without {result.quality_out[:10].mean():.2f}"
    )


if __name__ == "__main__":
    main()
