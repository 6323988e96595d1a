"""Runs whose fits are made elsewhere: what to do next, a job array, what was collected."""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from byrote.data.log_likelihoods import Units
from byrote.report.format import plural
from byrote.runs.collect import Collected
from byrote.scores.elsewhere import accidents_of
from byrote.scores.memorization.between_fits import Accident
from byrote.scores.run import Run

_SLURM = """#!/bin/bash
#SBATCH --job-name=byrote
#SBATCH --array={array}
#SBATCH --time=01:00:00
set -eu
run={run}
fit=$SLURM_ARRAY_TASK_ID
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
byrote rows "$run" --fit "$fit" --print {what} > "$work/{what}.txt"
seed=$(byrote rows "$run" --fit "$fit" --print seed)

# Your program: it trains on these records of the data, and writes id,log_prob of all.
python train.py --{what} "$work/{what}.txt" --seed "$seed" --out "$work/fit-$fit.csv"

byrote collect "$run" "$work/fit-$fit.csv" || [ $? -eq 4 ]  # 4: other fits are still missing
"""


def next_steps(run: Run) -> Iterator[str]:
    """Yield what to do with a folder that waits for fits."""
    path, missing = shlex.quote(str(run.path)), run.missing
    design, train = run.design, len(run.design.training_rows(0))
    if not missing:
        yield f"All {plural(design.fits, 'fit')} are in {path}: byrote show {path}"
        return
    yield (
        f"{path} waits for {len(missing)} of {plural(design.fits, 'fit')}: fit 0 trains on"
        f" {train:,} of {plural(design.n, 'record')}, and {len(design.counted_rows(0)):,} need"
        " log-likelihoods."
    )
    yield f"For each fit F, {ranges(missing)}:"
    what = _what(run)
    yield f"    byrote rows {path} --fit F --print {what} > {what}.txt"
    yield f"    byrote rows {path} --fit F --print seed"
    yield (
        f"    train your model on these {what} with this seed, and write id,log_prob (nats) of all"
        " records to fit-F.csv"
    )
    yield f"    byrote collect {path} fit-F.csv"
    yield f"Then: byrote show {path}. As a job array: the same command with --script slurm."
    yield f"For other languages, {path}/membership.parquet has a column for each fit."


def slurm(run: Run) -> str:
    """Return a job array for Slurm that makes the missing fits."""
    array = ranges(run.missing or range(run.design.fits)).replace(" ", "")
    path = shlex.quote(str(Path(run.path).absolute()))
    return _SLURM.format(array=array, run=path, what=_what(run))


def _what(run: Run) -> str:
    """Return what names the records of a run in a program: rows of a part are not the file's."""
    return "ids" if run.manifest.data.is_part else "rows"


def collected(run: Run, result: Collected, units: Units) -> Iterator[str]:
    """Yield what was collected, what is missing, and what looks wrong."""
    total = plural(run.design.fits, "fit")
    known = f"; {ranges(result.unchanged)} there before" if result.unchanged else ""
    added = ranges(result.added) if result.added else "none"
    yield f"Collected fits: {added}{known}. {len(run.finished)} of {total} are there."
    if run.missing:
        yield f"Missing: {ranges(run.missing)}."
    yield from warnings(accidents_of(run))
    yield f"Taken as {_unit(units)}: no check can tell one unit in all fits from another."
    if not run.missing:
        yield f"Next: byrote show {shlex.quote(str(run.path))}"


def warnings(accidents: Iterable[Accident]) -> Iterator[str]:
    """Yield a warning for each thing that looks wrong in log-likelihoods of programs."""
    for accident in accidents:
        yield f"WARNING: {accident.text}"


def to_json(run: Run, result: Collected) -> dict[str, Any]:
    """Return what was collected as plain data."""
    return {
        "added": list(result.added),
        "unchanged": list(result.unchanged),
        "missing": list(run.missing),
        "accidents": [asdict(accident) for accident in accidents_of(run)],
    }


def ranges(numbers: Iterable[int]) -> str:
    """Abbreviate ascending numbers.

    Examples
    --------
    >>> ranges([0, 1, 2, 5, 7, 8])
    '0-2, 5, 7-8'
    """
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("-".join(map(str, part)) for part in parts)


def _unit(units: Units) -> str:
    words = ["losses" if units.loss else "log-likelihoods", "bits" if units.bits else "nats"]
    if units.mean_of is not None:
        words.append(f"means over {units.mean_of}")
    return ", ".join(words)
