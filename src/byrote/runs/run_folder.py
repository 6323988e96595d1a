"""The run folder: one file per finished fit, and enough beside it to score without training.

run.json            what the run is (manifest.py)
records.parquet     ids and labels, in the order of the data
canaries.parquet    of an exposure run: patterns and secrets (canary_file.py)
plan.parquet        one row per fit: its group, its seeds, rows held out, rows counted
fits/               fit-000000.parquet: record, epoch, included, log_prob (fit_file.py)
failures/           fit-000000.json: type and place of an exception; the next start retries it
models/             release.safetensors, fit-000000.safetensors: weights, if asked for (kept.py)
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import CorruptFile, ForeignFile, IncompleteRun, InvalidInput
from byrote.plans import Design
from byrote.plans.design import RELEASE
from byrote.runs import files, reading, record_files, sealed
from byrote.runs.canary_file import PlantedCanaries, read_canaries
from byrote.runs.fit_file import FitCache, FitFile
from byrote.runs.job import Failure, Outcome
from byrote.runs.kinds import Kind
from byrote.runs.manifest import Manifest
from byrote.runs.paths import RunPaths
from byrote.runs.plan_file import read_design, write_design
from byrote.runs.reading import is_there
from byrote.runs.table import Table
from byrote.runs.weight_files import KeptModels

_MOST_BYTES = 1 << 24  # of what is said of a failed fit


@dataclass(frozen=True)
class RunFolder:
    """A run on disk: its manifest, its design, and the files of its fits, each read once."""

    paths: RunPaths
    manifest: Manifest
    design: Design
    cache: FitCache = field(default_factory=FitCache, compare=False, repr=False)

    @classmethod
    def open(cls, paths: RunPaths) -> "RunFolder":
        """The run in a folder."""
        paths.check()
        if not is_there(paths.manifest):
            raise InvalidInput(f"{paths.root} holds no run: there is no {paths.manifest.name}")
        manifest = Manifest.read(paths.manifest)
        names = record_files.read_names(paths, manifest)  # as many as the run says, before all else
        run = cls(paths, manifest, read_design(paths, manifest))
        vars(run)["names"] = names
        return run

    @classmethod
    def create(cls, paths: RunPaths, manifest: Manifest, design: Design, kind: Kind) -> "RunFolder":
        """A new run; run.json comes last, so that a folder with it is complete."""
        for folder in (paths.root, paths.fits, paths.failures):
            files.make_folder(folder)
        record_files.write(paths, manifest, kind)
        return cls._describe(paths, manifest, design)

    def extend(self, manifest: Manifest, design: Design) -> "RunFolder":
        """The same run with a larger plan or more tracked epochs; finished fits stay."""
        kept = ("run_id", "created", "environment", "settled")
        update = {name: getattr(self.manifest, name) for name in kept}
        return self._describe(self.paths, manifest.model_copy(update=update), design)

    @classmethod
    def _describe(cls, paths: RunPaths, manifest: Manifest, design: Design) -> "RunFolder":
        write_design(paths, manifest, design)
        manifest.write(paths.manifest)
        return cls(paths, manifest, design)

    def check_no_canaries(self) -> None:
        """Refuse an exposure run where records are in or out of fits and have a score."""
        if self.design.inserts:
            raise InvalidInput(
                f"{self.paths.root} is an exposure run: its canaries have exposures, its records no"
                " memorization scores; Run.exposure computes them; byrote show, figures and"
                " extract serve it"
            )

    def check_canaries(self) -> None:
        """Refuse a run without canaries, which has no exposures."""
        _ = self.canaries

    @property
    def models(self) -> KeptModels:
        """The models that the run keeps."""
        return KeptModels(self.paths, self.manifest.run_id, self.manifest.model.name)

    def keep(self, outcome: Outcome) -> None:
        """Write what came of a fit: weights, then log-likelihoods, or its failure.

        Weights that are there belong to the log-likelihoods that are there, whenever a start is
        killed: the latter go first, set aside until others are there, and come last.
        """
        failure = self.paths.failure(outcome.fit)
        if outcome.failure is not None:
            sealed.write_json(failure, {"fit": outcome.fit, **asdict(outcome.failure)})
            return
        if outcome.weights is not None:
            self.set_aside(outcome.fit)
            self.models.keep(outcome.fit, outcome.weights, outcome.facts)
        if outcome.fit != RELEASE:
            self.file(outcome.fit).write(outcome)
            files.remove(self.paths.aside(outcome.fit))
        files.remove(failure)

    def set_aside(self, fit: int) -> None:
        """Move the file of a fit that is done again, if it has one, out of its successor's way."""
        if fit != RELEASE:
            self.cache.forget(self.paths.fit(fit))
            with files.writing(self.paths.aside(fit)), suppress(FileNotFoundError):
                self.paths.fit(fit).replace(self.paths.aside(fit))

    def forget_aside(self, todo: Iterable[int]) -> None:
        """Remove what was set aside and has a successor: of all fits but those still to do."""
        waiting, fits = {self.paths.aside(fit) for fit in todo}, self.paths.fits
        with reading.of(fits):
            aside = set(fits.glob(f"*{self.paths.aside(0).suffix}"))
        for path in aside - waiting:
            files.remove(path)

    def file(self, fit: int) -> FitFile:
        """The file of one fit, whether it is there or not."""
        return FitFile(self.paths.fit(fit), self.manifest.run_id, self.design, fit, self.cache)

    def log_prob(self, fit: int, epoch: int | None = None) -> NDArray[np.float64]:
        """Log-likelihoods of the rows that a finished fit counts, nats.

        After the epoch given, which must be a tracked one, or the last.
        """
        return self.file(fit).log_prob(epoch)

    def facts(self, fit: int) -> dict[str, Any]:
        """What is known of a finished fit: losses, seconds, memory, versions, processor."""
        return self.file(fit).facts()

    def epochs(self) -> tuple[int, ...]:
        """Epochs of which there are scores: the tracked ones, and the last if all fits share it."""
        last = {self.file(fit).epochs()[-1] for fit in self._finished()}
        return tuple(sorted({*self.manifest.track, *(last if len(last) == 1 else ())}))

    def unfinished(self, track: Iterable[int] = ()) -> tuple[list[int], dict[int, CorruptFile]]:
        """Fits still to do, and why some that have a damaged file are among them.

        A fit that was not scored at all the epochs in ``track`` is to do again.
        """
        todo, damaged, track = self.missing(), {}, set(track)
        for fit in self._finished():
            try:
                self.file(fit).check()
                if track and not track <= set(self.file(fit).epochs()):
                    todo.append(fit)
            except ForeignFile:
                raise
            except CorruptFile as error:
                todo.append(fit)
                damaged[fit] = error
        return sorted(todo), damaged

    def missing(self) -> list[int]:
        """Fits that have no file."""
        return [fit for fit in range(self.design.fits) if not is_there(self.paths.fit(fit))]

    def untracked(self, epochs: Iterable[int]) -> list[int]:
        """Fits that have a file, but not with the scores of all these epochs."""
        wanted = set(epochs)
        if not wanted:
            return []
        return [fit for fit in self._finished() if not wanted <= set(self.file(fit).epochs())]

    def _finished(self) -> list[int]:
        return sorted(set(range(self.design.fits)) - set(self.missing()))

    def failures(self) -> dict[int, Failure]:
        """The failed fits that no later start has repaired."""
        found = {}
        for fit in range(self.design.fits):
            path = self.paths.failure(fit)
            if is_there(path):
                found[fit] = _read_failure(path)
        return found

    def table(self, *, partial: bool = False, epoch: int | None = None) -> Table:
        """Everything that the finished fits found, after their last epoch or another."""
        if epoch is not None and epoch not in (known := self.epochs()):
            listed = ", ".join(map(str, known)) or "none"
            why = "" if self.manifest.track else " (the run was not tracked)"
            raise InvalidInput(
                f"epoch must be one that was scored, of {listed}{why}; got {epoch!r}"
            )
        missing, untracked = self.missing(), self.untracked(self.manifest.track)
        if (missing or untracked) and not partial:
            raise IncompleteRun(self.complaint(missing, untracked))
        if epoch is not None:
            missing = sorted({*missing, *self.untracked([epoch])})
        scored = self.design.scored
        rows = np.arange(self.design.n, dtype=np.uint32) if scored is None else scored
        values = np.full((self.design.fits, len(rows)), np.nan)
        for fit in sorted(set(range(self.design.fits)) - set(missing)):
            values[fit, self.place(fit, rows)] = self.log_prob(fit, epoch)
        return Table(self.design, rows, values, tuple(missing))

    def place(self, fit: int, rows: NDArray[np.uint32]) -> Any:
        """Where, among the rows that any fit counts, those of one fit stand."""
        counted = self.design.counted[fit]
        return slice(None) if counted is None else np.searchsorted(rows, counted)

    def complaint(self, missing: Sequence[int], untracked: Sequence[int] = ()) -> str:
        """One sentence about the fits, or tracked epochs, that are not there."""
        failed, total, root = self.failures(), self.design.fits, self.paths.root
        text = f"{len(missing)} of {total} fits are missing from {root}"
        if untracked:
            text = (
                f"{text} and {len(untracked)}" if missing else f"{len(untracked)} of {total} fits"
            )
            text += " lack tracked epochs" + ("" if missing else f" in {root}")
        if failed:
            first, failure = next(iter(failed.items()))
            numbers = ", ".join(map(str, list(failed)[:5])) + (", …" if len(failed) > 5 else "")
            text += f" ({len(failed)} failed: {numbers}; fit {first} by {failure})"
        return f"{text}; start the same run again to do them"

    def check_release(self) -> None:
        """Whether the release model is there."""
        if is_there(self.paths.model(self.design.release)):
            return
        failed = self.paths.failure(self.design.release)
        why = f"its fit failed by {_read_failure(failed)}" if is_there(failed) else "it was not fit"
        raise IncompleteRun(
            f"the release model is missing from {self.paths.root}: {why};"
            " start the same run again to do it"
        )

    @cached_property
    def names(self) -> record_files.Names:
        """Ids and labels of the records, in the order of the data."""
        return record_files.read_names(self.paths, self.manifest)

    @property
    def ids(self) -> NDArray[Any]:
        """(n,) ids of the records."""
        return self.names[0]

    @property
    def labels(self) -> NDArray[Any] | None:
        """(n,) labels of the records; of an exposure run, the number of each text's pattern."""
        return self.names[1]

    @cached_property
    def canaries(self) -> PlantedCanaries:
        """The canaries of an exposure run."""
        return read_canaries(self.paths, self.manifest)


def _read_failure(path: Path) -> Failure:
    try:
        content = sealed.read_json(path, most=_MOST_BYTES)
        return Failure(str(content["type"]), str(content["place"]), content.get("message"))
    except (CorruptFile, KeyError):  # it only explains; the fit is missing all the same
        return Failure("unknown", f"a place that {path.name} should name but cannot be read")
