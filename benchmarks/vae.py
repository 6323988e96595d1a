"""Training and scoring of the VAE, one thread, beside the plain version on the same images."""

import time

import numpy as np
import torch
from sklearn.datasets import load_digits

from byrote.models import VAE
from plain_vae import PlainVAE, loader, log_prob, train_epoch
from run import peak_gb, report

RECORDS, SCORED, DRAWS, EPOCHS = 6400, 320, 256, 2


def images() -> np.ndarray:
    """The bundled digits, enlarged to 28 x 28 and repeated: (RECORDS, 28, 28) uint8."""
    small = load_digits().images / 16
    large = np.kron(small, np.ones((1, 3, 3)))
    padded = np.pad(large, ((0, 0), (2, 2), (2, 2)))
    return (np.resize(padded, (RECORDS, 28, 28)) * 255).astype(np.uint8)


def plain(x: np.ndarray) -> tuple[float, float]:
    torch.manual_seed(0)
    model = PlainVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    batches = loader(torch.from_numpy(x))
    train_epoch(model, batches, optimizer)  # the first epoch also loads and compiles things
    started = time.perf_counter()
    for _ in range(EPOCHS):
        train_epoch(model, batches, optimizer)
    trained = time.perf_counter()
    log_prob(model, loader(torch.from_numpy(x[:SCORED]), shuffle=False), DRAWS)
    return (trained - started) / EPOCHS, time.perf_counter() - trained


def ours(x: np.ndarray) -> tuple[float, float]:
    values = np.pad(x.astype(np.float32) / 255, ((0, 0), (2, 2), (2, 2)))
    times: list[float] = []
    model = VAE(epochs=1 + EPOCHS, draws=DRAWS, random_state=0)
    model.fit(values, on_epoch=lambda *_: times.append(time.perf_counter()))
    started = time.perf_counter()
    model.score_samples(values[:SCORED])
    return (times[-1] - times[0]) / EPOCHS, time.perf_counter() - started


def main() -> None:
    torch.set_num_threads(1)
    x = images()
    (plain_epoch, plain_score), (epoch, score) = plain(x), ours(x)
    rows = {
        f"epoch of {RECORDS:,} records: seconds": epoch,
        f"epoch of {RECORDS:,} records, plain version: seconds": plain_epoch,
        f"log p of {SCORED} records, {DRAWS} draws: seconds": score,
        f"log p of {SCORED} records, {DRAWS} draws, plain version: seconds": plain_score,
        "peak memory, GB": peak_gb(),
    }
    report(rows, {"training": plain_epoch / epoch, "log_prob": plain_score / score})


if __name__ == "__main__":
    main()
