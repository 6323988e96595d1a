"""A configuration that was carried out: its run, its exposures, and what is known of its fits."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.canary_records import CanaryRecords
from byrote.fits.loading import load_model
from byrote.fits.paths import RunPaths
from byrote.fits.request import Request
from byrote.fits.store import RunFolder
from byrote.scores.exposure.course import ExposureOverTraining, course_of
from byrote.scores.exposure.loading import exposure_of
from byrote.scores.exposure.run import ExposureRun
from byrote.studies.exposure.declaration import Configuration

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Carried:
    """A configuration with its request and its run folder, of which some fits are finished."""

    configuration: Configuration
    request: Request
    folder: RunFolder

    @classmethod
    def open(cls, configuration: Configuration, request: Request, folder: Path) -> "Carried":
        """What is in a run folder."""
        return cls(configuration, request, RunFolder.open(RunPaths(folder)))

    @property
    def finished(self) -> bool:
        """Whether there is a finished fit."""
        return len(self.folder.missing()) < self.folder.design.fits

    @property
    def name(self) -> str:
        """Of the configuration."""
        return self.configuration.name

    @property
    def title(self) -> str:
        """What the configuration is, in words."""
        return self.configuration.title

    @property
    def records(self) -> CanaryRecords:
        """What was planted, and in what."""
        assert isinstance(self.request.records, CanaryRecords)  # noqa: S101 (an exposure run's)
        return self.request.records

    @cached_property
    def run(self) -> ExposureRun:
        """Exposure after training, by the best estimate for each canary."""
        return self.by("auto")

    def by(self, method: str) -> ExposureRun:
        """Exposure after training by one method, of the fits that are finished."""
        return exposure_of(self.folder, method=method, partial=True)

    @cached_property
    def course(self) -> ExposureOverTraining:
        """Exposure in the course of training."""
        return course_of(self.folder, partial=True)

    @property
    def missing(self) -> tuple[int, ...]:
        """Fits that failed."""
        return self.run.missing

    @property
    def fits(self) -> list[int]:
        """Fits that are finished."""
        return sorted(set(range(self.folder.design.fits)) - set(self.missing))

    @cached_property
    def facts(self) -> list[dict[str, Any]]:
        """What is known of each finished fit."""
        return [self.folder.facts(fit) for fit in self.fits]

    def of_fits(self, name: str) -> Array:
        """(F,) a number known of each finished fit; NaN where it is not."""
        values = [fact.get(name) for fact in self.facts]
        return np.array([np.nan if value is None else value for value in values], dtype=float)

    def rows(self, pattern: int, inserted: int | None = None) -> NDArray[np.intp]:
        """Rows of the run that are of a pattern and, if it is given, inserted so often."""
        which = self.run.pattern == pattern
        if inserted is not None:
            which &= self.run.inserted == inserted
        return np.flatnonzero(which)

    def released(self) -> Any:
        """The model that was kept: that of the first fit."""
        return load_model(self.folder.paths.root, fit=self.folder.design.release)
