"""byrote study of mitigations: what stops memorization."""

from functools import partial
from typing import Any

from byrote.cli import study_of_runs


def carry_out(given: dict[str, Any]) -> int:
    """Carry out the study with the options of the command; returns the exit code."""
    from byrote.studies.mitigations.declaration import load_mitigation_study  # noqa: PLC0415

    declared = load_mitigation_study(given["name"])
    declared.scale(given["scale"])
    # The libraries load here: --help and a mistyped name need not wait for them.
    from byrote.fits.request import Settings  # noqa: PLC0415
    from byrote.studies.mitigations import text  # noqa: PLC0415
    from byrote.studies.mitigations.carrying import report_on  # noqa: PLC0415
    from byrote.studies.mitigations.chosen import choose  # noqa: PLC0415

    asked = {option: given[option] for option in ("records", "fits", "epochs")}
    chosen = choose(declared, given["scale"], **asked)
    how = {option: given[option] for option in ("seed", "threads", "workers", "executor", "debug")}
    settings = Settings(**how)
    records = chosen.load(given["data"], key=given["key"], labels=given["labels"])
    requests = chosen.requests(records, settings)
    report = partial(report_on, chosen, records, requests, settings=settings)
    return study_of_runs.carry_out(given, requests, report, text)
