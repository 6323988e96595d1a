"""The file of one finished fit: rows by epoch, then by record."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from byrote.errors import CorruptFile, ForeignFile
from byrote.plans import Design
from byrote.runs import sealed
from byrote.runs.files import Later
from byrote.runs.job import Outcome, Scored

_COLUMNS = ("record", "epoch", "included", "log_prob")
CACHED_BYTES = 1 << 26  # of decoded fit files that an open run holds


@dataclass(frozen=True)
class _Rows:
    """The rows of a fit file, in memory or still in the file, with the facts about the fit."""

    source: pa.Table | pq.ParquetFile
    facts: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        is_file = isinstance(self.source, pq.ParquetFile)
        return list((self.source.schema_arrow if is_file else self.source.schema).names)

    def of_epoch(self, place: int, columns: Sequence[str]) -> pa.Table:
        """Return the rows of the epoch at this place among those scored."""
        epochs, columns = len(self.facts["epochs"]), [*columns]
        if isinstance(self.source, pa.Table):
            table = self.source.select(columns)
        elif self.source.num_row_groups == epochs:  # one for each epoch: leave the others unread
            return self.source.read_row_group(place, columns=columns, use_threads=False)
        else:
            table = self.source.read(columns=columns, use_threads=False)
        size = len(table) // epochs
        return table.slice(place * size, size)

    def in_memory(self) -> "_Rows":
        """Read all rows."""
        if isinstance(self.source, pa.Table):
            return self
        return _Rows(self.source.read(use_threads=False), self.facts)


class FitCache:
    """Decoded fit files of an open run, each read once, as many as fit into memory.

    Large files of which only a few would fit are not kept: that would save little reading.
    """

    def __init__(self, most: int = CACHED_BYTES) -> None:
        self.verified: sealed.Verified = {}  # larger files are read again, but verified once
        self._most = self._room = most
        self._entries: dict[Path, tuple[_Rows, int]] = {}

    def get(self, path: Path) -> _Rows | None:
        """Return the rows of a file, if cached."""
        rows, _ = self._entries.get(path, (None, 0))
        return rows

    def keep(self, path: Path, rows: _Rows, size: int, *, files: int) -> _Rows:
        """Read and cache a file of this decoded size, one of N ``files``, if there is room."""
        large = size > self._most // 8 and size * files > self._most
        if size > self._room or large:
            return rows
        self._room -= size
        self._entries[path] = entry = rows.in_memory(), size
        return entry[0]

    def forget(self, path: Path) -> None:
        """Drop a file that will be written again."""
        _, size = self._entries.pop(path, (None, 0))
        self._room += size


@dataclass(frozen=True)
class FitFile:
    """The file of one fit, and what it must hold."""

    path: Path
    run_id: str
    design: Design
    fit: int
    cache: FitCache = field(default_factory=FitCache, compare=False, repr=False)

    def write(self, outcome: Outcome, later: Later | None = None) -> None:
        """Write the log-likelihoods of a successful fit, one row group for each epoch.

        They stay in the cache, so that a run does not read again what it has just written.
        """
        assert outcome.scored is not None  # noqa: S101 (it succeeded)
        self.cache.forget(self.path)
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
        table, facts = sealed.write_parquet(
            self.path,
            columns,
            {"run_id": self.run_id, "fit": self.fit, "epochs": epochs, **outcome.facts},
            later=later,
            use_dictionary=["epoch", "included"],
            column_encoding={"record": "DELTA_BINARY_PACKED", "log_prob": "BYTE_STREAM_SPLIT"},
            row_group_size=max(1, len(rows)) if outcome.tracked else None,
        )
        size = _decoded_bytes(table)
        self.cache.keep(self.path, _Rows(table, facts), size, files=self.design.fits)

    def facts(self) -> dict[str, Any]:
        """Read the facts about the fit: epochs, losses, seconds, memory, versions, processor."""
        with self._opened() as rows:
            return rows.facts

    def epochs(self) -> list[int]:
        """Return the scored epochs, ascending; [0] for a model without epochs."""
        with self._opened() as rows:
            return list(rows.facts["epochs"])

    def log_prob(self, epoch: int | None = None) -> NDArray[np.float64]:
        """Read the log-likelihoods of the counted rows, nats (default: after the last epoch)."""
        return self._checked(self._rows(epoch, _COLUMNS))

    def diagnostics(self, epoch: int | None = None) -> dict[str, NDArray[Any]]:
        """Read the diagnostics of the counted rows by name (default: after the last epoch)."""
        with self._opened() as rows:
            names = [name for name in rows.names if name not in _COLUMNS]
        if not names:
            return {}
        table = self._rows(epoch, ("epoch", *names))
        return {name: sealed.column(table[name]) for name in names}

    def check(self) -> None:
        """Read and check the whole file."""
        with self._opened() as opened:
            rows = opened.in_memory()  # once, whatever the number of epochs
            for place, epoch in enumerate(rows.facts["epochs"]):
                self._checked(self._of_epoch(rows.of_epoch(place, rows.names), epoch))

    def _checked(self, table: pa.Table) -> NDArray[np.float64]:
        """Return the log-likelihoods of one epoch after checking that the rows are the plan's."""
        rows = self.design.counted_rows(self.fit)
        if not np.array_equal(sealed.column(table["record"]), rows) or not np.array_equal(
            sealed.column(table["included"]), self._included(rows)
        ):
            raise self._other_records()
        log_prob = sealed.column(table["log_prob"])
        if np.isnan(log_prob).any() or (log_prob == np.inf).any():
            raise CorruptFile(f"{self.path} holds log-likelihoods that are NaN or +inf")
        return log_prob

    def _included(self, rows: NDArray[np.uint32]) -> NDArray[Any]:
        """Return the number of times that the fit trains on each row."""
        times = self.design.included(self.fit)[rows]
        return times if self.design.inserts else times.astype(np.uint8)

    def _rows(self, epoch: int | None, columns: tuple[str, ...]) -> pa.Table:
        with self._opened() as rows:
            epochs = rows.facts["epochs"]
            place = len(epochs) - 1 if epoch is None else epochs.index(epoch)
            return self._of_epoch(rows.of_epoch(place, columns), epochs[place])

    def _of_epoch(self, table: pa.Table, epoch: int) -> pa.Table:
        """Check that rows are of one epoch, and as many as the fit counts."""
        epochs = sealed.column(table["epoch"])
        if len(epochs) != len(self.design.counted_rows(self.fit)) or (epochs != epoch).any():
            raise CorruptFile(f"{self.path} does not hold the epochs that it names")
        return table

    @contextmanager
    def _opened(self) -> Iterator[_Rows]:
        """Open the file, or take it from the cache, and check that it is this fit's."""
        cached = self.cache.get(self.path)
        if cached is not None:
            yield cached
            return
        with sealed.opened_parquet(self.path, _COLUMNS, verified=self.cache.verified) as (
            file,
            facts,
        ):
            if facts.get("run_id") != self.run_id or facts.get("fit") != self.fit:
                raise ForeignFile(f"{self.path} belongs to another run or fit; move it away")
            epochs, rows = facts["epochs"], len(self.design.counted_rows(self.fit))
            if not epochs or epochs != sorted({int(epoch) for epoch in epochs}):
                raise CorruptFile(f"{self.path} does not name its epochs in ascending order")
            if file.metadata.num_rows != rows * len(epochs):
                raise self._other_records()
            size = _decoded_bytes(file.metadata)
            yield self.cache.keep(self.path, _Rows(file, facts), size, files=self.design.fits)

    def _other_records(self) -> CorruptFile:
        return CorruptFile(f"{self.path} does not hold the records of the plan")


def _decoded_bytes(table: pa.Table | pq.FileMetaData) -> int:
    """Return the most memory that the columns of a table take, of 8 bytes at most a value."""
    return 8 * table.num_rows * table.num_columns


def _diagnostics(scored: Sequence[Scored]) -> dict[str, NDArray[Any]]:
    """Return columns of diagnostics, NaN after epochs without them."""
    columns = {}
    for name in dict.fromkeys(name for each in scored for name in each.diagnostics):
        blank = np.full(len(scored[-1].log_prob), np.nan, dtype=np.float32)
        columns[name] = np.concatenate([each.diagnostics.get(name, blank) for each in scored])
    return columns
