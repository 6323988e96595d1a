"""The runs of a study, one after the other, and the report on them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byrote.errors import IncompleteRun
from byrote.fits.files import make_folder
from byrote.fits.paths import RunPaths
from byrote.fits.progress import Progress, Silent
from byrote.fits.request import Request
from byrote.fits.run import run_fits
from byrote.studies.findings import Findings

# A run, or what makes it of the runs before it: from the folder of the study.
Asked = Request | Callable[[Path], Request]


@dataclass(frozen=True, eq=False)
class ConfiguredReport:
    """A study of several runs that was carried out.

    Attributes
    ----------
    chosen
        The study, its scale and what was overridden.
    carried
        Its configurations with at least one finished fit.
    failed
        Configurations without.
    findings
        What they show.
    command
        The command that makes the same runs.
    """

    chosen: Any
    carried: tuple[Any, ...]
    failed: tuple[str, ...]
    findings: Findings
    command: str

    @property
    def missing(self) -> dict[str, tuple[int, ...]]:
        """Fits that failed, by configuration."""
        return {one.name: one.run.missing for one in self.carried if one.run.missing}

    @property
    def complete(self) -> bool:
        """Whether every fit of every configuration is finished."""
        return not self.failed and not self.missing


def carry_out(
    requests: Mapping[str, Asked], out: Path, progress: Callable[[], Progress] = Silent
) -> Iterator[str]:
    """Do the fits that are missing, a configuration after the other; yields each one's name first.

    What is made of earlier runs is left undone where their fits are missing.

    Raises
    ------
    InvalidInput
        If a request cannot be carried out; all that are known are looked at before the first is
        begun. Or if there is a symbolic link in the folder.
    RunMismatch
        If a folder holds another run.
    """
    for known in requests.values():
        if isinstance(known, Request):
            known.check()
            known.plan.draw(known.context())
    make_folder(out)  # for its owner alone, as the run folders in it
    RunPaths(out).check()
    for name in requests:
        yield name
        request = request_from(requests[name], out)
        if request is not None:
            run_fits(request, out / name, progress())


def request_from(asked: Asked, out: Path) -> Request | None:
    """The request of a run; None where it is made of runs that lack fits."""
    if isinstance(asked, Request):
        return asked
    try:
        return asked(out)
    except IncompleteRun:
        return None
