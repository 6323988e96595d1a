"""byrote study of exposure: the post's experiments on language models."""

from functools import partial
from typing import Any

from byrote.cli import study_of_runs


def carry_out(given: dict[str, Any]) -> int:
    """Carry out the study with the options of the command; returns the exit code."""
    from byrote.studies.exposure.declaration import load_exposure_study  # noqa: PLC0415

    declared = load_exposure_study(given["name"])
    declared.scale(given["scale"])
    # The libraries load here: --help and a mistyped name need not wait for them.
    from byrote.fits.request import Settings  # noqa: PLC0415
    from byrote.studies.exposure import text  # noqa: PLC0415
    from byrote.studies.exposure.carrying import report_on  # noqa: PLC0415
    from byrote.studies.exposure.chosen import choose  # noqa: PLC0415

    asked = {option: given[option] for option in ("characters", "fits", "epochs")}
    chosen = choose(declared, given["scale"], **asked)
    how = {option: given[option] for option in ("seed", "threads", "workers", "executor", "debug")}
    settings = Settings(**how)
    corpus = chosen.load(given["data"])
    requests = chosen.requests(corpus, settings)
    report = partial(report_on, chosen, corpus, requests, settings=settings)
    return study_of_runs.carry_out(given, requests, report, text)
