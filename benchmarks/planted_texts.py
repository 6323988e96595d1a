"""Twenty planted texts among 2,000 lines: which of them a character model learns, and recites.

The lines are of Python's help; each planted text has random digits, and is there once, 4 or 16
times. The copies of a text are held out together, so that none stands in for another. Two hundred
replies share all words but a customer's number. Printed is how many of each are found at a 5 %
false discovery rate; memorized by recitation (the last 16 characters of the first 50 come out with
the text in training and not without); found and memorized; predictable (they come out both ways);
and the discoveries after memberships are permuted.

    python benchmarks/planted_texts.py --fits 16 --permutations 20
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import byrote
from byrote.models import CharLSTM
from byrote.scores.memorization.moderated import SIGNIFICANCE, moderated_test
from byrote.stats.multiple_testing import q_values
from permuted import discoveries, lines_of_help

LINES = 2000
COPIES = {1: 8, 4: 6, 16: 6}  # number of planted texts by number of copies
REPLIES = 200  # texts that are alike
WINDOWS = {"prefix": 34, "suffix": 16, "stride": 1000}  # characters; one window of each text


def corpus(seed: int) -> tuple[list[str], NDArray[np.intp]]:
    """Texts with all copies, and the number of each one's text, the planted ones first."""
    generator = np.random.default_rng(seed)
    times = np.repeat(list(COPIES), list(COPIES.values()))
    planted = [
        f"the card number of customer {number:02} is {generator.integers(10**15, 10**16)}"
        for number in range(len(times))
    ]
    replies = [
        f"to customer {number:02}: we thank you for your order and reply within ten days"
        for number in range(REPLIES)
    ]
    texts = [*planted, *replies, *lines_of_help(LINES - len(planted) - len(replies))]
    which = np.repeat(np.arange(LINES), [*times, *np.ones(LINES - len(planted), dtype=int)])
    return [texts[number] for number in which], which


def membership(which: NDArray[np.intp], fits: int, seed: int) -> NDArray[np.bool_]:
    """(fits, n) a random half of the fits for each text, the same for all copies of it."""
    half = np.repeat(np.arange(fits)[:, None] < fits // 2, LINES, axis=1)
    return np.random.default_rng(seed).permuted(half, axis=0)[:, which]


def report(run: byrote.Run, texts: list[str], which: NDArray[np.intp], permutations: int) -> None:
    first = np.unique(which, return_index=True)[1]  # of the copies of each text
    whole, scores = run.table(), run.memorization()
    table = replace(whole, rows=whole.rows[first], log_prob=whole.log_prob[:, first])
    q_value = q_values(moderated_test(table, run.manifest.seed).p_value)
    found, gain = q_value <= SIGNIFICANCE, scores.counterfactual[first]
    windows = byrote.recite_run(run, texts, **WINDOWS)
    row = {identifier: place for place, identifier in enumerate(windows.ids.tolist())}
    rows = [row[str(identifier)] for identifier in scores.ids[first].tolist()]
    groups = {f"{copies} copies": count for copies, count in COPIES.items()}
    groups |= {"replies": REPLIES, "lines": len(rows) - sum(COPIES.values()) - REPLIES}
    ends = np.cumsum([*groups.values()])
    parts = dict(zip(groups, map(slice, [0, *ends], ends), strict=False))
    for name, part in parts.items():
        print(
            f"{name}: {found[part].sum()} of {len(found[part]):,} found, medians"
            f" {np.median(scores.mean_log[first][part]):.1f} nats,"
            f" counterfactual memorization {np.median(gain[part]):.3f}"
        )
    for criterion in ("greedy", windows.criteria[-1]):
        with_text = windows.recited_in[rows, windows.criteria.index(criterion)]
        without = windows.recited_out[rows, windows.criteria.index(criterion)]
        memorized, predictable = with_text * (1 - without) > 0.5, with_text * without > 0.5
        for name, part in parts.items():
            print(
                f"{criterion}, {name}: {memorized[part].sum()} memorized,"
                f" {(found & memorized)[part].sum()} also found, {predictable[part].sum()}"
                " predictable"
            )
    of = discoveries(table, permutations)[1]
    print(f"{of} of {permutations} permutations with a discovery at q ≤ {SIGNIFICANCE}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--fits", type=int, default=16)
    options.add_argument("--permutations", type=int, default=20)
    asked = options.parse_args()
    texts, which = corpus(seed=0)
    plan = byrote.Membership(membership(which, asked.fits, seed=1), randomized=True)
    model = CharLSTM(hidden=64, layers=1, epochs=20, batch_size=16)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        run = Path(folder) / "run"
        byrote.score_memorization(model, texts, plan=plan, out=run, keep_models="all")
        print(f"{len(texts):,} texts, {asked.fits} fits: {time.perf_counter() - started:.0f} s")
        report(byrote.open_run(run), texts, which, asked.permutations)


if __name__ == "__main__":
    main()
