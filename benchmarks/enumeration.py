"""Exposure by counting: every six-digit secret in a character LSTM, and best-first search."""

import time

import numpy as np
import torch

from byrote import Canary
from byrote.attacks.enumeration import enumerate_bits
from byrote.attacks.search import Search
from byrote.models import CharLSTM
from byrote.models.language.token_format import TokenFormat
from run import peak_gb, report
from training_step import product_rate

DIGITS = 6
PLAIN = 40_000  # candidates of the plain version, whose time is proportional to them
BATCH = 4096
QUERIES = 50_000


def untrained() -> CharLSTM:
    """Two layers of 200 units; what they say does not matter here."""
    text = "the random number is 281265017\n" * 50
    return CharLSTM(hidden=200, layers=2, epochs=1, batch_size=4).fit([text])


def enumerated(model: CharLSTM, canary: Canary) -> tuple[float, np.ndarray]:
    started = time.process_time()
    bits = np.empty(canary.space_size)
    for index, part in enumerate_bits(model, canary, batch_size=BATCH):
        bits[index] = part
    return time.process_time() - started, bits


@torch.inference_mode()
def plain(model: CharLSTM, canary: Canary, size: int) -> tuple[float, np.ndarray]:
    """Whole candidates in batches through the network, from the state that the prefix left."""
    network = model.network_.eval()
    prefix = torch.tensor([model.vocabulary_.newline, *model.encode(canary.prefix)])[:, None]
    texts = [f"{i:0{DIGITS}d}" for i in range(PLAIN)]
    ids = torch.tensor([model.encode(text) for text in texts])
    started = time.process_time()
    _, before = network(prefix[:-1], network.start(1))
    parts = []
    for batch in ids.split(size):
        state = [tuple(part.repeat(1, len(batch), 1) for part in layer) for layer in before]
        read = torch.cat([prefix[-1].expand(len(batch), 1), batch[:, :-1]], 1).T
        said, _ = network(read, state)
        chosen = network.output(said).log_softmax(-1).gather(-1, batch.T[..., None])
        parts.append(-chosen.double().sum(0)[:, 0] / np.log(2))
    return time.process_time() - started, torch.cat(parts).numpy()


def operations(model: CharLSTM) -> int:
    """Multiplications and additions in the products that no enumeration can do without.

    Of prefixes of one to five digits: the second layer's input and the output; and of each prefix
    that they continue, both layers' recurrent ones, once for all of its digits.
    """
    hidden, layers, tokens = model.hidden, model.layers, len(model.vocabulary_)
    prefixes = sum(10**n for n in range(1, DIGITS))
    gates = hidden * 4 * hidden
    each = (layers - 1) * gates + hidden * tokens
    return 2 * (prefixes * each + (1 + prefixes // 10) * layers * gates)


def searched(model: CharLSTM, digits: int, batch: int, queries: int) -> float:
    """Nodes a processor second of a search that finds no end: nothing is memorized."""
    canary = Canary(f"the random number is {{digits:{digits}}}")
    form = TokenFormat(model, canary.prefix, canary.format)
    limits = {"batch_size": batch, "max_queries": queries, "max_frontier": 10**6}
    started = time.process_time()
    search = Search(model.stepper(), form, top=1, **limits)
    search.find_top()
    return search.queries / (time.process_time() - started)


def main() -> None:
    torch.set_num_threads(1)
    model, canary = untrained(), Canary(f"the random number is {{digits:{DIGITS}}}")
    seconds, bits = enumerated(model, canary)
    own_peak = peak_gb()
    wholes = {}
    for size in (256, BATCH):
        plain_seconds, some = plain(model, canary, size)
        assert np.abs(bits[:PLAIN] - some).max() < 1e-3
        wholes[size] = plain_seconds * canary.space_size / PLAIN
    rows = {
        f"{canary.space_size:,} candidates enumerated: processor seconds": seconds,
        "peak memory, GB": own_peak,
        "its products, GFLOP/s": operations(model) / seconds / 1e9,
        "what the core gives (1024³, float32), GFLOP/s": product_rate(torch.float32),
        **{
            f"whole candidates in batches of {size:,}: processor seconds (from {PLAIN:,})": whole
            for size, whole in wholes.items()
        },
        "best-first search, 256 at once: nodes a processor second": searched(
            model, 9, 256, QUERIES
        ),
        "best-first search, one at a time: nodes a processor second": searched(model, 9, 1, 2_000),
    }
    report(rows, {"enumeration": min(wholes.values()) / seconds})


if __name__ == "__main__":
    main()
