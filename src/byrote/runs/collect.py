"""Runs whose fits are made elsewhere: a folder with the plan, and log-likelihoods from files."""

import hashlib
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data import Records, TextRecords
from byrote.data.log_likelihoods import FitNumbers, Units
from byrote.errors import InvalidInput
from byrote.plans import Plan
from byrote.runs.execute import locked_folder, prepared
from byrote.runs.job import Outcome, Scored
from byrote.runs.paths import RunPaths
from byrote.runs.plan_file import write_membership
from byrote.runs.request import Request, Settings
from byrote.runs.run_folder import RunFolder

PATIENCE = 120.0  # seconds for the other tasks of a job array that collect at the same time
_FIT_IN_NAME = re.compile(r"(\d{1,9})(\.[A-Za-z]+)*$")  # before the suffixes


@dataclass(frozen=True)
class Collected:
    """A run after a collection, with the numbers of the fits that were added or were there."""

    run: RunFolder
    added: tuple[int, ...]
    unchanged: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Read:
    """The checked log-likelihoods of one fit."""

    fit: int
    log_prob: NDArray[np.float64]
    file: Path
    digest: str = field(default="")


def plan_elsewhere(
    records: Records | TextRecords, plan: Plan, seed: int, folder: Path
) -> RunFolder:
    """Create or extend the folder of a run whose fits are made elsewhere.

    Raises
    ------
    InvalidInput, RunMismatch, CannotWrite
        As ``run_fits`` does.
    """
    from byrote.models.external import Elsewhere  # noqa: PLC0415 (slow to load)

    request = Request(Elsewhere(), records, plan, Settings(seed))
    with prepared(request, folder) as (run, _):
        write_membership(run.paths, run.manifest, run.design, run.ids)
        return run


def collect(
    folder: Path,
    sources: Iterable[Path],
    units: Units | None = None,
    *,
    fit: int | None = None,
    replace: bool = False,
) -> Collected:
    """Take log-likelihoods from files into a run whose fits are made elsewhere.

    All files are read and checked before anything is written.

    Parameters
    ----------
    folder
        The run folder.
    sources
        Files as ``load_log_likelihoods`` reads them, or folders of them. The fit is named by the
        file's column ``fit``, or by the number at the end of its name: fit-000007.csv.
    units
        What the numbers are (default: log-likelihoods in nats).
    fit
        Number of the fit, for one file that does not name it.
    replace
        Replace fits that are there with other numbers.

    Raises
    ------
    InvalidInput
        If a file is not readable, does not name its fit, lacks or repeats a record, has one that is
        not of the run, NaN or +inf; if it is another run's, a fit is there with other numbers, or
        two fits that train on different records have the same numbers.
    RunMismatch
        If another process works on the folder for longer than two minutes.
    """
    paths = RunPaths(folder)
    RunFolder.open(paths)  # nothing is locked where there is no run
    with locked_folder(paths, PATIENCE):
        run = RunFolder.open(paths)
        _check_elsewhere(run)
        read = list(_read(run, list(_listed(sources)), units or Units(), fit))
        todo, damaged = run.unfinished()
        stored = set(range(run.design.fits)) - set(todo)
        _check_different(run, read, stored)
        unchanged = {each.fit for each in read if each.fit in stored and _is_same(run, each)}
        for each in read:
            if each.fit in stored - unchanged and not replace:
                raise InvalidInput(
                    f"{each.file}: fit {each.fit} is there already with other numbers; --replace"
                    " takes these in its place"
                )
        for number, problem in damaged.items():
            warnings.warn(f"{problem}; this fit is missing now", stacklevel=2)
            run.supersede(number)
        added = [each for each in read if each.fit not in unchanged]
        for each in added:
            _keep(run, each)
    fits = sorted(each.fit for each in added)
    return Collected(RunFolder.open(paths), tuple(fits), tuple(sorted(unchanged)))


def keep_log_prob(run: RunFolder, fit: int, log_prob: NDArray[np.float64], source: str) -> None:
    """Write the log-likelihoods of the rows that a fit counts, with where they came from."""
    facts = {"source": source, "digest": _digest(run, fit, log_prob)}
    run.keep(Outcome(fit, Scored(log_prob), facts=facts))


def _keep(run: RunFolder, read: _Read) -> None:
    keep_log_prob(run, read.fit, read.log_prob, read.file.name)


def _check_elsewhere(run: RunFolder) -> None:
    if not run.elsewhere:
        raise InvalidInput(
            f"{run.paths.root} holds fits that byrote makes itself; byrote plan DATA --plan … --out"
            " FOLDER begins a run whose fits are made elsewhere"
        )


def _listed(sources: Iterable[Path]) -> Iterator[Path]:
    """Yield the files, and those in the folders."""
    from byrote.data.log_likelihood_files import SUFFIXES  # noqa: PLC0415 (slow to load)

    for source in sources:
        if not source.is_dir():
            yield source
            continue
        inside = sorted(p for p in source.iterdir() if p.name.lower().endswith(SUFFIXES))
        if not inside:
            raise InvalidInput(f"{source} has no file of {', '.join(SUFFIXES)}")
        yield from inside


def _read(run: RunFolder, sources: list[Path], units: Units, fit: int | None) -> Iterator[_Read]:
    """Read and check all fits of the files."""
    from byrote.data.log_likelihood_files import load_log_likelihoods  # noqa: PLC0415

    if fit is not None and len(sources) != 1:
        raise InvalidInput(f"--fit needs one file; got {len(sources)}")
    seen: dict[int, Path] = {}
    values = int(np.prod(run.manifest.data.shape, dtype=int))
    for source in sources:
        for numbers in load_log_likelihoods(source, units, values):
            number = _fit_of(run, numbers, source, fit)
            if number in seen:
                raise InvalidInput(f"{source}: fit {number} comes from {seen[number]} too")
            seen[number] = source
            yield _checked(run, number, numbers, source)


def _fit_of(run: RunFolder, numbers: FitNumbers, source: Path, fit: int | None) -> int:
    """Return the number of the fit, from the file, the option or the name."""
    number = numbers.fit if numbers.fit is not None else fit
    number = _number_in(source.name) if number is None else number
    if number is None:
        raise InvalidInput(
            f"{source}: a file must name its fit, by a column 'fit' or by the number at the end of"
            " its name, as fit-7.csv does (or --fit N)"
        )
    if fit is not None and fit != number:
        raise InvalidInput(f"{source}: --fit must be that of the file, {number}; got {fit}")
    return checked_fit(run, number, str(source))


def _number_in(name: str) -> int | None:
    """Return the number at the end of a file's name, before its suffixes."""
    match = _FIT_IN_NAME.search(name)
    return None if match is None else int(match[1])


def checked_fit(run: RunFolder, fit: int, name: str = "fit") -> int:
    """Check the number of a fit of the run."""
    last = run.design.fits - 1
    if not 0 <= fit <= last:
        hint = "; arrays of jobs must count from 0" if fit == last + 1 else ""
        raise InvalidInput(f"{name}: fit must be 0 to {last}, as the run has; got {fit}{hint}")
    return fit


def _checked(run: RunFolder, fit: int, numbers: FitNumbers, source: Path) -> _Read:
    if numbers.run is not None and numbers.run != run.manifest.run_id:
        raise InvalidInput(f"{source} belongs to another run, {checks.brief(numbers.run)}")
    rows = run.design.counted_rows(fit)
    try:
        log_prob = numbers.aligned(run.ids, rows, run.design.included(fit))
    except InvalidInput as error:
        raise InvalidInput(f"{source}: {error}") from None
    return _Read(fit, log_prob, source, _digest(run, fit, log_prob))


def _digest(run: RunFolder, fit: int, log_prob: NDArray[np.float64]) -> str:
    """Hash which records a fit counts, with their log-likelihoods."""
    digest = hashlib.sha256(run.design.counted_rows(fit).tobytes())
    digest.update(np.ascontiguousarray(log_prob).tobytes())
    return digest.hexdigest()


def _is_same(run: RunFolder, read: _Read) -> bool:
    return bool(run.facts(read.fit).get("digest") == read.digest)


def _check_different(run: RunFolder, read: list[_Read], stored: set[int]) -> None:
    """Refuse two fits that train on different records and have the same numbers."""
    there = sorted(stored - {each.fit for each in read})
    known = {str(run.facts(fit).get("digest")): (fit, f"fit {fit}") for fit in there}
    for each in read:
        other, where = known.setdefault(each.digest, (each.fit, str(each.file)))
        if not np.array_equal(run.design.held_out[other], run.design.held_out[each.fit]):
            raise InvalidInput(
                f"{each.file}: fit {each.fit} has the very numbers of fit {other} ({where}), which"
                " trains on other records; either one file came twice, or the program does not"
                " train on the rows of its fit"
            )
