"""Level and power of the test of one synthetic table: the table of docs/statistics.md.

Real rows and synthetic rows come from one distribution, of five numbers or five categories; in the
rows with copies, a share of the synthetic rows are training rows. Rejected at 5 %.

    python benchmarks/synthetic_table.py --runs 1000
"""

import argparse
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.neighbors import SyntheticResult, compare_synthetic
from byrote.stats.estimate import clopper_pearson

Generator = np.random.Generator
SIZES = ((500, 500), (9000, 1000), (1000, 9000))
SHARES = (0.0, 0.05, 0.3)
COLUMNS, LEVELS, SYNTHETIC, DRAWS = 5, 4, 1000, 999
POWER_RUNS = 0.2  # of the runs at the null


def numbers(generator: Generator, rows: int) -> NDArray[Any]:
    return generator.normal(size=(rows, COLUMNS))


def categories(generator: Generator, rows: int) -> Any:
    import pandas as pd  # noqa: PLC0415 (slow to load)

    codes = generator.integers(0, LEVELS, (rows, COLUMNS))
    return pd.DataFrame(codes.astype(str), columns=list("abcde"))


def result_of(draw: Any, sizes: tuple[int, int], share: float, seed: int) -> SyntheticResult:
    """Test a synthetic table of which a share copies training rows."""
    generator = np.random.default_rng(seed)
    train, holdout, synthetic = (draw(generator, rows) for rows in (*sizes, SYNTHETIC))
    copies = round(share * SYNTHETIC)
    chosen = generator.integers(0, sizes[0], copies)
    if draw is categories:
        synthetic.iloc[:copies] = train.iloc[chosen].to_numpy()
    else:
        synthetic[:copies] = train[chosen]
    return compare_synthetic(train, holdout, synthetic, seed=seed)


def rejected(draw: Any, sizes: tuple[int, int], share: float, runs: int) -> dict[str, int]:
    """Count the runs in which each test rejects, and intervals of the excess that miss it."""
    module: Any = import_module("byrote.scores.neighbors.compare_synthetic")
    module.DRAWS = DRAWS
    counts = dict.fromkeys(("nearest", "copies", "beyond", "found", "missed"), 0)
    for seed in range(runs):
        result = result_of(draw, sizes, share, seed)
        for name in ("nearest", "copies"):
            counts[name] += int(result.attributions[name].p_value <= 0.05)
        counts["beyond"] += int(result.p_value_beyond <= 0.05)
        counts["found"] += int(len(result.found) > 0)
        low, high = result.attributions["nearest"].excess.interval
        counts["missed"] += int(low > share or high < share)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    print("| rows | training / holdout | copied | nearest | copies | beyond | any found | missed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for draw in (numbers, categories):
        for sizes in SIZES:
            for share in SHARES:
                count = runs if share == 0 else round(POWER_RUNS * runs)
                counts = rejected(draw, sizes, share, count)
                low, high = clopper_pearson(counts["nearest"], count)
                nearest = f"{counts['nearest'] / count:.1%} [{low:.1%}, {high:.1%}]"
                others = [
                    f"{counts[k] / count:.1%}" for k in ("copies", "beyond", "found", "missed")
                ]
                size = f"{sizes[0]:,} / {sizes[1]:,}"
                print("|", " | ".join([draw.__name__, size, f"{share:.0%}", nearest, *others]), "|")


if __name__ == "__main__":
    main()
