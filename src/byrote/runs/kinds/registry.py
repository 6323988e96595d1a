"""The protocol of kinds of runs, and the kind for given records."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from byrote.data.canary_records import CanaryRecords
from byrote.data.text_records import TextRecords
from byrote.models import contract
from byrote.models.assignment import takes_assignments
from byrote.models.labels import takes_labels
from byrote.models.statistic import Statistic
from byrote.plans import Design
from byrote.runs.forecast import Costs, Planned
from byrote.runs.job import Content
from byrote.runs.kinds.arrays import Arrays
from byrote.runs.kinds.assigned import Assigned
from byrote.runs.kinds.canaries import Canaries
from byrote.runs.kinds.labelled import LabelledArrays
from byrote.runs.kinds.tables import Tables
from byrote.runs.kinds.texts import Texts
from byrote.runs.paths import RunPaths
from byrote.runs.record_files import RecordFile


class Kind(Protocol):
    """A kind of run, with its records."""

    @property
    def records(self) -> Any:
        """The records."""

    @property
    def shared(self) -> NDArray[Any]:
        """The array that all workers share."""

    @property
    def content(self) -> type[Content]:
        """The content that workers read from the shared array."""

    @property
    def noun(self) -> str:
        """What the records are, for error messages."""

    @property
    def safe_errors(self) -> tuple[type[BaseException], ...]:
        """Errors whose messages quote no record."""

    @property
    def places(self) -> int:
        """Number of lines before which copies can be inserted; 0 where nothing is inserted."""

    def check(self, model: Any) -> None:
        """Reject a model that cannot take such records, as far as that shows without training."""

    def parts(self, design: Design, seed: int) -> Iterator[tuple[int, Any]]:
        """Yield growing parts of the records with their sizes, for trial fits."""

    def made_up(self, design: Design, seed: int) -> Any:
        """Return a similar part without real records; None if that is not possible."""

    def try_fit(self, model: Any, part: Any, *, track: bool, keep: bool, threads: int) -> None:
        """Train and score on a part as a fit of the run would."""

    def forecast(self, planned: Planned) -> Costs:
        """Forecast time, memory and disk from pilot fits."""

    def files(self, paths: RunPaths) -> Sequence[RecordFile]:
        """Return the files of the run folder that are made from the records."""


def kind_of(records: Any, model: Any) -> Kind:
    """Return the kind of run for these records and model."""
    if isinstance(records, CanaryRecords):
        return Canaries(records)
    if takes_assignments(model):
        return Assigned(records)
    if isinstance(records, TextRecords):
        return Texts(records)
    if records.columns is None:
        return LabelledArrays(records) if takes_labels(model) else Arrays(records)
    wanted = records.standardize
    return Tables(
        records,
        standardize=not contract.takes_units(model) if wanted is None else wanted,
        by_name=bool(getattr(model, "takes_columns_by_name", False)),
        is_density=getattr(model, "statistic", Statistic()) == Statistic(),
    )
