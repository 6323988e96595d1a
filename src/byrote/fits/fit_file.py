"""The file of one finished fit: rows by epoch, then by record."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from byrote.errors import CorruptFile, ForeignFile
from byrote.fits import parquet, sealed
from byrote.fits.content import Scored
from byrote.fits.job import Outcome
from byrote.plans import Design

_COLUMNS = ("record", "epoch", "included", "log_prob")


@dataclass(frozen=True)
class FitFile:
    """Where a fit of a run is, and what must be in it; ``seen``: files that were verified."""

    path: Path
    run_id: str
    design: Design
    fit: int
    seen: sealed.Seen = field(default_factory=dict)

    def write(self, outcome: Outcome) -> None:
        """Keep the log-likelihoods of a fit that succeeded; one row group for each epoch."""
        assert outcome.scored is not None  # noqa: S101 (it succeeded)
        rows = self.design.counted_rows(self.fit)
        scored = [*(outcome.tracked[epoch] for epoch in sorted(outcome.tracked)), outcome.scored]
        epochs = [*sorted(outcome.tracked), outcome.epoch]
        columns = {
            "record": np.tile(rows, len(epochs)),
            "epoch": np.repeat(np.array(epochs, dtype=np.int32), len(rows)),
            "included": np.tile(self._included(rows), len(epochs)),
            "log_prob": np.concatenate([each.log_prob for each in scored]),
            **_diagnostics(scored),
        }
        parquet.write(
            self.path,
            columns,
            {"run_id": self.run_id, "fit": self.fit, "epochs": epochs, **outcome.facts},
            use_dictionary=["epoch", "included"],
            column_encoding={"record": "DELTA_BINARY_PACKED", "log_prob": "BYTE_STREAM_SPLIT"},
            row_group_size=max(1, len(rows)) if outcome.tracked else None,
        )

    def facts(self) -> dict[str, Any]:
        """What is known of the fit: epochs, losses, seconds, memory, versions, processor."""
        with self._opened() as (_, facts):
            return facts

    def epochs(self) -> list[int]:
        """The epochs that were scored, the last one last; [0] where a model has none."""
        with self._opened() as (_, facts):
            return list(facts["epochs"])

    def log_prob(self, epoch: int | None = None) -> NDArray[np.float64]:
        """Log-likelihoods of the counted rows after an epoch, the last if none is given, nats.

        Raises
        ------
        CorruptFile
            If the file is truncated or altered.
        ForeignFile
            If it belongs to another run or another fit.
        CannotRead
            If the disk does not give it, or there is no memory for it.
        """
        return self._checked(self._rows(epoch, _COLUMNS))

    def _checked(self, table: pa.Table) -> NDArray[np.float64]:
        """The log-likelihoods of one epoch, which must be of the rows that the plan says."""
        rows = self.design.counted_rows(self.fit)
        if not np.array_equal(table["record"].to_numpy(), rows) or not np.array_equal(
            table["included"].to_numpy(), self._included(rows)
        ):
            raise CorruptFile(f"{self.path} does not hold the records that the plan says")
        log_prob = table["log_prob"].to_numpy()
        if np.isnan(log_prob).any() or (log_prob == np.inf).any():
            raise CorruptFile(f"{self.path} holds log-likelihoods that are NaN or +inf")
        return np.asarray(log_prob)

    def _included(self, rows: NDArray[np.uint32]) -> NDArray[Any]:
        """How often the fit trains on each row."""
        times = self.design.included(self.fit)[rows]
        return times if self.design.inserts else times.astype(np.uint8)

    def diagnostics(self, epoch: int | None = None) -> dict[str, NDArray[Any]]:
        """What else is known of the rows after an epoch, the last if none is given, by name."""
        with self._opened() as (file, _):
            names = [name for name in file.schema_arrow.names if name not in _COLUMNS]
        if not names:
            return {}
        table = self._rows(epoch, ("epoch", *names))
        return {name: np.asarray(table[name].to_numpy()) for name in names}

    def check(self) -> None:
        """Read all that is in the file.

        Raises
        ------
        CorruptFile, ForeignFile, CannotRead
            As ``log_prob``.
        """
        with self._opened() as (file, facts):
            table = file.read(use_threads=False)  # once, whatever the number of epochs
            size = len(table) // len(facts["epochs"])
            for place, epoch in enumerate(facts["epochs"]):
                self._checked(self._of(table.slice(place * size, size), epoch))

    def _rows(self, epoch: int | None, columns: tuple[str, ...]) -> pa.Table:
        """The rows of one epoch; the others are not read where the file is written as above."""
        with self._opened() as (file, facts):
            epochs = facts["epochs"]
            place = len(epochs) - 1 if epoch is None else epochs.index(epoch)
            if file.num_row_groups == len(epochs):
                table = file.read_row_group(place, columns=[*columns], use_threads=False)
            else:
                size = file.metadata.num_rows // len(epochs)
                table = file.read(columns=[*columns], use_threads=False).slice(place * size, size)
            return self._of(table, epochs[place])

    def _of(self, table: pa.Table, epoch: int) -> pa.Table:
        """Rows that must be of one epoch, and of every row that the fit counts."""
        there = table["epoch"].to_numpy()
        if len(there) != len(self.design.counted_rows(self.fit)) or (there != epoch).any():
            raise CorruptFile(f"{self.path} does not hold the epochs that it says")
        return table

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        """What ``parquet.opened`` gives of a file that must be this fit's."""
        with parquet.opened(self.path, _COLUMNS, seen=self.seen) as (file, facts):
            if facts.get("run_id") != self.run_id or facts.get("fit") != self.fit:
                raise ForeignFile(f"{self.path} belongs to another run or fit; move it away")
            epochs, rows = facts["epochs"], len(self.design.counted_rows(self.fit))
            if not epochs or epochs != sorted({int(epoch) for epoch in epochs}):
                raise CorruptFile(f"{self.path} does not say in order which epochs it holds")
            if file.metadata.num_rows != rows * len(epochs):
                raise CorruptFile(f"{self.path} does not hold the records that the plan says")
            yield file, facts


def _diagnostics(scored: Sequence[Scored]) -> dict[str, NDArray[Any]]:
    """Columns of diagnostics, NaN after an epoch of which there are none."""
    columns = {}
    for name in dict.fromkeys(name for each in scored for name in each.diagnostics):
        blank = np.full(len(scored[-1].log_prob), np.nan, dtype=np.float32)
        columns[name] = np.concatenate([each.diagnostics.get(name, blank) for each in scored])
    return columns
