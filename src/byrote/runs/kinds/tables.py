"""Records of a table: standardized for the model, with densities in the table's units.

Models get rows, and plans number them, in the order of their content.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.data.columns import Columns
from byrote.data.standardization import Standardization
from byrote.errors import InvalidInput
from byrote.models import contract
from byrote.models.labels import takes_labels
from byrote.plans import Design
from byrote.runs.job import Content, Job, Scored
from byrote.runs.kinds.arrays import ArrayContent, Arrays

if TYPE_CHECKING:
    import pandas as pd

_FEW = 64


@dataclass(frozen=True, eq=False)
class TableContent(ArrayContent):
    """The (n, width + 2) array of all records; then log |dy/dx| of each, and its place.

    A model gets records by their places, in training and to score.
    """

    def values(self, rows: NDArray[np.integer] | None) -> NDArray[Any]:
        """Return the records in these rows, or all, as the model gets them."""
        return np.ascontiguousarray(super().values(rows)[:, :-2])

    def log_determinant(self, rows: NDArray[np.integer] | None) -> Any:
        """Return what turns log-densities of values into those of records, (n,)."""
        return super().values(rows)[:, -2].astype(np.float64)

    def training(self, model: Any, job: Job) -> NDArray[Any]:
        """Return the rows that are not held out."""
        order = np.argsort(self.x[:, -1], kind="stable")
        place = np.argsort(order)
        out, leader = job.held_out, job.leader_held_out
        placed = replace(
            job,
            held_out=np.sort(place[out]),
            leader_held_out=None if leader is None else np.sort(place[leader]),
        )
        return contract.as_input(model, self.values(order[placed.training_rows()]))

    def scored(self, model: Any, job: Job, *, mid_training: bool = False) -> Scored:
        """Score the counted rows."""
        rows = np.arange(job.n, dtype=np.uint32) if job.counted is None else job.counted
        order = self._by_place(rows)
        scored = super().scored(model, replace(job, counted=rows[order]), mid_training=mid_training)
        return scored.take(np.argsort(order))

    def loss(self, model: Any, job: Job) -> float:
        """Compute the model's loss on held-out records, in nats per record."""
        rows = job.held_out
        return super().loss(model, replace(job, held_out=rows[self._by_place(rows)]))

    def _by_place(self, rows: NDArray[Any]) -> NDArray[np.intp]:
        return np.argsort(self.x[rows, -1], kind="stable")


@dataclass(frozen=True, eq=False)
class Tables(Arrays):
    """A run on records of a table.

    ``standardize``: whether the model gets numbers at mean 0 and standard deviation 1. ``by_name``:
    whether it gets columns in the order of their names. ``is_density``: whether its values are log
    p, which has units.
    """

    standardize: bool = True
    by_name: bool = False
    is_density: bool = True
    content: ClassVar[type[Content]] = TableContent

    @cached_property
    def shared(self) -> NDArray[Any]:
        """The records as the model gets them, and their log-determinants."""
        order = self.records.order
        assert order is not None  # noqa: S101 (of a table)
        units = self._units.log_determinant(self._x) * self.is_density
        return np.column_stack([self._values, units, np.argsort(order)]).astype(self._x.dtype)

    def check(self, model: Any) -> None:
        """Reject categories and gaps of which the model has no density."""
        name, column = type(model).__name__, self._columns.first_not_number()
        if column is not None and not contract.takes_categories(model):
            holds = "lacks values" if column.categories is None else "holds categories"
            raise InvalidInput(
                f"column {column.name!r} {holds}, of which {name} has no density: VAE (--model vae)"
                f" and FromSamples (--from-samples) take such tables; or drop it (--drop"
                f" {column.name})"
            )
        if takes_labels(model):
            raise InvalidInput(
                f"classes must be None for {name} of a table, in which a label is a column"
            )
        if self.records.standardize and contract.takes_units(model):
            raise InvalidInput(
                f"standardize must be left out for {name}, which takes columns in their own units"
            )
        super().check(model)

    def made_up(self, design: Design, seed: int) -> NDArray[Any]:
        """Draw records with such columns: normal numbers, and any categories."""
        count = min(_FEW, len(design.training_rows(0)))
        generator = seeds.generator(seed, seeds.Purpose.REHEARSAL, 2)
        columns = self._columns
        made_up = [
            generator.standard_normal(count)
            if isinstance(kind, str)
            else generator.integers(kind, size=count)
            for kind in columns.kinds
        ]
        flags = generator.integers(2, size=(count, columns.width - len(made_up)))
        zeros = np.zeros(count)
        return np.column_stack([*made_up, flags, zeros, zeros]).astype(self.records.x.dtype)

    def in_units(self, samples: NDArray[Any]) -> "pd.DataFrame":
        """Return samples of a model as a data frame like the table, in its units."""
        places = self._columns.places(self._named)
        return self._named.decode(self._units.restore(samples)[:, places])

    @cached_property
    def _units(self) -> Standardization:
        if self.standardize:
            return Standardization.of(self._columns, self._x)
        return Standardization.none(self._columns)

    @property
    def _named(self) -> Columns:
        """The columns in the order of the table."""
        columns = self.records.columns
        assert columns is not None  # noqa: S101 (of a table)
        return columns

    @cached_property
    def _columns(self) -> Columns:
        """The columns in the order in which the model gets them."""
        return self._named.by_name() if self.by_name else self._named

    @cached_property
    def _x(self) -> NDArray[Any]:
        """The records in the table's units, in the order of the model's columns."""
        return self.records.x[:, self._named.places(self._columns)]

    @cached_property
    def _values(self) -> NDArray[Any]:
        """The records as the model gets them."""
        return self._units.apply(self._x) if self.standardize else self._x
