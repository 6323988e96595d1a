"""The runs of a study of exposure, one after the other, and what they found."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from byrote.data.corpus import Corpus
from byrote.errors import IncompleteRun
from byrote.fits.progress import Progress, Silent
from byrote.fits.request import Request, Settings
from byrote.fits.run import run_fits
from byrote.studies.exposure import by_insertions, over_training, pareto, privacy, skew_normal
from byrote.studies.exposure.carried import Carried
from byrote.studies.exposure.chosen import ChosenExposureStudy
from byrote.studies.exposure.findings import Findings

FINDINGS: Mapping[str, Callable[[Sequence[Carried]], Findings]] = {
    "exposure-over-training": over_training.findings,
    "exposure-by-insertions": by_insertions.findings,
    "exposure-pareto": pareto.findings,
    "skew-normal-fit": skew_normal.findings,
    "dp-exposure": privacy.findings,
}


@dataclass(frozen=True, eq=False)
class ExposureStudyReport:
    """A study that was carried out.

    Attributes
    ----------
    chosen
        The study, its scale and what was overridden.
    corpus
        Its text.
    carried
        Its configurations with at least one finished fit.
    failed
        Configurations without.
    findings
        What they show.
    command
        The command that makes the same runs.
    """

    chosen: ChosenExposureStudy
    corpus: Corpus
    carried: tuple[Carried, ...]
    failed: tuple[str, ...]
    findings: Findings
    command: str

    @property
    def missing(self) -> dict[str, tuple[int, ...]]:
        """Fits that failed, by configuration."""
        return {one.name: one.missing for one in self.carried if one.missing}

    @property
    def complete(self) -> bool:
        """Whether every fit of every configuration is finished."""
        return not self.failed and not self.missing


def carry_out(
    requests: Mapping[str, Request], out: Path, progress: Callable[[], Progress] = Silent
) -> Iterator[str]:
    """Do the fits that are missing, a configuration after the other; yields each one's name first.

    Raises
    ------
    InvalidInput
        If a request cannot be carried out; all are looked at before the first is begun.
    RunMismatch
        If a folder holds another run.
    """
    for request in requests.values():
        request.check()
        request.plan.draw(request.context())
    for name, request in requests.items():
        yield name
        run_fits(request, out / name, progress())


def report_on(
    chosen: ChosenExposureStudy,
    corpus: Corpus,
    requests: Mapping[str, Request],
    out: Path,
    settings: Settings,
) -> ExposureStudyReport:
    """The report on the runs of a study, as far as they are finished.

    Raises
    ------
    IncompleteRun
        If no configuration has a finished fit.
    """
    carried, failed = [], []
    for configuration in chosen.configurations:
        one = Carried.open(configuration, requests[configuration.name], out / configuration.name)
        if one.finished:
            carried.append(one)
        else:
            failed.append(one.name)
    if not carried:
        raise IncompleteRun(f"no fit of the study in {out} is finished: its failures say why")
    return ExposureStudyReport(
        chosen=chosen,
        corpus=corpus,
        carried=tuple(carried),
        failed=tuple(failed),
        findings=FINDINGS[chosen.study.name](carried),
        command=chosen.command(corpus, settings, out),
    )
