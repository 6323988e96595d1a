"""Records of a table: standardized for the model, with densities in the table's units."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.data.columns import Columns
from byrote.data.standardization import Standardization
from byrote.errors import InvalidInput
from byrote.models import contract
from byrote.models.labels import takes_labels
from byrote.plans import Design
from byrote.runs.job import Content
from byrote.runs.kinds.arrays import ArrayContent, Arrays

_FEW = 64


@dataclass(frozen=True, eq=False)
class TableContent(ArrayContent):
    """The (n, width + 1) array of all records; the last column is log |dy/dx| of each."""

    def values(self, rows: NDArray[np.integer] | None) -> NDArray[Any]:
        """Return the records in these rows, or all, as the model gets them."""
        return np.ascontiguousarray(super().values(rows)[:, :-1])

    def log_determinant(self, rows: NDArray[np.integer] | None) -> Any:
        """Return what turns log-densities of values into those of records, (n,)."""
        return super().values(rows)[:, -1].astype(np.float64)


@dataclass(frozen=True, eq=False)
class Tables(Arrays):
    """A run on records of a table.

    ``standardize``: whether the model gets numbers at mean 0 and standard deviation 1.
    """

    standardize: bool = True
    content: ClassVar[type[Content]] = TableContent

    @cached_property
    def shared(self) -> NDArray[Any]:
        """The records as the model gets them, and their log-determinants."""
        return np.column_stack([self._values, self._units.log_determinant(self.records.x)]).astype(
            self.records.x.dtype
        )

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
        return np.column_stack([*made_up, flags, np.zeros(count)]).astype(self.records.x.dtype)

    def in_units(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Return samples of a model in the units of the table, encoded as its records."""
        return self._units.restore(samples)

    @cached_property
    def _units(self) -> Standardization:
        if self.standardize:
            return Standardization.of(self._columns, self.records.x)
        return Standardization.none(self._columns)

    @property
    def _columns(self) -> Columns:
        columns = self.records.columns
        assert columns is not None  # noqa: S101 (of a table)
        return columns

    @cached_property
    def _values(self) -> NDArray[Any]:
        """The records as the model gets them."""
        x = self.records.x
        return self._units.apply(x) if self.standardize else x
