"""The audits of a study of mitigations, and what they found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from byrote.errors import IncompleteRun
from byrote.fits.paths import RunPaths
from byrote.fits.reading import is_there
from byrote.fits.request import Settings
from byrote.studies.carrying import Asked, ConfiguredReport, request_from
from byrote.studies.findings import Findings
from byrote.studies.mitigations import comparison, onion
from byrote.studies.mitigations.carried import Carried
from byrote.studies.mitigations.chosen import ChosenMitigationStudy, StudyRecords
from byrote.studies.mitigations.declaration import Configuration

FINDINGS: Mapping[str, Callable[[Sequence[Carried]], Findings]] = {
    "mitigations": comparison.findings,
    "onion": onion.findings,
}


@dataclass(frozen=True, eq=False)
class MitigationStudyReport(ConfiguredReport):
    """A study that was carried out. records: those audited, and those set apart."""

    records: StudyRecords


def report_on(
    chosen: ChosenMitigationStudy,
    records: StudyRecords,
    requests: Mapping[str, Asked],
    out: Path,
    settings: Settings,
) -> MitigationStudyReport:
    """The report on the runs of a study, as far as they are finished.

    Raises
    ------
    IncompleteRun
        If no configuration has a finished fit.
    """
    carried, failed = [], []
    for configuration in chosen.configurations:
        one = _opened(configuration, requests[configuration.name], out)
        if one is None:
            failed.append(configuration.name)
        else:
            carried.append(one)
    if not carried:
        raise IncompleteRun(f"no fit of the study in {out} is finished: its failures say why")
    return MitigationStudyReport(
        chosen=chosen,
        records=records,
        carried=tuple(carried),
        failed=tuple(failed),
        findings=FINDINGS[chosen.study.name](carried),
        command=chosen.command(records, settings, out),
    )


def _opened(configuration: Configuration, asked: Asked, out: Path) -> Carried | None:
    """The run of a configuration, if it has a finished fit."""
    request, folder = request_from(asked, out), out / configuration.name
    if request is None or not is_there(RunPaths(folder).manifest):
        return None
    one = Carried.open(configuration, request, folder)
    return one if one.run.finished else None
