"""Seconds and memory of the commands that read a run, at two sizes: both should grow in proportion.

`python benchmarks/commands_at_size.py 1000000` measures runs of up to a million records.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from byrote.data import load
from byrote.plans import Subset
from run import report
from scores_at_size import make_run

MOST, FITS = 200_000, 36
COMMANDS = {
    "check": ["check", "RUN", "--max-score", "20", "--max-q999", "5"],
    "epsilon": ["epsilon", "RUN"],
    "show --csv": ["show", "RUN", "--csv"],
    "compare": ["compare", "RUN", "OTHER"],
    "report": ["report", "RUN", "--out", "PAGE"],
    "figures": ["figures", "RUN"],
}


def measured(arguments: list[str]) -> tuple[float, float]:
    """Seconds of processor time, which other programs disturb least, and peak memory in GB.

    In a process of its own, whose only child is the command: the peak of children is the largest
    of all so far.
    """
    code = (
        "import resource, subprocess, sys;"
        "subprocess.run([sys.executable, '-m', 'byrote', *sys.argv[1:]],"
        " stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    seconds, peak = map(float, done.stdout.split())
    return seconds, peak


def runs_of(folder: Path, n: int) -> dict[str, str]:
    """Two finished runs of the same n records, and where a page goes."""
    source = folder / f"{n}.npy"
    np.save(source, np.random.default_rng(1).normal(size=(n, 2)).astype(np.float32))
    paths = {"RUN": folder / f"{n}-run", "OTHER": folder / f"{n}-other"}
    for number, path in enumerate(paths.values()):
        make_run(path, load(source), Subset(0.5, FITS), number)
    return {**{name: str(path) for name, path in paths.items()}, "PAGE": str(folder / f"{n}.html")}


def main(most: int) -> None:
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for n in (most // 4, most):
            paths = runs_of(Path(folder), n)
            for name, words in COMMANDS.items():
                seconds, peak = measured([paths.get(word, word) for word in words])
                rows[f"{name}, {n:,} x {FITS}: seconds"] = seconds
                rows[f"{name}, {n:,} x {FITS}: GB"] = peak
    report(rows, {})


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MOST)
