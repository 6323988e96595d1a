"""What the planner predicts beside what runs show, for three data sets.

Plans that `byrote plan` offers, and some whose forecast is that of `byrote score --dry-run`:
standard error of mean_log in a median record, smallest effect found in a single record with 80 %
power, and seconds of `byrote score` from its start to its end: predicted, measured, and their
ratio. Seconds are those of a processor with nothing else to do: on a busy machine both commands
take longer, by as much as their time on the clock exceeds their processor time.

    python benchmarks/promises.py
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import byrote
from byrote.stats.planning import typical_deviation

CASES = {
    "VAE, 1,797 digits": "digits --model vae --set latent_dim=8 --set epochs=40 --set draws=32"
    " --set likelihood=shared-gaussian",
    "mixture, 2,000 points": "points.npy --model gmm --set n_components=5",
    "kernel density, 2,000 points": "points.npy --model kde --set bandwidth=0.3",
}
PLANS = (
    "--folds 3 --repeats 6",
    "--folds 10 --repeats 2",
    "--plan probes --probes 300 --fits 12",
    "--plan probes --probes 300 --fits 12 --pairs",
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cases", nargs="*", default=list(CASES))
    asked = options.parse_args()
    points = np.random.default_rng(0).normal(size=(2000, 2))
    print("| case | plan | standard error | effect | seconds |\n" + "| --- " * 5 + "|")
    for name in asked.cases:
        with TemporaryDirectory() as folder:
            np.save(Path(folder) / "points.npy", points)
            for plan, forecast in forecasts(CASES[name], Path(folder)):
                shown = measured(f"{CASES[name]} {plan}", Path(folder))
                cells = (
                    f"{forecast[key] or np.nan:.3g}, {value:.3g}:"
                    f" {(forecast[key] or np.nan) / value:.2f}"
                    for key, value in shown.items()
                )
                unsure = " (unsure)" if forecast["unsure"] else ""
                print(f"| {name} | {plan}{unsure} | {' | '.join(cells)} |", flush=True)


def forecasts(case: str, folder: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield plans, as options, with their forecasts."""
    offered, busy = call(f"plan {case} --json", folder)
    for proposal in json.loads(offered)["proposals"]:
        yield options_of(proposal["plan"]), proposal | {"seconds": proposal["seconds"] / busy}
    for plan in PLANS:
        printed, busy = call(f"score {case} {plan} --dry-run --json", folder)
        forecast = json.loads(printed)
        yield plan, forecast | {"seconds": forecast["seconds"] / busy}


def options_of(spec: Mapping[str, Any]) -> str:
    """Return the options of a plan that was offered."""
    if spec["kind"] == "kfold":
        return f"--folds {spec['folds']} --repeats {spec['repeats']}"
    flags = "".join(f" --{flag}" for flag in ("pairs", "coins") if spec.get(flag))
    return f"--plan probes --probes {spec['records']} --fits {spec['fits']}{flags}"


def measured(arguments: str, folder: Path) -> dict[str, float]:
    """Run a plan, and measure what was predicted."""
    with TemporaryDirectory() as out:
        started = time.perf_counter()
        _, busy = call(f"score {arguments} --out {out}/run", folder)
        seconds = (time.perf_counter() - started) / busy
        run = byrote.open_run(f"{out}/run")
        errors, degrees = run.evaluation.standard_error["mean_log"], run.evaluation.degrees
        known = ~np.isnan(errors)
        return {
            "standard_error": typical_deviation(errors[known] ** 2, degrees[known]),
            "detectable": run.memorization().summary().sensitivity.detectable,
            "seconds": seconds,
        }


def call(arguments: str, folder: Path) -> tuple[str, float]:
    """Run `byrote` in a folder; return what it prints, and its time in processor times."""
    words = [sys.executable, "-m", "byrote", *arguments.split()]
    started, before = time.perf_counter(), processor_time()
    done = subprocess.run(words, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    busy = (time.perf_counter() - started) / (processor_time() - before)
    return done.stdout, max(1.0, busy)


def processor_time() -> float:
    """Seconds of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
