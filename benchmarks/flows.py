"""Training of flows beside PyTorch and Zuko as one would write it, on the same digits.

The plain version: a DataLoader, float32, Adam as it comes, `-flow().log_prob(x).mean()`. Both have
one core, as a worker has, and the same records, weights and number of steps; they take turns, and
the best of three turns counts.
"""

import time

import numpy as np
import torch
import zuko
from torch.utils.data import DataLoader, TensorDataset

from byrote.data import load
from byrote.models import Flow
from byrote.models.flows.spaces import Levels, fixed
from byrote.runs.worker import peak_memory
from run import report

EPOCHS, BATCH, HIDDEN, TURNS = 3, 64, (64, 64), 3
KINDS = {"nsf": zuko.flows.NSF, "maf": zuko.flows.MAF, "realnvp": zuko.flows.NICE}


def plain(kind: str, y: torch.Tensor) -> float:
    """Seconds of training by the plain version, on inputs that are continuous already."""
    torch.manual_seed(0)
    flow = KINDS[kind](y.shape[1], transforms=3, hidden_features=HIDDEN)
    optimizer = torch.optim.Adam(flow.parameters(), lr=1e-3)
    batches = DataLoader(TensorDataset(y), batch_size=BATCH, shuffle=True)
    started = time.perf_counter()
    for _ in range(EPOCHS):
        for (batch,) in batches:
            loss = -flow().log_prob(batch).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return time.perf_counter() - started


def ours(kind: str, x: np.ndarray) -> float:
    """Seconds of `fit`, from levels: with checks, noise and logits."""
    model = Flow(kind, hidden=HIDDEN, epochs=EPOCHS, batch_size=BATCH, random_state=0)
    started = time.perf_counter()
    model.fit(x)
    return time.perf_counter() - started


def main() -> None:
    torch.set_num_threads(1)
    x = load("digits").x
    y = torch.cat([inputs for inputs, _ in fixed(Levels(17), x, 0)])
    rows, ratios = {}, {}
    for kind in KINDS:
        plain_seconds, seconds = np.min(
            [(plain(kind, y), ours(kind, x)) for _ in range(TURNS)], axis=0
        )
        rows[f"{kind}, {EPOCHS} epochs of {len(x):,} digits: seconds"] = seconds
        rows[f"{kind}, plain version"] = plain_seconds
        ratios[f"flow_{kind}"] = plain_seconds / seconds
    images = np.random.default_rng(0).integers(0, 256, (60_000, 28, 28), dtype=np.uint8)
    Flow("maf", hidden=HIDDEN, epochs=1, batch_size=4096, random_state=0).fit(images)
    rows["peak memory after a fit on 60,000 images of 28 x 28 bytes, GB"] = peak_memory() / 1e9
    report(rows, ratios)


if __name__ == "__main__":
    main()
