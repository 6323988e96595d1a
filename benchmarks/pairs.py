"""How much noise do two fits with the same seeds share, and what must their rows be for that?

    python benchmarks/pairs.py                                   the bundled digits, 1,797 records
    python benchmarks/pairs.py --data mnist_train.npz --records 6000 --epochs 1 5 25

Pairs of fits hold out complementary parts of the probes. For each way to make them, the median over
records of Var(difference within pairs) / (2 Var(one value)), which estimates 1 - rho: the factor by
which pairs multiply the variance of mean_log.
"""

import argparse
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

import byrote
from byrote.models import VAE
from byrote.plans.design import rows, training_rows

Rows = NDArray[np.intp]


def coins(n: int, probes: Rows, generator: np.random.Generator) -> tuple[Rows, Rows]:
    """Each probe by a coin of its own: the two fits have unequally many records."""
    first = generator.random(len(probes)) < 0.5
    return training_rows(n, rows(probes[first])), training_rows(n, rows(probes[~first]))


def halves(n: int, probes: Rows, generator: np.random.Generator) -> tuple[Rows, Rows]:
    """Exactly half of the probes each, rows in the order of the data."""
    first, second = np.split(generator.permutation(probes), 2)
    return training_rows(n, rows(first)), training_rows(n, rows(second))


def in_place(n: int, probes: Rows, generator: np.random.Generator) -> tuple[Rows, Rows]:
    """Exactly half each, those of one in the places of those of the other: what byrote does."""
    first, second = np.split(generator.permutation(probes), 2)
    return training_rows(n, rows(first)), training_rows(n, rows(second), rows(first))


WAYS: dict[str, Callable[..., tuple[Rows, Rows]]] = {
    "independent coins": coins,
    "halves": halves,
    "halves in place": in_place,
}


def unshared(model: VAE, x: NDArray[np.float32], way: str, pairs: int) -> tuple[float, float]:
    """1 - rho, and the standard deviation of one value in nats; medians over the common records."""
    n = len(x)
    probes = np.sort(np.random.default_rng(0).choice(n, n // 20 * 2, replace=False))
    values = np.empty((pairs, 2, n))
    for pair in range(pairs):
        for fit, order in enumerate(WAYS[way](n, probes, np.random.default_rng([1, pair]))):
            model.set_params(random_state=pair).fit(x[order])
            values[pair, fit] = model.set_params(random_state=10**6 + pair).score_samples(x)
    common = np.setdiff1d(np.arange(n), probes)
    one = values[:, :, common].var(axis=0, ddof=1).mean(axis=0)
    difference = (values[:, 0] - values[:, 1])[:, common].var(axis=0, ddof=1)
    return float(np.median(difference / (2 * one))), float(np.median(np.sqrt(one)))


def main() -> None:
    """Print one line per way and number of epochs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits")
    parser.add_argument("--records", type=int)
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 10, 40])
    parser.add_argument("--pairs", type=int, default=10)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    x = byrote.load(asked.data).x[: asked.records]
    small = {"latent_dim": 8, "hidden": (64, 32)} if asked.data == "digits" else {}
    print(f"{len(x):,} records, {len(x) // 20 * 2:,} probes, {asked.pairs} pairs")
    for epochs in asked.epochs:
        for way in WAYS:
            share, noise = unshared(VAE(epochs=epochs, draws=32, **small), x, way, asked.pairs)
            print(f"{epochs:4d} epochs  {way:18s} 1 - rho = {share:.3f}   s = {noise:.2f} nats")


if __name__ == "__main__":
    main()
