"""Kinds of runs: all that depends on what the records are, one file for each kind."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from byrote.data.canary_records import CanaryRecords
from byrote.plans import Design
from byrote.runs.forecast import Costs, Planned
from byrote.runs.job import Content
from byrote.runs.kinds.arrays import Arrays
from byrote.runs.kinds.canaries import Canaries
from byrote.runs.manifest import Manifest
from byrote.runs.paths import RunPaths

RecordFile = tuple[Path, Callable[[Manifest], None], Callable[[Manifest], object]]


class Kind(Protocol):
    """The records of a run, of one kind."""

    @property
    def records(self) -> Any:
        """The records."""

    @property
    def content(self) -> type[Content]:
        """What workers make of the array that they share."""

    @property
    def refused(self) -> str:
        """What a model refuses, for the sentence that says so."""

    @property
    def own_errors(self) -> tuple[type[BaseException], ...]:
        """Errors whose texts quote no record."""

    @property
    def places(self) -> int:
        """Number of lines before which copies can be inserted; 0 where nothing is inserted."""

    def check(self, model: Any) -> None:
        """Refuse a model that cannot take such records, as far as that shows without training."""

    def parts(self, design: Design, seed: int) -> Iterator[tuple[int, Any]]:
        """Yield growing parts of the records with their sizes, for trial fits."""

    def made_up(self, design: Design, seed: int) -> Any:
        """Return a part like them without a real record; None if there is none."""

    def try_fit(self, model: Any, part: Any, *, track: bool, keep: bool, threads: int) -> None:
        """Train and score on a part as a fit of the run would."""

    def forecast(self, planned: Planned) -> Costs:
        """Forecast time, memory and disk from pilot fits."""

    def files(self, paths: RunPaths) -> Sequence[RecordFile]:
        """Files of the run folder besides ids and labels, with what writes and what reads each."""


def kind_of(records: Any) -> Kind:
    """Return the kind of run that these records make."""
    return Canaries(records) if isinstance(records, CanaryRecords) else Arrays(records)
