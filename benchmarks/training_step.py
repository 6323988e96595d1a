"""Where a training step of the paper's VAE for MNIST spends its time, beside what the core gives.

    python benchmarks/training_step.py                  one by one, in float32 and in bfloat16
    python benchmarks/training_step.py --compiled       also the step as one compiled function

Processor seconds of one thread on a batch of 64: medians over rounds in which every part takes its
turn, so that other work on the machine slows all of them alike. Products, Adam and the batch are
timed alone; the same step with layers of one unit costs what Python and PyTorch's dispatch cost;
what remains of the step are its elementwise functions and conversions, and weights that left the
caches.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch

from byrote.models.arithmetic import PRECISIONS
from byrote.models.spaces import Binary
from byrote.models.torch_utils import flushed_denormals
from byrote.models.vae.autoencoder import AutoEncoder, FullyConnected
from byrote.models.vae.likelihoods import Bernoulli
from byrote.models.vae.steps import CompiledStep, PlainStep, adam

BATCH, RECORDS, SHAPE, LATENT, HIDDEN = 64, 6400, (32, 32), 16, (512, 256)
VALUES, RATE = SHAPE[0] * SHAPE[1], 1e-3
LARGE = 1024  # side of the matrices whose product shows what a core can do
CALLS = 20  # of a part in its turn

Part = Callable[[], object]


def autoencoder(values: int = VALUES, latent: int = LATENT, hidden=HIDDEN) -> AutoEncoder:
    """The paper's network, or one of other sizes."""
    torch.manual_seed(0)
    return AutoEncoder(FullyConnected(values, latent, hidden), Bernoulli())


def layers() -> list[tuple[int, int]]:
    """Inputs and outputs of the layers, the first layer first."""
    code = [(HIDDEN[-1], LATENT)] * 2
    return [*pairwise((VALUES, *HIDDEN)), *code, *pairwise((LATENT, *HIDDEN[::-1], VALUES))]


def operations() -> int:
    """Multiplications and additions in the products of a step: the first input has no gradient."""
    return 2 * BATCH * (3 * sum(a * b for a, b in layers()) - VALUES * HIDDEN[0])


def scoring_operations(draws: int) -> int:
    """The same in log p of a record, the network's own products alone: a decoding for each draw."""
    return 2 * draws * sum(a * b for a, b in layers()[len(HIDDEN) + 2 :])


def products(dtype: torch.dtype) -> Part:
    """The products of a step, forwards and backwards."""
    factors = [
        (torch.rand(BATCH, a).to(dtype), torch.rand(b, a).to(dtype), torch.rand(BATCH, b).to(dtype))
        for a, b in layers()
    ]

    def multiply() -> None:
        for place, (x, weight, gradient) in enumerate(factors):
            torch.mm(x, weight.t())
            torch.mm(gradient.t(), x)
            if place:
                torch.mm(gradient, weight)

    return multiply


def large_product(dtype: torch.dtype) -> Part:
    """One product of large square matrices."""
    a, b = (torch.rand(LARGE, LARGE).to(dtype) for _ in range(2))
    return lambda: torch.mm(a, b)


def product_rate(dtype: torch.dtype) -> float:
    """What a core gives, GFLOP/s: processor time of large products, medians over rounds."""
    return _rate_of_large(milliseconds({"large": large_product(dtype)}, 5)["large"])


def _rate_of_large(took: float) -> float:
    return 2 * LARGE**3 / took / 1e6


def batch() -> Part:
    """Pixels of a batch, the noise that makes them binary, and latent draws."""
    space, generator = Binary(SHAPE), torch.Generator().manual_seed(0)
    x = np.random.default_rng(0).integers(0, 256, (RECORDS, *SHAPE)).astype(np.uint8)
    order = np.random.default_rng(1).permutation(RECORDS)

    def draw() -> None:
        values = space.values(x[order[:BATCH]])
        space.noise(values.shape, generator)
        torch.randn(BATCH, LATENT, generator=generator)

    return draw


def adam_alone() -> Part:
    """Adam on weights that have gradients."""
    model = autoencoder()
    for weight in model.parameters():
        weight.grad = torch.rand_like(weight)
    return adam(model, RATE, 0.0).step


def step(dtype: torch.dtype, *, compiled: bool = False, tiny: bool = False) -> Part:
    """A whole step, but for drawing its batch."""
    values, latent, hidden = (4, 1, (1, 1)) if tiny else (VALUES, LATENT, HIDDEN)
    model, space = autoencoder(values, latent, hidden), Binary((values,))
    if compiled:
        take = CompiledStep(model, space, RATE, dtype, BATCH)
    else:
        take = PlainStep(model, space, RATE, dtype)
    x, noise, codes = (
        torch.rand(BATCH, values),
        torch.rand(BATCH, values),
        torch.randn(BATCH, latent),
    )
    return lambda: take(x, noise, codes)


def milliseconds(parts: dict[str, Part], rounds: int) -> dict[str, float]:
    """Processor time of one call of each part; the first round warms up."""
    taken: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(1 + rounds):
        for name, part in parts.items():
            started = time.process_time()
            for _ in range(CALLS):
                part()
            taken[name].append(1e3 * (time.process_time() - started) / CALLS)
    return {name: statistics.median(times[1:]) for name, times in taken.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    parts = {"batch": batch(), "adam": adam_alone()}
    for name, dtype in PRECISIONS.items():
        parts |= {
            f"products {name}": products(dtype),
            f"large {name}": large_product(dtype),
            f"tiny {name}": step(dtype, tiny=True),
            f"step {name}": step(dtype),
        }
        if asked.compiled:
            parts[f"compiled {name}"] = step(dtype, compiled=True)
    with flushed_denormals():
        took = milliseconds(parts, asked.rounds)
    print("| milliseconds of a step | " + " | ".join(PRECISIONS) + " |\n| --- | --- | --- |")
    for label, values in _rows(took, asked.compiled).items():
        print(f"| {label} | " + " | ".join(f"{value:.2f}" for value in values) + " |")
    rates = [operations() / took[f"products {name}"] / 1e6 for name in PRECISIONS]
    most = [_rate_of_large(took[f"large {name}"]) for name in PRECISIONS]
    for label, values in (("products, GFLOP/s", rates), (f"{LARGE}³ product, GFLOP/s", most)):
        print(f"| {label} | " + " | ".join(f"{value:.0f}" for value in values) + " |")


def _rows(took: dict[str, float], compiled: bool) -> dict[str, list[float]]:
    def of(part: str) -> np.ndarray:
        return np.array([took[f"{part} {name}"] for name in PRECISIONS])

    shared = np.ones(len(PRECISIONS))
    rows = {
        "batch: pixels, noise, codes": took["batch"] * shared,
        "products alone": of("products"),
        "Adam alone": took["adam"] * shared,
        "Python and dispatch": of("tiny"),
        "elementwise, conversions, caches": of("step") - of("products") - took["adam"] - of("tiny"),
        "whole step, uncompiled": of("step") + took["batch"],
    }
    if compiled:
        rows["whole step, compiled"] = of("compiled") + took["batch"]
    return {label: values.tolist() for label, values in rows.items()}


if __name__ == "__main__":
    main()
