"""Runs that are to be compared: opened, and refused where a comparison would mean nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from byrote import checks
from byrote.errors import InvalidInput
from byrote.fits.manifest import DataPart
from byrote.plans import Design
from byrote.scores.run import Run, open_run

MATCHES = ("same", "ids")


def opened(
    runs: Sequence[Run | str | Path], names: Sequence[str] | None, match: str
) -> dict[str, Run]:
    """The runs by name, the baseline first.

    Raises
    ------
    InvalidInput
        If there are fewer than two, one comes twice, names do not name them one by one, they are of
        different kinds, or, under "same", of different data or plans.
    """
    match = checks.choice("match", match, MATCHES)
    listed = isinstance(runs, Sequence) and not isinstance(runs, str)
    if not listed or len(runs) < 2:
        got = len(runs) if listed else checks.brief(runs)
        raise InvalidInput(f"runs must be two runs or more, the baseline first; got {got}")
    folders = [run.path if isinstance(run, Run) else checks.path("runs", run) for run in runs]
    _check_folders(folders)
    named = dict(zip(_names(folders, names), map(open_run, runs), strict=True))
    _check_distinct(named)
    _check_kinds(named)
    if match == "same":
        _check_same(named)
    return named


def _check_folders(folders: Sequence[Path]) -> None:
    seen = set()
    for folder in folders:
        if folder.resolve() in seen:
            raise InvalidInput(f"runs must differ; got {folder} twice")
        seen.add(folder.resolve())


def _names(folders: Sequence[Path], names: Sequence[str] | None) -> list[str]:
    texts = isinstance(names, Sequence) and all(isinstance(name, str) for name in names)
    if names is not None and (isinstance(names, str) or not texts):
        raise InvalidInput(f"names must be a list of texts, one a run; got {checks.brief(names)}")
    given = [folder.resolve().name for folder in folders] if names is None else list(names)
    if len(given) != len(folders):
        raise InvalidInput(f"names must be {len(folders)}, one a run; got {len(given)}")
    if names is None and len(set(given)) < len(given):
        given = [str(folder) for folder in folders]
    if "" in given or len(set(given)) < len(given):
        raise InvalidInput("names must all differ, and none be empty")
    return given


def _check_distinct(runs: dict[str, Run]) -> None:
    seen: dict[str, str] = {}
    for name, run in runs.items():
        other = seen.setdefault(run.manifest.run_id, name)
        if other != name:
            raise InvalidInput(f"runs must differ; {run.path} is the run {other!r} again")


def _check_kinds(runs: dict[str, Run]) -> None:
    kinds = {True: "exposures of canaries", False: "memorization scores of records"}
    base, *others = runs.items()
    for name, run in others:
        if run.has_canaries != base[1].has_canaries:
            raise InvalidInput(
                f"runs must be of one kind; {base[0]!r} has"
                f" {kinds[base[1].has_canaries]}, {name!r} {kinds[run.has_canaries]}"
            )


def _check_same(runs: dict[str, Run]) -> None:
    base, *others = runs.items()
    for name, run in others:
        found = differences(base[1], run)
        if found:
            raise InvalidInput(
                f"{name!r} cannot be compared with {base[0]!r} record by record:"
                f" {'; '.join(found)}. match='ids' (--match-ids) pairs records by their ids"
            )


def differences(base: Run, run: Run) -> list[str]:
    """What differs in data and plan, a phrase each: the baseline's value against the other's."""
    return [*_data(base.manifest.data, run.manifest.data), *_plan(base, run)]


def _data(base: DataPart, run: DataPart) -> list[str]:
    found = []
    if base.records != run.records:
        found.append(f"{base.records:,} records against {run.records:,}")
    if base.shape != run.shape:
        found.append(f"records of shape {base.shape} against {run.shape}")
    if base.fingerprint != run.fingerprint and not found:
        found.append("the data differ (values, labels or ids)")
    return found


def _plan(base: Run, run: Run) -> list[str]:
    mine, theirs = base.manifest.plan.spec, run.manifest.plan.spec
    found = [
        f"plan {name} {mine.get(name)!r} against {theirs.get(name)!r}"
        for name in sorted({*mine, *theirs})
        if mine.get(name) != theirs.get(name)
    ]
    if base.manifest.seed != run.manifest.seed:
        found.append(f"seed {base.manifest.seed} against {run.manifest.seed}")
    if not found and base.design.n == run.design.n and not same_design(base.design, run.design):
        found.append("the fits train on other records")
    return found


def same_design(one: Design, other: Design) -> bool:
    """Whether each fit has the same seeds, trains on the same rows, and counts the same."""
    if one.n != other.n or not same_fits(one, other):
        return False
    return all(
        np.array_equal(one.included(fit), other.included(fit))
        and np.array_equal(one.counted_rows(fit), other.counted_rows(fit))
        for fit in range(one.fits)
    )


def same_fits(one: Design, other: Design) -> bool:
    """Whether fit f of one has the seeds of fit f of the other, if the runs have one seed."""
    keys = ("repeat", "fold", "leader", "group")
    return (
        one.fits == other.fits
        and one.units == other.units
        and all(np.array_equal(getattr(one, key), getattr(other, key)) for key in keys)
    )
