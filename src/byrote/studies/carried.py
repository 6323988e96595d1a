"""A configuration that was carried out: its request, its run, and what is known of its fits."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from byrote.fits.paths import RunPaths
from byrote.fits.request import Request
from byrote.fits.store import RunFolder

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CarriedRun:
    """A configuration with its request and its run folder, of which some fits are finished."""

    configuration: Any
    request: Request
    folder: RunFolder

    @classmethod
    def open(cls, configuration: Any, request: Request, folder: Path) -> Self:
        """What is in a run folder."""
        return cls(configuration, request, RunFolder.open(RunPaths(folder)))

    @property
    def finished(self) -> bool:
        """Whether there is a finished fit."""
        return len(self.missing) < self.folder.design.fits

    @property
    def name(self) -> str:
        """Of the configuration."""
        return str(self.configuration.name)

    @property
    def title(self) -> str:
        """What the configuration is, in words."""
        return str(self.configuration.title)

    @cached_property
    def missing(self) -> tuple[int, ...]:
        """Fits that failed."""
        return tuple(self.folder.missing())

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
