"""A configuration that was carried out: its exposures, beside what is known of its fits."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.canary_records import CanaryRecords
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.levels import mean_exposure
from byrote.scores.exposure.trajectory import ExposureOverTraining
from byrote.studies.carried import CarriedRun
from byrote.studies.exposure.declaration import Configuration


@dataclass(frozen=True, eq=False)
class Carried(CarriedRun):
    """A configuration with its request and its run folder, of which some fits are finished."""

    configuration: Configuration

    @property
    def records(self) -> CanaryRecords:
        """What was planted, and in what."""
        assert isinstance(self.request.records, CanaryRecords)  # noqa: S101 (an exposure run's)
        return self.request.records

    @property
    def result(self) -> ExposureResult:
        """Exposure after training, by the best estimate for each canary."""
        return self.by("auto")

    def by(self, method: str) -> ExposureResult:
        """Exposure after training by one method, of the fits that are finished."""
        return self.run.exposure(method=method, partial=True)

    @property
    def course(self) -> ExposureOverTraining:
        """Exposure in the course of training."""
        course: ExposureOverTraining = self.run.trajectory(partial=True)
        return course

    def rows(self, pattern: int, inserted: int | None = None) -> NDArray[np.intp]:
        """Rows of the run that are of a pattern and, if it is given, inserted so often."""
        which = self.result.pattern == pattern
        if inserted is not None:
            which &= self.result.inserted == inserted
        return np.flatnonzero(which)

    def mean_exposure(self, which: NDArray[np.intp]) -> tuple[float, float, float]:
        """Mean exposure of some rows, in bits, with its 95 % interval over secrets."""
        found = self.result.exposure
        return mean_exposure(found.bits[which], found.ids[which], found.saturated[which])

    def released(self) -> Any:
        """The model that was kept: that of the first fit."""
        return self.run.model(self.run.design.release)
