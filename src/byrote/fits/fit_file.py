"""The file of one finished fit: rows by epoch, then by record."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from byrote.errors import CorruptFile, ForeignFile
from byrote.fits import parquet
from byrote.fits.content import Scored
from byrote.fits.job import Outcome
from byrote.plans import Design

_COLUMNS = ("record", "epoch", "included", "log_prob")


@dataclass(frozen=True)
class FitFile:
    """Where a fit of a run is, and what must be in it."""

    path: Path
    run_id: str
    design: Design
    fit: int

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
        return parquet.describe(self.path)[1]

    def epochs(self) -> list[int]:
        """The epochs that were scored, the last one last; [0] where a model has none."""
        named = self.facts().get("epochs")
        if named is None:  # a file that names them in its column alone
            table, _ = parquet.read(self.path, ("epoch",), alone=True)
            named = np.unique(table["epoch"].to_numpy()).tolist()
        return sorted(named) or [0]

    def log_prob(self, epoch: int | None = None) -> NDArray[np.float64]:
        """Log-likelihoods of the counted rows after an epoch, the last if none is given, nats.

        Raises
        ------
        CorruptFile
            If the file is truncated or altered.
        ForeignFile
            If it belongs to another run or another fit.
        """
        return self._checked(self._rows(_COLUMNS, epoch))

    def _checked(self, table: Any) -> NDArray[np.float64]:
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
        names = [name for name in parquet.describe(self.path)[0] if name not in _COLUMNS]
        if not names:
            return {}
        table = self._rows(("epoch", *names), self.epochs()[-1] if epoch is None else epoch)
        return {name: np.asarray(table[name].to_numpy()) for name in names}

    def check(self) -> None:
        """Read all that is in the file.

        Raises
        ------
        CorruptFile, ForeignFile
            As ``log_prob``.
        """
        epochs = self.epochs()
        if len(epochs) == 1:
            self.log_prob()
            self.diagnostics()
            return
        table = self._owned(())  # once: to open a file of many epochs for each of them takes long
        table = table.select(_COLUMNS).combine_chunks()
        there = table["epoch"].to_numpy()
        for epoch in epochs:
            first, last = np.searchsorted(there, [epoch, epoch + 1])
            self._checked(table.slice(first, last - first))

    def _rows(self, columns: tuple[str, ...], epoch: int | None) -> Any:
        """The rows of one epoch; the others are not read where the file is written as above."""
        where = None if epoch is None else pc.field("epoch") == epoch
        table = self._owned(columns, alone=True, where=where)
        found = table["epoch"].to_numpy()
        if len(found) and (found != found[-1]).any():
            table = table.filter(pa.array(found == found.max()))
        return table

    def _owned(self, columns: tuple[str, ...], **how: Any) -> Any:
        """What ``parquet.read`` gives of a file that must be this fit's."""
        table, facts = parquet.read(self.path, columns, **how)
        if facts.get("run_id") != self.run_id or facts.get("fit") != self.fit:
            raise ForeignFile(f"{self.path} belongs to another run or fit; move it away")
        return table


def _diagnostics(scored: Sequence[Scored]) -> dict[str, NDArray[Any]]:
    """Columns of diagnostics, NaN after an epoch of which there are none."""
    columns = {}
    for name in dict.fromkeys(name for each in scored for name in each.diagnostics):
        blank = np.full(len(scored[-1].log_prob), np.nan, dtype=np.float32)
        columns[name] = np.concatenate([each.diagnostics.get(name, blank) for each in scored])
    return columns
