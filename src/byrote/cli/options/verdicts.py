"""Options of the verbs that judge runs: thresholds, pages, and whether a page belongs to a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from byrote.cli.options.shared import AsJson, Debug, RunFolder, RunNames, argument, number, value


@dataclass(frozen=True, kw_only=True)
class ThresholdOptions:
    """Thresholds of a run, and how they are judged."""

    max_exposure: Annotated[
        float | None, value("BITS", "Limit the exposure of the most exposed inserted canary.")
    ] = None
    max_score: Annotated[
        float | None,
        value(
            "NATS",
            "Limit the mean effect of training on every single record; the others limit shares,"
            " averages, quantiles or canaries.",
        ),
    ] = None
    max_significant: Annotated[
        str | None,
        value(
            "SHARE",
            "Limit the share of records memorized at a 5 % false discovery rate: 1% or 0.01.",
        ),
    ] = None
    max_q999: Annotated[
        float | None,
        value("NATS", "Limit the 99.9th percentile of mean_log; one record in 1000 may be above."),
    ] = None
    max_epsilon_proven: Annotated[
        float | None, value("EPSILON", "Limit the lower bound of byrote epsilon.")
    ] = None
    max_auc: Annotated[
        str | None,
        value("AREA", "Limit the AUC of the better of two membership inferences: 0.6 or 60%."),
    ] = None
    insertions: Annotated[
        int | None, number("Count only canaries inserted at most N times (--max-exposure).")
    ] = None
    level: Annotated[float, value("P", "Set the joint confidence level of all intervals.")] = 0.95


@dataclass(frozen=True, kw_only=True)
class CheckOptions(ThresholdOptions):
    """Check a run against thresholds: exit 0 if all pass, 3 if one fails, 4 if inconclusive."""

    run: RunFolder
    redact: Annotated[
        bool, typer.Option("--redact", help="Leave out the ids of records above a threshold.")
    ] = False
    as_json: AsJson = False
    junit: Annotated[
        Path | None, value("FILE", "Also write JUnit XML with a test for each threshold.")
    ] = None
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class ReportOptions(ThresholdOptions):
    """Write what runs found to one page of HTML that needs no network, with limits and method.

    Exit 0, with thresholds 3 if one fails and 4 if inconclusive, 4 if fits are missing.
    """

    runs: Annotated[
        list[Path],
        argument("RUN", "Read these run folders; of several, the first is the baseline."),
    ]
    out: Annotated[Path, value("FILE", "Write the page to this file.")] = Path("report.html")
    names: RunNames = None
    show_records: Annotated[
        bool,
        typer.Option(
            "--show-records",
            help="Show what records, labels and secrets hold: only for those who may see them.",
        ),
    ] = False
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class CardOptions(ThresholdOptions):
    """Print a section for a model card, in Markdown with metadata; exit codes as of byrote report.

    What records hold is left out.
    """

    run: RunFolder
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class VerifyOptions:
    """Check that a page belongs to its runs, unchanged: exit 0 if it does, 3 if not."""

    page: Annotated[Path, argument("PAGE", "Read this file of byrote report.")]
    runs: Annotated[list[Path], argument("RUN", "Make the page again from these run folders.")]
    as_json: AsJson = False
    debug: Debug = False
