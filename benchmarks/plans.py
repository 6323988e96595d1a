"""Standard error against compute: K-fold, probes and pairs, with fixed and with redrawn noise.

    python benchmarks/plans.py --data mnist_train.npz --labels y --image pad=2 --records 4000 \
        --epochs 12 --probes 500 --workers 2 --out runs/plans

Every plan scores the same chosen records with the same model. Runs are kept in the folder, so that
the same command goes on where it stopped, and prints the table again from finished runs.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import byrote
from byrote import KFold, Probes
from byrote.models import VAE
from byrote.models.arithmetic import can_compile
from byrote.runs.paths import RunPaths
from byrote.runs.run_folder import RunFolder
from byrote.stats.estimate import spearman

HEADER = (
    "| plan | noise | fits | core-seconds | standard error | median M | matched | mean_log"
    " | rank correlation |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def plans(probes: list[int]) -> dict[str, byrote.KFold | byrote.Probes]:
    """The designs to compare, the paper's first."""
    return {
        "K = 10, L = 10": KFold(10, repeats=10),
        "K = 3, L = 10": KFold(3, repeats=10),
        "probes, 36 fits": Probes(probes, fits=36),
        "pairs, 20 fits": Probes(probes, fits=20, pairs=True),
    }


class Scores:
    """The chosen records' part of a result."""

    def __init__(self, result: byrote.MemorizationResult, chosen: list[int]) -> None:
        rows = np.isin(result.ids, chosen)
        self.score, self.matched = result.score[rows], result.matched[rows]
        self.mean_log = result.mean_log[rows]
        self.error = result.standard_error["mean_log"][rows]

    def medians(self) -> list[str]:
        """Standard error of mean_log, then the three estimators."""
        columns = (self.error, self.score, self.matched, self.mean_log)
        return [f"{np.median(column):.2f}" for column in columns]


def runs(asked: argparse.Namespace) -> Iterator[tuple[str, str, Scores, Path]]:
    """Each plan's scores with fixed and with redrawn noise, and where its run is."""
    options = {"labels": asked.labels, "image": asked.image}
    options = {name: value for name, value in options.items() if value is not None}
    whole = byrote.load(asked.data, **options)
    generator = np.random.default_rng(0)
    chosen = np.sort(generator.choice(len(whole), asked.records, replace=False))
    x, ids = whole.x[chosen], whole.ids[chosen]
    probes = np.sort(generator.choice(ids, asked.probes, replace=False)).tolist()
    for redraw in (False, True):
        noise = "redrawn" if redraw else "fixed"
        model = VAE(
            epochs=asked.epochs, draws=asked.draws, redraw=redraw, compile=can_compile("cpu")
        )
        for name, plan in plans(probes).items():
            folder = asked.out / f"{name.replace(' ', '').replace(',', '-')}-{noise}"
            result = byrote.score_memorization(
                model, x, ids=ids, plan=plan, out=folder, workers=asked.workers
            )
            yield name, noise, Scores(result, probes), folder


def core_seconds(folder: Path) -> float:
    """What the fits of a run took, added up."""
    run = RunFolder.open(RunPaths(folder))
    return sum(run.facts(fit)["seconds"] for fit in range(run.design.fits))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--labels")
    parser.add_argument("--image")
    parser.add_argument("--records", type=int, default=4000)
    parser.add_argument("--probes", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--draws", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    print(HEADER, flush=True)
    reference = None
    for name, noise, found, folder in runs(asked):
        reference = found if reference is None else reference
        rank = spearman(reference.mean_log, found.mean_log)
        agreement = (
            "–" if found is reference else f"{rank.value:.2f} [{rank.low:.2f}, {rank.high:.2f}]"
        )
        fits = RunFolder.open(RunPaths(folder)).design.fits
        seconds = f"{core_seconds(folder):,.0f}"
        cells = [name, noise, str(fits), seconds, *found.medians(), agreement]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
