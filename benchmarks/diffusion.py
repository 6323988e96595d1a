"""Training and scoring of the diffusion model of 28 x 28 images, beside the plain version.

As in vae.py: the plain version has both cores for one fit, byrote has one fit on each core, and a
ratio is one of finished work.
"""

import os
import statistics
import time

import numpy as np
import torch
from loky import ProcessPoolExecutor

from byrote.models import Diffusion
from byrote.runs.worker import peak_memory
from plain_diffusion import PlainUNet, loader, log_prob, train_epoch
from run import report
from vae import images

RECORDS, SCORED, LEVELS, DRAWS, EPOCHS, WORKERS = 640, 32, 64, 2, 3, 2
TRAINED = 2000  # records of a fit of three folds of 3,000 images


def plain(x: np.ndarray) -> tuple[float, float]:
    """Seconds of an epoch, and of scoring, with all cores."""
    torch.manual_seed(0)
    torch.set_num_threads(WORKERS)
    model = PlainUNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    batches, times = loader(torch.from_numpy(x)), [time.perf_counter()]
    for _ in range(EPOCHS):
        train_epoch(model, batches, optimizer)
        times.append(time.perf_counter())
    log_prob(model, loader(torch.from_numpy(x[:SCORED]), shuffle=False), LEVELS, DRAWS)
    return statistics.median(np.diff(times)), time.perf_counter() - times[-1]


def ours(x: np.ndarray, seed: int, precision: str) -> tuple[float, float, float]:
    """Seconds of an epoch, of scoring, and GB of the process, with one core."""
    torch.set_num_threads(1)
    times = [time.perf_counter()]
    model = Diffusion(epochs=EPOCHS, levels=LEVELS, draws=DRAWS, precision=precision)
    model.set_params(random_state=seed)
    model.fit(x, on_epoch=lambda *_: times.append(time.perf_counter()))
    started = time.perf_counter()
    model.score_samples(x[:SCORED])
    seconds = time.perf_counter() - started
    return statistics.median(np.diff(times)), seconds, peak_memory() / 1e9


def side_by_side(x: np.ndarray, precision: str) -> tuple[float, float, float]:
    """The same of as many fits as there are workers: means over them, the largest memory."""
    with ProcessPoolExecutor(WORKERS, env={"OMP_NUM_THREADS": "1"}) as pool:
        found = list(pool.map(ours, [x] * WORKERS, range(WORKERS), [precision] * WORKERS))
    epoch, score, memory = zip(*found, strict=True)
    return statistics.mean(epoch), statistics.mean(score), max(memory)


def main() -> None:
    x = images()[:RECORDS]
    precision = Diffusion().settled(x.shape).precision
    plain_epoch, plain_score = plain(x)
    epoch, score, memory = side_by_side(x, precision)
    more, all_scores = TRAINED / RECORDS, 3000 / SCORED
    rows = {
        f"epoch of {TRAINED:,} images, one fit a core: seconds": epoch * more,
        "its plain version, one fit on all cores": plain_epoch * more,
        f"log p of 3,000 images, {LEVELS} x {DRAWS} noises, one fit a core": score * all_scores,
        "log p, plain version, one fit on all cores": plain_score * all_scores,
        "peak memory of a worker, GB": memory,
        "products in bfloat16 (1) or float32 (0), as auto was settled": float(
            precision == "bfloat16"
        ),
    }
    ratios = {
        "diffusion training": plain_epoch / (epoch / WORKERS),
        "diffusion log_prob": plain_score / (score / WORKERS),
    }
    report(rows, ratios)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", str(WORKERS))
    main()
