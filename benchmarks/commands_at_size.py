"""Seconds and memory of the commands that read a run, at two sizes: both should grow in proportion.

`python benchmarks/commands_at_size.py 1000000` measures runs of up to a million records. Commands
compute in as many threads as there are cores, at most four and OMP_NUM_THREADS. So where nothing
else runs, seconds by the clock are fewer than those of the processor.
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


def measured(arguments: list[str]) -> dict[str, float]:
    """Seconds of processor time, which other programs disturb least, and by the clock; peak memory.

    In a process of its own, whose only child is the command: the peak of children is the largest
    of all so far.
    """
    code = (
        "import resource, subprocess, sys, time;"
        "started = time.perf_counter();"
        "subprocess.run([sys.executable, '-m', 'byrote', *sys.argv[1:]],"
        " stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
        "clock = time.perf_counter() - started;"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(used.ru_utime + used.ru_stime, clock, used.ru_maxrss / 1e6)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    names = ("seconds", "seconds by the clock", "GB")
    return dict(zip(names, map(float, done.stdout.split()), strict=True))


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
                for what, number in measured([paths.get(word, word) for word in words]).items():
                    rows[f"{name}, {n:,} x {FITS}: {what}"] = number
    report(rows, {})


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MOST)
