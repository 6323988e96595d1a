"""Training and scoring of the paper's VAE for MNIST, beside the plain version on the same images.

The plain version has both cores for one fit at a time, as it would be run; byrote has one fit on
each core. So a ratio is one of finished work: plain seconds over byrote's seconds, per fit, while
two fits run side by side. Log p is timed with as many draws as the plain version's, and with fewer,
whose error should still be smaller: the spread of log p by other draws is printed for each.
"""

import os
import statistics
import time

import numpy as np
import torch
from loky import ProcessPoolExecutor
from sklearn.datasets import load_digits

from byrote.models import VAE
from byrote.models.arithmetic import PRECISIONS
from byrote.runs.worker import peak_memory
from plain_vae import PlainVAE, loader, log_prob, train_epoch
from run import report
from training_step import BATCH, operations, product_rate, scoring_operations

RECORDS, SCORED, DRAWS, EPOCHS, WORKERS = 6400, 640, 256, 20, 2
FEWER = 32
TRAINED, ALL = 54_000, 60_000  # records of a fit of the paper's study, and records scored
STUDY_EPOCHS, STUDY_SCORES = 100, 20


def images() -> np.ndarray:
    """The bundled digits, enlarged to 28 x 28 and repeated: (RECORDS, 28, 28) uint8."""
    small = load_digits().images / 16
    large = np.kron(small, np.ones((1, 3, 3)))
    padded = np.pad(large, ((0, 0), (2, 2), (2, 2)))
    return (np.resize(padded, (RECORDS, 28, 28)) * 255).astype(np.uint8)


def spread(first: np.ndarray, second: np.ndarray) -> float:
    """Standard error of log p, from two estimates by different draws."""
    return float(np.sqrt(np.mean(np.square(first - second)) / 2))


def plain(x: np.ndarray) -> tuple[list[float], float, float]:
    """Seconds of each epoch, and of scoring, with all cores; the error of log p."""
    torch.manual_seed(0)
    torch.set_flush_denormal(
        True
    )  # before there are threads: an epoch would last three times as long
    torch.set_num_threads(WORKERS)
    model = PlainVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    batches, epochs = loader(torch.from_numpy(x)), []
    for _ in range(EPOCHS):
        started = time.perf_counter()
        train_epoch(model, batches, optimizer)
        epochs.append(time.perf_counter() - started)
    started = time.perf_counter()
    log_prob(model, loader(torch.from_numpy(x[:SCORED]), shuffle=False), DRAWS)
    seconds = time.perf_counter() - started
    binary = list(loader(torch.from_numpy(x[:SCORED]), shuffle=False))  # the same in both estimates
    return epochs, seconds, spread(*(log_prob(model, binary, DRAWS).numpy() for _ in range(2)))


def ours(
    x: np.ndarray, seed: int
) -> tuple[list[float], list[tuple[float, float]], tuple[float, float]]:
    """With one core: seconds of each epoch, seconds and error of scoring; GB and product rate."""
    torch.set_num_threads(1)
    values = np.pad(x, ((0, 0), (2, 2), (2, 2)))
    warm = VAE(epochs=1, draws=DRAWS, compile=True, random_state=seed).fit(values[:200])
    for draws in (DRAWS, FEWER):  # compiled once in a process, whatever it fits after
        warm.set_params(draws=draws).score_samples(values[:SCORED])
    times = [time.perf_counter()]
    model = VAE(epochs=EPOCHS, draws=DRAWS, compile=True, random_state=seed)
    model.fit(values, on_epoch=lambda *_: times.append(time.perf_counter()))
    return (
        np.diff(times).tolist(),
        [_scored(model, values[:SCORED], n) for n in (DRAWS, FEWER)],
        (peak_memory() / 1e9, product_rate(PRECISIONS[_precision()])),
    )


def _scored(model: VAE, values: np.ndarray, draws: int) -> tuple[float, float]:
    """Seconds of scoring and the error of log p."""
    started = time.perf_counter()
    first = model.set_params(draws=draws).score_samples(values)
    seconds, seed = time.perf_counter() - started, model.random_state
    second = model.set_params(random_state=seed + WORKERS).score_samples(values)
    model.set_params(random_state=seed)
    return seconds, spread(first, second)


def side_by_side(x: np.ndarray) -> tuple[list[float], np.ndarray, float, float]:
    """The same of as many fits as there are workers: means over them, the largest memory."""
    threads = {"OMP_NUM_THREADS": "1"}
    with ProcessPoolExecutor(WORKERS, env=threads) as pool:
        found = list(pool.map(ours, [x] * WORKERS, range(WORKERS)))
    epochs, scores, others = zip(*found, strict=True)
    memory, rate = zip(*others, strict=True)
    means = np.mean(epochs, axis=0).tolist(), np.mean(scores, axis=0)
    return *means, max(memory), statistics.mean(rate)


def main() -> None:
    x = images()
    plain_epochs, plain_score, plain_error = plain(x)
    epochs, ((score, error), (fewer_score, fewer_error)), memory, rate = side_by_side(x)
    per_epoch, plain_per_epoch = statistics.median(epochs), statistics.median(plain_epochs)
    study, fewer = (_study(per_epoch, each) / WORKERS for each in (score, fewer_score))
    plain_study = _study(plain_per_epoch, plain_score)
    epochs_of, scores_of = TRAINED / RECORDS, ALL / SCORED
    rows = {
        f"epoch of {TRAINED:,} records, one fit a core: seconds": per_epoch * epochs_of,
        f"its epoch {EPOCHS}": epochs[-1] * epochs_of,
        "its plain version, one fit on all cores": plain_per_epoch * epochs_of,
        f"log p of {ALL:,} records, {DRAWS} draws, one fit a core: seconds": score * scores_of,
        f"the same, {FEWER} draws": fewer_score * scores_of,
        "log p, plain version, one fit on all cores": plain_score * scores_of,
        f"error of log p, nats, {DRAWS} draws": error,
        f"error of log p, nats, {FEWER} draws": fewer_error,
        f"error of log p, nats, {DRAWS} draws, plain version": plain_error,
        f"fits of the paper's study an hour, {WORKERS} workers": 3600 / study,
        f"the same with {FEWER} draws": 3600 / fewer,
        "fits of the paper's study an hour, plain version": 3600 / plain_study,
        "peak memory of a worker, GB": memory,
        "products in bfloat16 (1) or float32 (0), as auto was settled": (
            float(_precision() == "bfloat16")
        ),
        "products in training, GFLOP/s of a core": (
            operations() * RECORDS / BATCH / per_epoch / 1e9
        ),
        f"products in log p, {DRAWS} draws, GFLOP/s of a core": (
            scoring_operations(DRAWS) * SCORED / score / 1e9
        ),
        "what the core gives (1024³), GFLOP/s": rate,
    }
    ratios = {
        "training": sum(plain_epochs) / (sum(epochs) / WORKERS),
        "log_prob": plain_score / (score / WORKERS),
        f"log_prob, {FEWER} draws beside {DRAWS}": plain_score / (fewer_score / WORKERS),
        "study": plain_study / study,
        f"study, {FEWER} draws beside {DRAWS}": plain_study / fewer,
    }
    report(rows, ratios)


def _precision() -> str:
    model = VAE(epochs=EPOCHS, draws=DRAWS, compile=True)
    return model.settled((RECORDS, 32, 32)).precision


def _study(epoch: float, score: float) -> float:
    """Seconds of a fit of the paper's study, composed of the measured parts."""
    trained = STUDY_EPOCHS * epoch * TRAINED / RECORDS
    return trained + STUDY_SCORES * score * ALL / SCORED


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", str(WORKERS))
    main()
