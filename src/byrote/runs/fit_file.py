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
from byrote.runs import parquet, sealed
from byrote.runs.job import Outcome, Scored

_COLUMNS = ("record", "epoch", "included", "log_prob")


CACHED_BYTES = 1 << 28  # of decoded fit files that an open run holds


@dataclass(frozen=True)
class _Rows:
    """The rows of a fit file, in memory or still in the file, with the facts about the fit."""

    source: pa.Table | pq.ParquetFile
    facts: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        file = isinstance(self.source, pq.ParquetFile)
        return list((self.source.schema_arrow if file else self.source.schema).names)

    def of_epoch(self, place: int, columns: Sequence[str]) -> pa.Table:
        """The rows of the epoch at this place among those scored."""
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
        """The same rows, all of them read."""
        if isinstance(self.source, pa.Table):
            return self
        return _Rows(self.source.read(use_threads=False), self.facts)


class FitCache:
    """Decoded fit files of an open run, so that each is read once; the first ones that fit in."""

    def __init__(self, most: int = CACHED_BYTES) -> None:
        self.verified: sealed.Seen = {}  # larger files are read again, but verified once
        self._room = most
        self._held: dict[Path, tuple[_Rows, int]] = {}

    def get(self, path: Path) -> _Rows | None:
        """What was read of a file, if it is held."""
        rows, _ = self._held.get(path, (None, 0))
        return rows

    def keep(self, path: Path, rows: _Rows, size: int) -> _Rows:
        """Read and hold a file of this decoded size, if there is room for it."""
        if size > self._room:
            return rows
        self._room -= size
        self._held[path] = held = rows.in_memory(), size
        return held[0]

    def forget(self, path: Path) -> None:
        """Drop a file that is written again."""
        _, size = self._held.pop(path, (None, 0))
        self._room += size


@dataclass(frozen=True)
class FitFile:
    """Where a fit of a run is, and what must be in it."""

    path: Path
    run_id: str
    design: Design
    fit: int
    cache: FitCache = field(default_factory=FitCache, compare=False, repr=False)

    def write(self, outcome: Outcome) -> None:
        """Keep the log-likelihoods of a fit that succeeded; one row group for each epoch."""
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
        with self._opened() as rows:
            return rows.facts

    def epochs(self) -> list[int]:
        """The epochs that were scored, the last one last; [0] where a model has none."""
        with self._opened() as rows:
            return list(rows.facts["epochs"])

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
        with self._opened() as rows:
            names = [name for name in rows.names if name not in _COLUMNS]
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
        with self._opened() as opened:
            rows = opened.in_memory()  # once, whatever the number of epochs
            for place, epoch in enumerate(rows.facts["epochs"]):
                self._checked(self._of(rows.of_epoch(place, rows.names), epoch))

    def _rows(self, epoch: int | None, columns: tuple[str, ...]) -> pa.Table:
        """The rows of one epoch, or the last."""
        with self._opened() as rows:
            epochs = rows.facts["epochs"]
            place = len(epochs) - 1 if epoch is None else epochs.index(epoch)
            return self._of(rows.of_epoch(place, columns), epochs[place])

    def _of(self, table: pa.Table, epoch: int) -> pa.Table:
        """Rows that must be of one epoch, and of every row that the fit counts."""
        there = table["epoch"].to_numpy()
        if len(there) != len(self.design.counted_rows(self.fit)) or (there != epoch).any():
            raise CorruptFile(f"{self.path} does not hold the epochs that it says")
        return table

    @contextmanager
    def _opened(self) -> Iterator[_Rows]:
        """The rows of a file that must be this fit's, from memory if it was read before."""
        held = self.cache.get(self.path)
        if held is not None:
            yield held
            return
        with parquet.opened(self.path, _COLUMNS, seen=self.cache.verified) as (file, facts):
            if facts.get("run_id") != self.run_id or facts.get("fit") != self.fit:
                raise ForeignFile(f"{self.path} belongs to another run or fit; move it away")
            epochs, rows = facts["epochs"], len(self.design.counted_rows(self.fit))
            if not epochs or epochs != sorted({int(epoch) for epoch in epochs}):
                raise CorruptFile(f"{self.path} does not say in order which epochs it holds")
            if file.metadata.num_rows != rows * len(epochs):
                raise CorruptFile(f"{self.path} does not hold the records that the plan says")
            size = 8 * file.metadata.num_rows * file.metadata.num_columns
            yield self.cache.keep(self.path, _Rows(file, facts), size)


def _diagnostics(scored: Sequence[Scored]) -> dict[str, NDArray[Any]]:
    """Columns of diagnostics, NaN after an epoch of which there are none."""
    columns = {}
    for name in dict.fromkeys(name for each in scored for name in each.diagnostics):
        blank = np.full(len(scored[-1].log_prob), np.nan, dtype=np.float32)
        columns[name] = np.concatenate([each.diagnostics.get(name, blank) for each in scored])
    return columns
