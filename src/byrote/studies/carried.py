"""A configuration that was carried out: its request and its run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from byrote.fits.request import Request
from byrote.scores.run import Run, open_run


@dataclass(frozen=True, eq=False)
class CarriedRun:
    """A configuration with its request and its run, of which some fits are finished."""

    configuration: Any
    request: Request
    run: Run

    @classmethod
    def open(cls, configuration: Any, request: Request, folder: Path) -> Self:
        """Open the run of a configuration."""
        return cls(configuration, request, open_run(folder))

    @property
    def name(self) -> str:
        """Of the configuration."""
        return str(self.configuration.name)

    @property
    def title(self) -> str:
        """What the configuration is, in words."""
        return str(self.configuration.title)
