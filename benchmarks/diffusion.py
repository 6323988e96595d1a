"""Training and scoring of the diffusion model of 28 x 28 images, beside the plain version.

Each has one core, as a worker has, in a process of its own; they take turns, and the best of the
turns counts. Seconds are those of the processor: with others on the machine, a ratio of times by
the clock depends on when they ran.
"""

import time

import numpy as np
import torch
from loky import ProcessPoolExecutor

from byrote.models import Diffusion
from byrote.runs.worker import peak_memory
from plain_diffusion import PlainUNet, loader, log_prob, train_epoch
from run import report
from vae import images

RECORDS, SCORED, LEVELS, DRAWS, EPOCHS, TURNS = 640, 16, 64, 2, 3, 2
TRAINED = 2000  # records of a fit of three folds of 3,000 images


def plain(x: np.ndarray) -> tuple[float, float]:
    """Seconds of an epoch, the fastest, and of scoring."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = PlainUNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    batches, times = loader(torch.from_numpy(x)), [time.process_time()]
    for _ in range(EPOCHS):
        train_epoch(model, batches, optimizer)
        times.append(time.process_time())
    log_prob(model, loader(torch.from_numpy(x[:SCORED]), shuffle=False), LEVELS, DRAWS)
    return np.diff(times).min(), time.process_time() - times[-1]


def ours(x: np.ndarray, precision: str) -> tuple[float, float, float]:
    """Seconds of an epoch, the fastest, of scoring, and GB of the process."""
    torch.set_num_threads(1)
    times = [time.process_time()]
    model = Diffusion(epochs=EPOCHS, levels=LEVELS, draws=DRAWS, precision=precision)
    model.set_params(random_state=0)
    model.fit(x, on_epoch=lambda *_: times.append(time.process_time()))
    started = time.process_time()
    model.score_samples(x[:SCORED])
    return np.diff(times).min(), time.process_time() - started, peak_memory() / 1e9


def main() -> None:
    x = images()[:RECORDS]
    torch.set_num_threads(1)
    precision = Diffusion().settled(x.shape).precision
    plain_turns, turns = [], []
    for _ in range(TURNS):
        for function, extra, found in ((plain, (), plain_turns), (ours, (precision,), turns)):
            with ProcessPoolExecutor(1, env={"OMP_NUM_THREADS": "1"}) as pool:
                found.append(pool.submit(function, x, *extra).result())
    plain_epoch, plain_score = np.min(plain_turns, axis=0)
    epoch, score, _ = np.min(turns, axis=0)
    more, all_scores = TRAINED / RECORDS, 3000 / SCORED
    rows = {
        f"epoch of {TRAINED:,} images, one core: processor seconds": epoch * more,
        "its plain version": plain_epoch * more,
        f"log p of 3,000 images, {LEVELS} x {DRAWS} noises, one core": score * all_scores,
        "log p, plain version": plain_score * all_scores,
        "peak memory of a worker, GB": max(memory for *_, memory in turns),
        "products in bfloat16 (1) or float32 (0), as auto was settled": float(
            precision == "bfloat16"
        ),
    }
    ratios = {"diffusion training": plain_epoch / epoch, "diffusion log_prob": plain_score / score}
    report(rows, ratios)


if __name__ == "__main__":
    main()
