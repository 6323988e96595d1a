"""Whether ``make demo`` finds the same digits with other seeds (docs/demo.md).

    python benchmarks/demo_seeds.py --seeds 10 --workers 2 --out runs/seeds

Each seed draws other folds, other initial weights and other batches.
"""

import argparse
from pathlib import Path

import numpy as np

import byrote
from byrote.models import VAE

TOP = 20


def audit(seed: int, folder: Path, workers: int) -> byrote.MemorizationResult:
    """Score the digits as the demo does, with another seed; a finished run is only read."""
    model = VAE(likelihood="shared-gaussian", draws=128)
    plan = byrote.KFold(3, repeats=3)
    data = byrote.load("digits")
    return byrote.score_memorization(
        model, data, plan=plan, seed=seed, out=folder / f"seed-{seed}", workers=workers
    )


def table(results: list[byrote.MemorizationResult]) -> list[str]:
    """Tabulate what each seed found, and how many of the digits highest in the first."""
    first = set(results[0].order()[:TOP])
    lines = [
        f"| seed | digits found | median effect | highest M: digit | of the first seed's {TOP}"
        " highest, found | also among this seed's highest 20 | 100 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for seed, result in enumerate(results):
        found = result.q_value <= 0.05
        order = result.order()
        cells = [
            seed,
            f"{found.sum():,}",
            f"{np.median(result.mean_log[found]):.1f}",
            f"{result.score[order[0]]:.1f}: {result.ids[order[0]]}",
            sum(found[row] for row in first),
            len(first & set(order[:TOP])),
            len(first & set(order[:100])),
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


def stability(results: list[byrote.MemorizationResult]) -> str:
    """State which digits every seed finds, and how far the seeds agree on the order."""
    found = np.array([result.q_value <= 0.05 for result in results])
    order = np.corrcoef([np.argsort(np.argsort(result.score)) for result in results])
    pairs = order[np.triu_indices(len(results), 1)]
    return (
        f"Found by every seed: {found.all(axis=0).sum():,} digits; by none:"
        f" {(~found.any(axis=0)).sum():,}. Rank correlation of M between two seeds:"
        f" {pairs.mean():.2f} on average, {pairs.min():.2f} to {pairs.max():.2f}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/seeds"))
    asked = parser.parse_args()
    results = [audit(seed, asked.out, asked.workers) for seed in range(asked.seeds)]
    print("\n".join([*table(results), "", stability(results)]))


if __name__ == "__main__":
    main()
