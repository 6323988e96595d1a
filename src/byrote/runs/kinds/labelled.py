"""Records with labels that are conditions of the model."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.errors import InvalidInput
from byrote.models import contract
from byrote.models.labels import Labelled
from byrote.plans import Design
from byrote.runs.job import Content, Job, Scored, checked
from byrote.runs.kinds.arrays import ArrayContent, Arrays, loss_rows
from byrote.runs.sharing import readonly


@dataclass(frozen=True, eq=False)
class LabelledContent(ArrayContent):
    """The (n,) array of all records, each a pair of its values ``x`` and its ``label``."""

    def values(self, rows: NDArray[np.integer] | None) -> NDArray[Any]:
        """Return the values of the records in these rows, or all."""
        return np.ascontiguousarray(super().values(rows)["x"])

    def labels(self, rows: NDArray[np.integer] | None) -> NDArray[np.int64]:
        """Return the labels of the records in these rows, or all."""
        return np.ascontiguousarray(super().values(rows)["label"])

    def training(self, model: Any, job: Job) -> Any:
        """Return the rows that are not held out, with labels."""
        return Labelled(super().training(model, job), self.labels(job.training_rows()))

    def scored(self, model: Any, job: Job, *, mid_training: bool = False) -> Scored:  # noqa: ARG002
        """Score the counted rows, with their labels, by ``score_samples``."""
        x = readonly(contract.as_input(model, self.values(job.counted)))
        log_prob = model.score_samples(x, self.labels(job.counted))
        return Scored(checked(log_prob, len(x)), contract.diagnostics(model, len(x)))

    def loss(self, model: Any, job: Job) -> float:
        """Compute the model's loss on held-out records, in nats per record."""
        rows = loss_rows(job)
        if not contract.has_loss(model) or not len(rows):
            return float("nan")
        return float(model.loss(contract.as_input(model, self.values(rows)), self.labels(rows)))


@dataclass(frozen=True, eq=False)
class LabelledArrays(Arrays):
    """A run on records that are rows of an array, with labels as conditions."""

    content: ClassVar[type[Content]] = LabelledContent

    @cached_property
    def shared(self) -> NDArray[Any]:
        """The records with their labels, numbered from 0 in their order."""
        return self._paired(self.records.x, self._codes)

    def check(self, model: Any) -> None:
        """Reject records without labels, or with more different ones than the model takes."""
        if self.records.labels is None:
            raise InvalidInput(
                f"labels must be given for {type(model).__name__} with classes (--labels)"
            )
        kinds = int(self._codes.max()) + 1
        if kinds > model.classes:
            raise InvalidInput(
                f"classes must be at least the number of different labels, {kinds}; got"
                f" {model.classes}"
            )
        super().check(model)

    def made_up(self, design: Design, seed: int) -> NDArray[Any]:
        """Draw records of the same shape, type and, roughly, range, with labels that occur."""
        x = super().made_up(design, seed)
        generator = seeds.generator(seed, seeds.Purpose.REHEARSAL, 2)
        return self._paired(x, generator.choice(self._codes, len(x)))

    @cached_property
    def _codes(self) -> NDArray[np.int64]:
        labels: Any = self.records.labels
        return np.unique(labels, return_inverse=True)[1].astype(np.int64)

    def _paired(self, x: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[Any]:
        pairs = np.empty(len(x), dtype=[("x", x.dtype, x.shape[1:]), ("label", np.int64)])
        pairs["x"], pairs["label"] = x, labels
        return pairs
