"""Which records of a run the samples of a kept model reproduce."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from byrote.columnar import Columnar, Columns
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.neighbors.extracted_records import reproduced_rows
from byrote.stats.estimate import Estimate

Array = NDArray[np.float64]
_ESTIMATES = ("rate", "control", "inside", "ratio", "ratio_control")


@dataclass(frozen=True, eq=False, repr=False)
class RecordExtraction(Columnar):
    """Which of the n records that a kept model trained on its samples reproduce.

    Attributes
    ----------
    ids
        (n,) ids of these records.
    samples
        (n,) number of samples that reproduce each.
    distance
        (n,) smallest adaptive distance of the samples to which no other record is nearer; NaN
        without any.
    score
        (n,) memorization scores M; NaN for records not scored.
    rate, control, inside, threshold
        As of ``ExtractedRecords``.
    ratio, ratio_control
        Rate and control by the ratio of distances, as ``memorization_ratio`` counts.
    drawn
        Number of samples.
    held_out
        Number of records of the control; 0 without.
    fit
        Fit whose model was sampled; None for the release model.
    seed
        Seed of the samples.
    description
        Of the run, its ``run_id``.
    """

    FORMAT = "byrote-record-extraction-1"
    CONTENT = "extraction of records"

    samples: NDArray[np.intp]
    distance: Array
    score: Array
    rate: Estimate
    control: Estimate
    inside: Estimate
    threshold: float
    ratio: Estimate
    ratio_control: Estimate
    drawn: int
    held_out: int
    fit: int | None
    seed: int
    description: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"RecordExtraction({len(self.rows):,} of {len(self):,} records in"
            f" {self.drawn:,} samples)"
        )

    @property
    def rows(self) -> NDArray[np.intp]:
        """Rows of the reproduced records, most often reproduced first."""
        return reproduced_rows(self.samples)

    def beside(self, result: MemorizationResult) -> Self:
        """Return this with the memorization scores of a result, NaN for records without one."""
        score_of = dict(zip(result.ids.tolist(), result.score.tolist(), strict=True))
        score = [score_of.get(name, np.nan) for name in self.ids.tolist()]
        return replace(self, score=np.array(score))

    def facts(self) -> dict[str, Any]:
        """Return what is not a column, as plain data."""
        facts = {**super().facts(), "description": dict(self.description)}
        return facts | {name: vars(facts[name]) for name in _ESTIMATES}

    @classmethod
    def from_columns(cls, columns: Columns, facts: Mapping[str, Any]) -> Self:
        """Make a result from what ``columns`` and ``facts`` return."""
        estimates = {name: Estimate(**facts[name]) for name in _ESTIMATES}
        return super().from_columns(columns, {**facts, **estimates})
