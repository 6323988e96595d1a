"""What is found of generators without a density: the tables of docs/synthetic-table.md.

Digits as rows, 300 probes, 16 fits, exact and moderated tests at a 5 % false discovery rate; how
often intervals of attribute disclosure miss where columns are drawn apart and nothing is disclosed.

    python benchmarks/generators.py --seeds 20
"""

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.mixture import GaussianMixture

import byrote
from byrote import MemorizationResult, Probes
from byrote.models import FromSamples
from byrote.privacy import attribute_disclosure

PROBES, FITS = 300, 16


class NoisyCopies(BaseEstimator):  # type: ignore[misc]
    """Training rows with noise."""

    def __init__(self, noise: float = 0.2, random_state: int = 0) -> None:
        self.noise = noise
        self.random_state = random_state

    def fit(self, X: NDArray[Any], y: object = None) -> "NoisyCopies":
        del y
        self.rows_ = X
        return self

    def sample(self, n: int) -> NDArray[Any]:
        generator = np.random.default_rng(self.random_state)
        rows = self.rows_[generator.integers(0, len(self.rows_), n)]
        return np.asarray(rows + self.noise * generator.normal(size=rows.shape))


class Ignores(NoisyCopies):
    """Noise that does not depend on the training rows."""

    def sample(self, n: int) -> NDArray[Any]:
        generator = np.random.default_rng(self.random_state)
        return generator.normal(0.3, 0.3, (n, self.rows_.shape[1]))


GENERATORS: Mapping[str, tuple[Any, int]] = {
    "noisy copies (sd .2), n samples": (NoisyCopies(), 1),
    "noisy copies (sd .2), 5n samples": (NoisyCopies(), 5),
    "a mixture of 20, n samples": (GaussianMixture(20), 1),
    "a mixture of 20, 5n samples": (GaussianMixture(20), 5),
    "ignores the data, 5n samples": (Ignores(), 5),
}


def scores_of(generator: Any, samples: int, seed: int) -> MemorizationResult:
    """Score digits by a generator's samples."""
    x = byrote.load("digits").x.reshape(1797, -1)
    model = FromSamples(generator, samples=samples)
    return byrote.score_memorization(model, x, plan=Probes(PROBES, fits=FITS), seed=seed)


def found(result: MemorizationResult) -> tuple[int, int]:
    """Count the records found by the exact and by the moderated test."""
    return int((result.q_value_exact <= 0.05).sum()), int((result.q_value <= 0.05).sum())


class Apart:
    """A synthesizer whose columns are drawn apart: it discloses nothing of any row."""

    def fit(self, frame: Any) -> None:
        self.frame = frame

    def sample(self, n: int) -> Any:
        drawn = {c: self.frame[c].sample(n, replace=True).to_numpy() for c in self.frame}
        return type(self.frame)(drawn)


def misses(runs: int) -> int:
    """Count the runs whose interval of the mean disclosure is wrong."""
    import pandas as pd  # noqa: PLC0415 (slow to load)

    count = 0
    for seed in range(runs):
        generator = np.random.default_rng(seed)
        age = generator.normal(size=200)
        ill = np.where(age + generator.normal(size=200) > 0, "yes", "no")
        frame = pd.DataFrame({"age": age, "town": generator.choice([*"abc"], 200), "ill": ill})
        plan = Probes(80, fits=8)
        mean = attribute_disclosure(Apart(), frame, secret="ill", plan=plan, seed=seed).mean
        count += mean.sign != 0
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    print(f"| generator | found of {PROBES}, exact test | moderated test | seeds |")
    print("| --- | --- | --- | --- |")
    for name, (generator, samples) in GENERATORS.items():
        runs = seeds if "ignores" in name else min(5, seeds)
        counts = np.array([found(scores_of(generator, samples, seed)) for seed in range(runs)])
        cells = [f"{side.mean():.0f} ({side.min()} to {side.max()})" for side in counts.T]
        print("|", " | ".join([name, *cells, str(runs)]), "|", flush=True)
    runs = 10 * seeds
    print(f"\nIntervals of a mean disclosure of 0 that miss it: {misses(runs)} of {runs}")


if __name__ == "__main__":
    main()
