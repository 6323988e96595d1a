"""Ten planted outliers under three models: fits that the moderated and the exact test need.

Points of a plane, or images of digits; the planted points lie 4 to 13 standard deviations off, the
planted images are mixtures of a digit with 10 % to 100 % of noise. Every record is a probe: half of
the fits train on it. Printed is how many planted and other records are found at a 5 % false
discovery rate, by number of fits.

    python benchmarks/planted.py
"""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote
from byrote.models import VAE

Array = NDArray[np.float64]

RECORDS, PLANTED = 1000, 10
FITS = (6, 8, 10, 12, 16, 20, 24)


def points(generator: np.random.Generator) -> Array:
    """(1010, 2), the last ten planted."""
    X = generator.normal(size=(RECORDS + PLANTED, 2))
    angle = np.arange(PLANTED)
    X[RECORDS:] = (4 + angle)[:, None] * np.stack([np.cos(2 * angle), np.sin(2 * angle)], axis=1)
    return X


def images(generator: np.random.Generator) -> Array:
    """(1010, 64) in [0, 1], the last ten planted."""
    digits = byrote.load("digits").x.reshape(-1, 64)
    X = digits[generator.permutation(len(digits))[: RECORDS + PLANTED]]
    share = np.linspace(0.1, 1.0, PLANTED)[:, None]
    X[RECORDS:] = (1 - share) * X[RECORDS:] + share * generator.random((PLANTED, 64))
    return X


MODELS: Mapping[str, tuple[Any, Callable[[np.random.Generator], Array]]] = {
    "kernel density": (KernelDensity(bandwidth=0.5), points),
    "mixture": (GaussianMixture(5, random_state=0), points),
    "VAE": (VAE(latent_dim=8, epochs=60, draws=32, likelihood="shared-gaussian"), images),
}


def found(name: str, fits: int, seed: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(1010,) records found by the moderated and by the exact test."""
    model, draw = MODELS[name]
    X = draw(np.random.default_rng(seed))
    plan = byrote.Probes(range(len(X)), fits=fits)
    result = byrote.score_memorization(model, X, plan=plan, seed=seed)
    return result.q_value <= 0.05, result.q_value_exact <= 0.05


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--models", nargs="*", default=list(MODELS))
    options.add_argument("--workers", type=int, default=2)
    asked = options.parse_args()
    print("| model | fits | planted found (others), moderated | exact |\n" + "| --- " * 4 + "|")
    for name in asked.models:
        for fits in FITS:
            runs = Parallel(asked.workers)(
                delayed(found)(name, fits, seed) for seed in range(asked.seeds)
            )
            cells = (
                f"{each[:, RECORDS:].sum(axis=1).mean():.1f}"
                f" ({each[:, :RECORDS].sum(axis=1).mean():.1f})"
                for each in np.swapaxes(np.array(runs), 0, 1)
            )
            print(f"| {name} | {fits} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
