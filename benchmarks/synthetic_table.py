"""Level and power of the tests of one synthetic table: the table of docs/neighbors.md.

Real rows and synthetic rows come from one distribution: five numbers; five categories, 1,024 rows
in all, so that most rows equal others; or ten categories, so that few do. In the rows with copies,
a share of the synthetic rows are training rows. Rejected at 5 %. Beside them for five categories
the most powerful test of the labels, by Neyman and Pearson's lemma, which knows the distribution
and the share copied.

    python benchmarks/synthetic_table.py --runs 1000
"""

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.neighbors import SyntheticResult, compare_synthetic
from byrote.stats.estimate import clopper_pearson

Generator = np.random.Generator
Draw = Callable[[Generator, int], Any]
SIZES = ((500, 500), (9000, 1000), (1000, 9000))
SHARES = (0.0, 0.05, 0.3)
COLUMNS, LEVELS, SYNTHETIC, DRAWS = 5, 4, 1000, 199
POWER_RUNS = 0.1  # of the runs at the null
KINDS = ("nearest", "copies", "exact_copies")


def numbers(generator: Generator, rows: int) -> NDArray[Any]:
    return generator.normal(size=(rows, COLUMNS))


def categories(generator: Generator, rows: int, columns: int = COLUMNS) -> Any:
    import pandas as pd  # noqa: PLC0415 (slow to load)

    codes = generator.integers(0, LEVELS, (rows, columns))
    return pd.DataFrame(codes.astype(str), columns=[*"abcdefghij"[:columns]])


DATA: Mapping[str, Draw] = {
    "numbers": numbers,
    "five categories": categories,
    "ten categories": partial(categories, columns=2 * COLUMNS),
}


def result_of(draw: Draw, sizes: tuple[int, int], share: float, seed: int) -> SyntheticResult:
    """Test a synthetic table of which a share copies training rows."""
    generator = np.random.default_rng(seed)
    train, holdout, synthetic = (draw(generator, rows) for rows in (*sizes, SYNTHETIC))
    copies = round(share * SYNTHETIC)
    chosen = generator.integers(0, sizes[0], copies)
    if draw is numbers:
        synthetic[:copies] = train[chosen]
    else:
        synthetic.iloc[:copies] = train.iloc[chosen].to_numpy()
    return compare_synthetic(train, holdout, synthetic, seed=seed)


def rejected(draw: Draw, sizes: tuple[int, int], share: float, runs: int) -> dict[str, int]:
    """Count the runs in which each test rejects, and intervals of the excess that miss it."""
    module: Any = import_module("byrote.scores.neighbors.compare_synthetic")
    module.DRAWS = DRAWS
    counts = dict.fromkeys((*KINDS, "together", "beyond", "found", "missed"), 0)
    for seed in range(runs):
        result = result_of(draw, sizes, share, seed)
        for name in KINDS:
            counts[name] += int(result.attributions[name].p_value <= 0.05)
        counts["together"] += int(result.p_value_combined <= 0.05)
        counts["beyond"] += int(result.p_value_beyond <= 0.05)
        counts["found"] += int(len(result.found) > 0)
        low, high = result.attributions["nearest"].excess.interval
        counts["missed"] += int(low > share or high < share)
    return counts


def most_powerful(sizes: tuple[int, int], share: float, runs: int) -> float:
    """Return the power of the most powerful test of the labels of five categories at 5 %."""
    generator, cells = np.random.default_rng(0), LEVELS**COLUMNS
    copies, count = round(share * SYNTHETIC), 0
    for _ in range(runs):
        train, holdout = (generator.integers(0, cells, rows) for rows in sizes)
        synthetic = generator.integers(0, cells, SYNTHETIC)
        synthetic[:copies] = train[generator.integers(0, sizes[0], copies)]
        real = np.bincount(np.concatenate([train, holdout]), minlength=cells)
        labels = np.vstack(
            [
                np.bincount(train, minlength=cells),
                generator.multivariate_hypergeometric(real, sizes[0], DRAWS, method="marginals"),
            ]
        )
        density = (1 - share) / cells + share * labels / sizes[0]
        likelihood = np.log(density) @ np.bincount(synthetic, minlength=cells)
        count += int(np.mean(likelihood >= likelihood[0] - 1e-9) <= 0.05)
    return count / runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    columns = ("copies", "exact", "together", "beyond", "any found", "missed")
    print("|", " | ".join(["rows", "training / holdout", "copied", "nearest", *columns]), "|")
    print("|" + " --- |" * (4 + len(columns)))
    for data, draw in DATA.items():
        for sizes in SIZES:
            for share in SHARES:
                count = runs if share == 0 else round(POWER_RUNS * runs)
                nearest, *others = rejected(draw, sizes, share, count).values()
                low, high = clopper_pearson(nearest, count)
                cells = [data, f"{sizes[0]:,} / {sizes[1]:,}", f"{share:.0%}"]
                cells += [f"{nearest / count:.1%} [{low:.1%}, {high:.1%}]"]
                cells += [f"{other / count:.1%}" for other in others]
                print("|", " | ".join(cells), "|", flush=True)
    for sizes in SIZES:
        powers = [f"{most_powerful(sizes, share, min(runs, 200)):.0%}" for share in SHARES[1:]]
        print("most powerful test, five categories:", sizes, *powers)


if __name__ == "__main__":
    main()
