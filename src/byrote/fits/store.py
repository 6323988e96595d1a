"""The run folder: one file per finished fit, and enough beside it to score without training.

run.json            what the run is (manifest.py)
records.parquet     ids and labels, in the order of the data
plan.parquet        one row per fit: its group, its seeds, rows held out, rows counted
fits/               fit-000000.parquet: record, epoch, included, log_prob
failures/           fit-000000.json: type and place of an exception; the next start retries it
models/             release.safetensors, fit-000000.safetensors: weights, if asked for (kept.py)
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from byrote.data.records import Records
from byrote.errors import CorruptFile, ForeignFile, IncompleteRun, InvalidInput
from byrote.fits import files, parquet
from byrote.fits.job import Failure, Outcome
from byrote.fits.kept import KeptModels
from byrote.fits.manifest import Manifest
from byrote.fits.paths import RELEASE, RunPaths
from byrote.fits.table import Table
from byrote.plans import Design


@dataclass(frozen=True)
class RunFolder:
    """A run on disk: its manifest, its design, and the files of its fits."""

    paths: RunPaths
    manifest: Manifest
    design: Design

    @classmethod
    def open(cls, paths: RunPaths) -> "RunFolder":
        """The run in a folder.

        Raises
        ------
        InvalidInput
            If there is no run.
        CorruptFile
            If its description cannot be read.
        """
        if not paths.manifest.is_file():
            raise InvalidInput(f"{paths.root} holds no run: there is no {paths.manifest.name}")
        manifest = Manifest.read(paths.manifest)
        return cls(paths, manifest, _read_design(paths, manifest))

    @classmethod
    def create(
        cls, paths: RunPaths, manifest: Manifest, design: Design, records: Records
    ) -> "RunFolder":
        """A new run; run.json comes last, so that a folder with it is complete."""
        for folder in (paths.root, paths.fits, paths.failures):
            files.make_folder(folder)
        _write_records(paths, manifest, records)
        return cls._describe(paths, manifest, design)

    def extend(self, manifest: Manifest, design: Design) -> "RunFolder":
        """The same run with a larger plan; finished fits stay."""
        kept = ("run_id", "created", "environment")
        update = {name: getattr(self.manifest, name) for name in kept}
        return self._describe(self.paths, manifest.model_copy(update=update), design)

    @classmethod
    def _describe(cls, paths: RunPaths, manifest: Manifest, design: Design) -> "RunFolder":
        _write_design(paths, manifest, design)
        files.write_atomically(paths.manifest, (manifest.model_dump_json(indent=2) + "\n").encode())
        return cls(paths, manifest, design)

    @property
    def models(self) -> KeptModels:
        """The models that the run keeps."""
        return KeptModels(self.paths, self.manifest.run_id, self.manifest.model.name)

    def keep(self, outcome: Outcome) -> None:
        """Write what came of a fit: weights, then log-likelihoods, or its failure.

        Weights that are there belong to the log-likelihoods that are there, whenever a start is
        killed: the latter go first and come last.
        """
        if outcome.failure is not None:
            text = json.dumps({"fit": outcome.fit, **asdict(outcome.failure)}, indent=2)
            files.write_atomically(self.paths.failure(outcome.fit), text.encode())
            return
        self.paths.fit(outcome.fit).unlink(missing_ok=True)
        self.models.keep(outcome)
        if outcome.fit != RELEASE:
            self._keep_log_prob(outcome)
        self.paths.failure(outcome.fit).unlink(missing_ok=True)

    def _keep_log_prob(self, outcome: Outcome) -> None:
        rows = self.design.counted_rows(outcome.fit)
        columns = {
            "record": rows,
            "epoch": np.full(len(rows), outcome.epoch, dtype=np.int32),
            "included": self.design.trained_on(outcome.fit)[rows].astype(np.uint8),
            "log_prob": outcome.log_prob,
        }
        parquet.write(
            self.paths.fit(outcome.fit),
            columns,
            {"run_id": self.manifest.run_id, "fit": outcome.fit, **outcome.facts},
            use_dictionary=["epoch", "included"],
            column_encoding={"record": "DELTA_BINARY_PACKED", "log_prob": "BYTE_STREAM_SPLIT"},
        )

    def log_prob(self, fit: int) -> NDArray[np.float64]:
        """Log-likelihoods of the rows that a finished fit counts, after its last epoch, nats.

        Raises
        ------
        CorruptFile
            If the file is truncated or altered.
        ForeignFile
            If it belongs to another run or another fit.
        """
        path = self.paths.fit(fit)
        table, facts = parquet.read(path, ("record", "epoch", "included", "log_prob"))
        if facts.get("run_id") != self.manifest.run_id or facts.get("fit") != fit:
            raise ForeignFile(f"{path} belongs to another run or fit; move it away")
        epoch = table["epoch"].to_numpy()
        if len(epoch) and (epoch != epoch[-1]).any():
            table = table.filter(pa.array(epoch == epoch.max()))
        rows = self.design.counted_rows(fit)
        if not np.array_equal(table["record"].to_numpy(), rows) or not np.array_equal(
            table["included"].to_numpy(), self.design.trained_on(fit)[rows]
        ):
            raise CorruptFile(f"{path} does not hold the records that the plan says")
        log_prob = table["log_prob"].to_numpy()
        if np.isnan(log_prob).any() or (log_prob == np.inf).any():
            raise CorruptFile(f"{path} holds log-likelihoods that are NaN or +inf")
        return np.asarray(log_prob)

    def facts(self, fit: int) -> dict[str, Any]:
        """What is known of a finished fit: seconds, memory, versions, processor."""
        return parquet.read(self.paths.fit(fit))[1]

    def unfinished(self) -> tuple[list[int], list[CorruptFile]]:
        """Fits still to do, and why some that have a file are among them.

        Raises
        ------
        ForeignFile
            If a fit's file belongs to another run: it is not ours to replace.
        """
        todo, damaged = [], []
        for fit in range(self.design.fits):
            if not self.paths.fit(fit).is_file():
                todo.append(fit)
                continue
            try:
                self.log_prob(fit)
            except ForeignFile:
                raise
            except CorruptFile as error:
                todo.append(fit)
                damaged.append(error)
        return todo, damaged

    def missing(self) -> list[int]:
        """Fits that have no file."""
        return [fit for fit in range(self.design.fits) if not self.paths.fit(fit).is_file()]

    def failures(self) -> dict[int, Failure]:
        """The failed fits that no later start has repaired."""
        found = {}
        for fit in range(self.design.fits):
            path = self.paths.failure(fit)
            if path.is_file():
                found[fit] = _read_failure(path)
        return found

    def table(self, *, partial: bool = False) -> Table:
        """Everything that the finished fits found.

        Raises
        ------
        IncompleteRun
            If fits are missing and ``partial`` is false.
        CorruptFile
            If a fit's file cannot be trusted.
        """
        missing = self.missing()
        if missing and not partial:
            raise IncompleteRun(self.complaint(missing))
        scored = self.design.scored
        rows = np.arange(self.design.n, dtype=np.uint32) if scored is None else scored
        values = np.full((self.design.fits, len(rows)), np.nan)
        for fit in sorted(set(range(self.design.fits)) - set(missing)):
            counted = self.design.counted[fit]
            place = slice(None) if counted is None else np.searchsorted(rows, counted)
            values[fit, place] = self.log_prob(fit)
        return Table(self.design, rows, values, tuple(missing))

    def complaint(self, missing: Iterable[int]) -> str:
        """One sentence about the fits that are not there."""
        missing, failed = list(missing), self.failures()
        text = f"{len(missing)} of {self.design.fits} fits are missing from {self.paths.root}"
        if failed:
            first, failure = next(iter(failed.items()))
            numbers = ", ".join(map(str, list(failed)[:5])) + (", …" if len(failed) > 5 else "")
            text += f" ({len(failed)} failed: {numbers}; fit {first} by {failure})"
        return f"{text}; start the same run again to do them"

    def check_release(self) -> None:
        """Whether the release model is there.

        Raises
        ------
        IncompleteRun
            If it is not, with what is known of why.
        """
        if self.paths.model(RELEASE).is_file():
            return
        failed = self.paths.failure(RELEASE)
        why = f"its fit failed by {_read_failure(failed)}" if failed.is_file() else "it was not fit"
        raise IncompleteRun(
            f"the release model is missing from {self.paths.root}: {why};"
            " start the same run again to do it"
        )

    def ids_and_labels(self) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Ids and labels of the records, in the order of the data."""
        table, facts = parquet.read(self.paths.records, ("id",))
        if facts.get("run_id") != self.manifest.run_id:
            raise ForeignFile(f"{self.paths.records} belongs to another run")
        ids = parquet.column(table["id"])
        return ids, parquet.column(table["label"]) if "label" in table.column_names else None


def _read_failure(path: Path) -> Failure:
    try:
        content = json.loads(path.read_bytes())
        return Failure(content["type"], content["place"], content.get("message"))
    except (ValueError, KeyError, TypeError):  # it only explains; the fit is missing all the same
        return Failure("unknown", f"a place that {path.name} should name but cannot be read")


def _write_records(paths: RunPaths, manifest: Manifest, records: Records) -> None:
    columns = {"id": records.ids}
    if records.labels is not None:
        columns["label"] = records.labels
    parquet.write(paths.records, columns, {"run_id": manifest.run_id})


def _write_design(paths: RunPaths, manifest: Manifest, design: Design) -> None:
    rows = pa.list_(pa.uint32())
    columns = {
        "fit": np.arange(design.fits, dtype=np.uint32),
        "repeat": design.repeat,
        "fold": design.fold,
        "group": design.group,
        "leader": design.leader,
        "held_out": pa.array(design.held_out, type=rows),
        "counted": pa.array(design.counted, type=rows),
    }
    parquet.write(paths.plan, columns, {"run_id": manifest.run_id})


def _read_design(paths: RunPaths, manifest: Manifest) -> Design:
    columns = ("fit", "repeat", "fold", "group", "held_out", "counted")
    table, facts = parquet.read(paths.plan, columns)
    plan = manifest.plan
    if facts.get("run_id") != manifest.run_id or len(table) < plan.fits:
        raise ForeignFile(f"{paths.plan} belongs to another run")
    table = table.slice(0, plan.fits)  # longer where a start was killed while it extended the run
    return Design(
        n=manifest.data.records,
        repeat=table["repeat"].to_numpy(),
        fold=table["fold"].to_numpy(),
        group=table["group"].to_numpy(),
        **({"leader": table["leader"].to_numpy()} if "leader" in table.column_names else {}),
        held_out=_lists(table["held_out"]),
        counted=_lists(table["counted"]),
        randomized=plan.randomized,
        units=plan.units,
    )


def _lists(column: Any) -> list[Any]:
    return [
        None if not value.is_valid else np.asarray(value.values.to_numpy(zero_copy_only=False))
        for value in column
    ]
