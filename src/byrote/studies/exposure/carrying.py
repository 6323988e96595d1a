"""The runs of a study of exposure, one after the other, and what they found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from byrote.data.corpus import Corpus
from byrote.errors import IncompleteRun
from byrote.fits.request import Request, Settings
from byrote.studies.carrying import ConfiguredReport
from byrote.studies.exposure import by_insertions, over_training, pareto, privacy, skew_normal
from byrote.studies.exposure.carried import Carried
from byrote.studies.exposure.chosen import ChosenExposureStudy
from byrote.studies.findings import Findings

FINDINGS: Mapping[str, Callable[[Sequence[Carried]], Findings]] = {
    "exposure-over-training": over_training.findings,
    "exposure-by-insertions": by_insertions.findings,
    "exposure-pareto": pareto.findings,
    "skew-normal-fit": skew_normal.findings,
    "dp-exposure": privacy.findings,
}


@dataclass(frozen=True, eq=False)
class ExposureStudyReport(ConfiguredReport):
    """A study that was carried out. corpus: its text."""

    corpus: Corpus


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
        if one.run.finished:
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
