"""Execution of a run: from a model, records and a plan to a folder of finished fits."""

import errno
import os
import shutil
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from byrote.errors import CannotWrite, CorruptFile, IncompleteRun, InvalidInput, RunMismatch
from byrote.models import auto_values
from byrote.models.assignment import takes_assignments
from byrote.plans import Design
from byrote.runs import files, temporary
from byrote.runs.executors.pool import Pool
from byrote.runs.executors.registry import open_pool
from byrote.runs.group_commit import GroupCommit
from byrote.runs.interrupts import deferred_signals
from byrote.runs.job import Job, Task, Workplace, job_of
from byrote.runs.lock import locked
from byrote.runs.manifest import Manifest
from byrote.runs.paths import RunPaths
from byrote.runs.plan_file import read_design
from byrote.runs.progress import Progress, Silent
from byrote.runs.record_files import read_files
from byrote.runs.recovery import outcomes
from byrote.runs.request import Request
from byrote.runs.resolve_auto import resolve_by_fits
from byrote.runs.run_folder import RunFolder

# Errors of a folder that cannot be used at all, whatever its free space.
_UNUSABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR}


def run_fits(request: Request, folder: Path, progress: Progress | None = None) -> RunFolder:
    """Execute the fits of a plan that the folder does not hold yet.

    Invalid input is rejected before the folder is made or changed.

    Returns
    -------
    The run folder, in which fits may have failed (``RunFolder.failures``), the release fit too
    (``RunFolder.check_release``).

    Raises
    ------
    InvalidInput
        If the model, the records, the plan or the folder cannot be used.
    RunMismatch
        If the folder holds another run, or one that another process works on.
    CannotWrite, IncompleteRun
        If the disk or the memory is full; finished fits are kept.
    """
    with prepared(request, folder) as (run, todo):
        if todo:
            _execute(run, todo, request, progress or Silent())
    return run


@contextmanager
def prepared(request: Request, folder: Path) -> Iterator[tuple[RunFolder, list[int]]]:
    """Create the folder of a run, or open and extend it, locked for the length of a block.

    Gives the run and the numbers of the fits that it lacks. Raises as ``run_fits`` does.
    """
    request.check()
    temporary.sweep()
    paths = RunPaths(folder)
    design = request.draw()
    settled: dict[str, Any] = {}
    paths.check()
    if not files.file_exists(paths.manifest):
        _check_new(paths)
        request.preflight(design)
        shape, fits = request.records.x.shape, request.most_fits(design)
        settled = auto_values.resolved_values(request.model, shape, fits)
    manifest = request.manifest(design, settled)
    with _resumable(paths), locked_folder(paths):
        if files.file_exists(paths.manifest):
            run, todo = _reopened(paths, request, design)
        else:
            _sweep(paths)
            settled |= _settled_by_fits(request, settled, design, paths.work)
            manifest = manifest.model_copy(update={"settled": settled})
            run = RunFolder.create(paths, manifest, design, request.kind)
            todo = [*range(design.fits), *(design.extra if request.keeps else ())]
        yield run, todo


def _settled_by_fits(
    request: Request, settled: Mapping[str, Any], design: Design, work: Path
) -> dict[str, Any]:
    """Resolve by two fits what the model leaves open; nothing for most models."""
    model = auto_values.with_values(request.model, settled)
    if not auto_values.needs_pilot(model):
        return {}
    try:
        with _pool(request) as pool:
            task = _task(request, model, pool, work)
            fits = request.most_fits(design)
            return resolve_by_fits(pool, task, design, request.settings.seed, fits)
    finally:
        with deferred_signals():
            shutil.rmtree(work, ignore_errors=True)


def _reopened(paths: RunPaths, request: Request, design: Design) -> tuple[RunFolder, list[int]]:
    """Open the run, extended if the plan is larger now; return it and the fits still to do.

    Every existing file is read before anything is changed.
    """
    manifest = Manifest.read(paths.manifest)
    _check_same(manifest, paths, request, design)
    contents, damaged_records = read_files(request.kind.files(paths), manifest)
    stored = RunFolder(paths, manifest, read_design(paths, manifest), contents=contents)
    design = request.draw(after=stored.design)
    if not design.begins_with(stored.design):
        raise RunMismatch(f"{paths.root} holds another run: its membership differs")
    todo, damaged_fits = stored.unfinished(request.track)
    todo += range(stored.design.fits, design.fits)
    lacking, damaged_models = _lacking_models(stored, set(todo), request.settings.keep_models)
    todo += lacking
    if todo:
        request.preflight(design)
    _sweep(paths)
    stored.remove_superseded(todo)
    for folder in (paths.fits, paths.failures):  # archives and version control drop empty ones
        files.make_folder(folder)
    for problem in [*damaged_fits.values(), *damaged_models]:
        warnings.warn(f"{problem}; this fit is done again", stacklevel=4)
    for _, problem in damaged_records:
        warnings.warn(f"{problem}; it is written again", stacklevel=4)
    for file, _ in damaged_records:
        file.write(manifest)
    for fit in damaged_fits:
        stored.supersede(fit)
    # A fit that only lacks epochs stays until it is replaced: its other numbers are good.
    changed = (request.track, request.stop_when) != (manifest.track, manifest.stop_when)
    if design.fits > stored.design.fits or changed:
        stored = stored.extend(request.manifest(design), design)
    return stored, todo


def _lacking_models(
    stored: RunFolder, todo: set[int], keep_models: str
) -> tuple[list[int], list[CorruptFile]]:
    """Return finished fits that lack a requested model, and the errors of damaged model files.

    Their log-likelihoods stay until each fit is repeated, model and log-likelihoods together.
    """
    if keep_models == "none":
        return [], []
    finished = [f for f in range(stored.design.fits) if f not in todo]
    released = stored.design.release
    wanted = finished if keep_models == "all" else [f for f in finished if f == released]
    return stored.models.unfinished([*wanted, *stored.design.extra])


def _check_same(stored: Manifest, paths: RunPaths, request: Request, design: Design) -> None:
    """Reject a folder made by another model, data set or plan, or by a larger plan."""
    requested, size = request.manifest(design), request.plan.size
    differences = stored.differences(requested, size)
    have, want = stored.plan.spec.get(size), requested.plan.spec.get(size)
    if have is not None and want is not None and want < have:
        differences.append(f"plan {size} {have} there, {want} here")
    if differences:
        raise RunMismatch(
            f"{paths.root} holds another run: {'; '.join(differences)}; choose another folder"
        )


def _execute(run: RunFolder, todo: list[int], request: Request, progress: Progress) -> None:
    watched = not isinstance(progress, Silent)
    warned: Counter[str] = Counter()
    try:
        with (
            temporary.temporary_folder() as heartbeats,
            _pool(request) as pool,
            GroupCommit() as group,
        ):
            model = auto_values.with_values(request.model, run.manifest.settled)
            task = replace(
                _task(request, model, pool, run.paths.work),
                heartbeats=str(heartbeats) if watched else None,
                track=tuple(request.track),
            )
            root = RunPaths(run.paths.root.absolute())
            jobs = (_job(request, run, fit, root) for fit in todo)
            total = run.design.fits + (len(run.design.extra) if request.keeps else 0)
            progress.start(total, total - len(todo), heartbeats)
            for outcome in outcomes(pool, task, jobs):
                run.keep(outcome, group.add)
                progress.ended(outcome)
                warned.update(outcome.facts.get("warnings", ()))
    finally:
        with deferred_signals():
            progress.stop()
            shutil.rmtree(run.paths.work, ignore_errors=True)
    for warning, count in warned.most_common(3):
        warnings.warn(f"{count} of {len(todo)} fits warned: {warning}", stacklevel=4)


def _pool(request: Request) -> AbstractContextManager[Pool]:
    settings = request.settings
    return open_pool(settings.executor, settings.workers, settings.threads)


def _task(request: Request, model: Any, pool: Pool, work: Path) -> Task:
    return Task(
        model=model,
        data=pool.share(request.kind.shared, work),
        threads=request.settings.threads,
        needs_torch="torch" in sys.modules,
        keep_messages=request.settings.debug,
        content=request.kind.content,
    )


def _job(request: Request, run: RunFolder, fit: int, absolute: RunPaths) -> Job:
    keep = request.keeps_fit(run, fit)
    job = job_of(run.design, fit, request.settings.seed, keep_weights=keep)
    if not takes_assignments(request.model):
        return job
    return replace(job, workplace=Workplace(absolute.work, absolute.log(fit), Path.cwd()))


def _check_new(paths: RunPaths) -> None:
    """Reject a folder that cannot be made, or that holds something else."""
    root = paths.root
    nearest = next(parent for parent in (root, *root.absolute().parents) if parent.exists())
    if not nearest.is_dir():
        raise InvalidInput(f"cannot make the folder {root}: {nearest} is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InvalidInput(f"cannot write in {nearest}")
    if root.is_dir():
        # A start that was killed before it wrote run.json leaves these, and no fit.
        ours = {
            paths.records, paths.canaries, paths.plan, paths.fits, paths.failures, paths.lock,
            paths.work,
        }  # fmt: skip
        within = [*root.iterdir(), *paths.fits.glob("*"), *paths.failures.glob("*")]
        strange = [path for path in within if path not in ours and path.suffix != files.TEMPORARY]
        if strange:
            raise InvalidInput(f"{root} is not empty and holds no run (it has {strange[0].name})")


def kept_in(paths: RunPaths) -> str:
    """Describe the finished fits of an interrupted run, and how to resume it."""
    done = len(list(paths.fits.glob("fit-*.parquet")))
    if not done:
        return "no fit was finished"
    finished = "1 finished fit is" if done == 1 else f"{done:,} finished fits are"
    return f"{finished} kept in {paths.root}, and the same command resumes from there"


@contextmanager
def _resumable(paths: RunPaths) -> Iterator[None]:
    """Add to errors of disk and memory which fits are kept."""
    try:
        yield
    except CannotWrite as error:
        refused = CannotWrite(f"{error}; {kept_in(paths)}")
        refused.errno = error.errno
        raise refused from None
    except MemoryError:
        raise IncompleteRun(f"out of memory; {kept_in(paths)}") from None


@contextmanager
def locked_folder(paths: RunPaths, patience: float = 0.0) -> Iterator[None]:
    """Lock the run folder, which is created if necessary.

    ``patience``: seconds to wait for another process.
    """
    with ExitStack() as lock:
        try:
            files.make_folder(paths.root)
            lock.enter_context(locked(paths.lock, patience))
        except CannotWrite as error:
            if error.errno in _UNUSABLE:
                raise InvalidInput(str(error)) from None
            raise
        yield


def _sweep(paths: RunPaths) -> None:
    """Remove what killed processes left."""
    shutil.rmtree(paths.work, ignore_errors=True)
    with files.reading(paths.root):
        for folder in (paths.root, paths.fits, paths.failures, paths.models):
            files.sweep(folder)
