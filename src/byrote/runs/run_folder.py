"""The run folder: a file for each finished fit, and what else scores need.

run.json            description of the run (manifest.py)
records.parquet     ids and labels, in the order of the data (record_files.py)
canaries.parquet    patterns and secrets of an exposure run (record_files.py)
plan.parquet        for each fit its group, seeds, rows held out and counted (plan_file.py)
fits/               fit-000000.parquet: record, epoch, included, log_prob (fit_file.py)
failures/           fit-000000.json: type and place of an exception; the next start retries it
models/             release.safetensors, fit-000000.safetensors: kept weights (weight_files.py)
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from byrote.errors import CorruptFile, ForeignFile, IncompleteRun, InvalidInput, no_run
from byrote.models.assignment import ELSEWHERE
from byrote.plans import Design
from byrote.plans.design import RELEASE
from byrote.runs import files, sealed
from byrote.runs.files import file_exists
from byrote.runs.fit_file import FitCache, FitFile
from byrote.runs.job import Failure, Outcome
from byrote.runs.kinds.registry import Kind
from byrote.runs.manifest import Manifest
from byrote.runs.paths import RunPaths
from byrote.runs.plan_file import read_design, write_design
from byrote.runs.record_files import Names, PlantedCanaries, read_canaries, read_names
from byrote.runs.table import Table
from byrote.runs.weight_files import KeptModels
from byrote.stats.threads import in_order

Content = TypeVar("Content")

_MOST_BYTES = 1 << 24  # of the file of a failed fit


@dataclass(frozen=True)
class RunFolder:
    """A run on disk: its manifest, its design, and its other files, each read once.

    contents: by path, what the files made from the records hold, and weights read for a check.
    """

    paths: RunPaths
    manifest: Manifest
    design: Design
    cache: FitCache = field(default_factory=FitCache, compare=False, repr=False)
    contents: dict[Path, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def open(cls, paths: RunPaths) -> "RunFolder":
        """Open the run in a folder."""
        paths.check()
        if not file_exists(paths.manifest):
            raise no_run(paths.root)
        manifest = Manifest.read(paths.manifest)
        names = read_names(paths, manifest)  # which checks the number of records, before all else
        design = read_design(paths, manifest)
        return cls(paths, manifest, design, contents={paths.records: names})

    @classmethod
    def create(cls, paths: RunPaths, manifest: Manifest, design: Design, kind: Kind) -> "RunFolder":
        """Create a run; run.json is written last, so that a folder with it is complete."""
        for folder in (paths.root, paths.fits, paths.failures):
            files.make_folder(folder)
        for file in kind.files(paths):
            file.write(manifest)
        return cls(paths, manifest, design)._described()

    def extend(self, manifest: Manifest, design: Design) -> Self:
        """Extend the run to a larger plan or more tracked epochs; finished fits stay."""
        kept = ("run_id", "created", "environment", "settled")
        update = {name: getattr(self.manifest, name) for name in kept}
        manifest = manifest.model_copy(update=update)
        return replace(self, manifest=manifest, design=design)._described()

    def _described(self) -> Self:
        """Write the design and then the manifest."""
        write_design(self.paths, self.manifest, self.design)
        self.manifest.write(self.paths.manifest)
        return self

    def check_no_canaries(self) -> None:
        """Reject an exposure run, whose records have no memorization scores."""
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
    def elsewhere(self) -> bool:
        """Whether the fits are made elsewhere, and collected."""
        return self.manifest.model.name == ELSEWHERE

    @property
    def models(self) -> KeptModels:
        """The kept models."""
        manifest, release = self.manifest, self.design.release
        return KeptModels(self.paths, manifest.run_id, manifest.model.name, release, self.contents)

    def keep(self, outcome: Outcome, later: files.Later | None = None) -> None:
        """Write the outcome of a fit: weights, then log-likelihoods, or its failure.

        Existing weights belong to the existing log-likelihoods, whenever a start is killed: old
        log-likelihoods are moved away before new weights are written, new ones are written last.
        Only a file on which nothing else depends is forced to disk ``later``.
        """
        failure = self.paths.failure(outcome.fit)
        if outcome.failure is not None:
            sealed.write_json(failure, {"fit": outcome.fit, **asdict(outcome.failure)}, later)
            return
        if outcome.weights is not None:
            self.supersede(outcome.fit)
            self.models.keep(outcome.fit, outcome.weights, outcome.facts)
        if outcome.fit != RELEASE:
            places = self.paths.fit(outcome.fit), self.paths.superseded(outcome.fit)
            alone = outcome.weights is None and not any(map(file_exists, places))
            self.file(outcome.fit).write(outcome, later if alone else None)
            if not alone:
                files.remove(self.paths.superseded(outcome.fit))
        files.remove(failure)

    def supersede(self, fit: int) -> None:
        """Move the file of a fit that will be repeated, if it has one, out of the way."""
        if fit != RELEASE:
            self.cache.forget(self.paths.fit(fit))
            with files.writing(self.paths.superseded(fit)), suppress(FileNotFoundError):
                self.paths.fit(fit).replace(self.paths.superseded(fit))

    def remove_superseded(self, todo: Iterable[int]) -> None:
        """Remove superseded files of all fits except those still to do."""
        waiting, fits = {self.paths.superseded(fit) for fit in todo}, self.paths.fits
        with files.reading(fits):
            superseded = set(fits.glob(f"*{self.paths.superseded(0).suffix}"))
        for path in superseded - waiting:
            files.remove(path)

    def file(self, fit: int) -> FitFile:
        """Return the file of one fit, which need not exist."""
        return FitFile(self.paths.fit(fit), self.manifest.run_id, self.design, fit, self.cache)

    def log_prob(self, fit: int, epoch: int | None = None) -> NDArray[np.float64]:
        """Read the log-likelihoods of a fit's counted rows, nats (default: of the last epoch)."""
        return self.file(fit).log_prob(epoch)

    def facts(self, fit: int) -> dict[str, Any]:
        """Read the facts about a finished fit: losses, seconds, memory, versions, processor."""
        return self.file(fit).facts()

    def epochs(self) -> tuple[int, ...]:
        """Return the epochs with scores: tracked ones, and the last if all fits share it."""
        last = {self.file(fit).epochs()[-1] for fit in self._finished()}
        return tuple(sorted({*self.manifest.track, *(last if len(last) == 1 else ())}))

    def unfinished(self, track: Iterable[int] = ()) -> tuple[list[int], dict[int, CorruptFile]]:
        """Return the fits still to do, and the errors of those with a damaged file.

        A fit without scores of all the epochs in ``track`` must be repeated.
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
        """Return the fits without a file."""
        return [fit for fit in range(self.design.fits) if not file_exists(self.paths.fit(fit))]

    def untracked(self, epochs: Iterable[int]) -> list[int]:
        """Return finished fits that lack scores of some of these epochs."""
        wanted = set(epochs)
        finished = self._finished() if wanted else ()
        return [fit for fit in finished if not wanted <= set(self.file(fit).epochs())]

    def _finished(self) -> list[int]:
        return sorted(set(range(self.design.fits)) - set(self.missing()))

    def failures(self) -> dict[int, Failure]:
        """Return the failed fits that no later start has finished."""
        paths = {fit: self.paths.failure(fit) for fit in range(self.design.fits)}
        return {fit: _read_failure(path) for fit, path in paths.items() if file_exists(path)}

    def table(self, *, partial: bool = False, epoch: int | None = None) -> Table:
        """Return the log-likelihoods of all finished fits (default: after their last epoch)."""
        if epoch is not None and epoch not in (known := self.epochs()):
            listed = ", ".join(map(str, known)) or "none"
            why = "" if self.manifest.track else " (the run was not tracked)"
            wanted = f"epoch must be one of the scored epochs, {listed}{why}"
            raise InvalidInput(f"{wanted}; got {epoch!r}")
        missing, untracked = self.missing(), self.untracked(self.manifest.track)
        if (missing or untracked) and not partial:
            raise IncompleteRun(self.complaint(missing, untracked))
        missing = sorted({*missing, *self.untracked([] if epoch is None else [epoch])})
        rows = self.design.evaluated
        values = np.full((self.design.fits, len(rows)), np.nan)
        fits = sorted(set(range(self.design.fits)) - set(missing))
        read = in_order(lambda fit: self.log_prob(fit, epoch), fits, size=values.size)
        for fit, of_fit in zip(fits, read, strict=True):
            values[fit, self.place(fit, rows)] = of_fit
        sealed.release_memory()
        if not len(self.design.bystanders):
            return Table(self.design, rows, values, tuple(missing))
        bystander = np.isin(rows, self.design.bystanders)
        return Table(
            self.design,
            rows[~bystander],
            values[:, ~bystander],
            tuple(missing),
            values[:, bystander],
        )

    def place(self, fit: int, rows: NDArray[np.uint32]) -> Any:
        """Return the places of a fit's counted rows among those that any fit counts."""
        counted = self.design.counted[fit]
        return slice(None) if counted is None else np.searchsorted(rows, counted)

    def complaint(self, missing: Sequence[int], untracked: Sequence[int] = ()) -> str:
        """Describe the missing fits, or tracked epochs, in one sentence."""
        failed, total, root = self.failures(), self.design.fits, self.paths.root
        text = f"{len(missing)} of {total} fits are missing from {root}"
        if missing and untracked:
            text += f" and {len(untracked)} lack tracked epochs"
        elif untracked:
            text = f"{len(untracked)} of {total} fits lack tracked epochs in {root}"
        if failed:
            first, failure = next(iter(failed.items()))
            numbers = ", ".join(map(str, list(failed)[:5])) + (", …" if len(failed) > 5 else "")
            text += f" ({len(failed)} failed: {numbers}; fit {first} by {failure})"
        if self.elsewhere:
            return f"{text}; byrote collect takes them in"
        return f"{text}; start the same run again to do them"

    def check_release(self) -> None:
        """Raise IncompleteRun if the release model is missing."""
        if file_exists(self.paths.model(self.design.release)):
            return
        failed = self.paths.failure(self.design.release)
        why = "it was not fit"
        if file_exists(failed):
            why = f"its fit failed by {_read_failure(failed)}"
        raise IncompleteRun(
            f"the release model is missing from {self.paths.root}: {why};"
            " start the same run again to do it"
        )

    @property
    def names(self) -> Names:
        """Ids and labels of the records, in the order of the data."""
        return self._content(self.paths.records, read_names)

    @property
    def ids(self) -> NDArray[Any]:
        """(n,) ids of the records."""
        return self.names[0]

    @property
    def labels(self) -> NDArray[Any] | None:
        """(n,) labels of the records; of an exposure run, the number of each text's pattern."""
        return self.names[1]

    @property
    def canaries(self) -> PlantedCanaries:
        """The canaries of an exposure run."""
        return self._content(self.paths.canaries, read_canaries)

    def _content(self, path: Path, read: Callable[[RunPaths, Manifest], Content]) -> Content:
        """Read a file once."""
        if path not in self.contents:
            self.contents[path] = read(self.paths, self.manifest)
        return cast("Content", self.contents[path])


def _read_failure(path: Path) -> Failure:
    try:
        content = sealed.read_json(path, most=_MOST_BYTES)
        return Failure(str(content["type"]), str(content["place"]), content.get("message"))
    except (CorruptFile, KeyError):  # only the reason is lost; the fit is missing in any case
        return Failure("unknown", f"a place that cannot be read from {path.name}")
