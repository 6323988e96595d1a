"""byrote report: what runs found, on one page."""

from typing import Any

from byrote.cli.exits import complain
from byrote.cli.options.verdicts import ReportOptions, ThresholdOptions
from byrote.cli.output import print_text
from byrote.cli.verbs.check import thresholds_of
from byrote.cli.verbs.figures import name_runs
from byrote.errors import InvalidInput, printable
from byrote.report.conclusion import most_severe
from byrote.report.page.content import Page
from byrote.report.page.report import write_report
from byrote.scores.run import open_run


def report(options: ReportOptions) -> int:
    """Write the page of runs, and print their conclusions; return the exit code."""
    if options.out.is_dir() or not options.out.absolute().parent.is_dir():
        out = printable(options.out)
        raise InvalidInput(f"--out must be a file in a folder that exists; got {out!r}")
    named = name_runs(options.runs, options.names)
    runs = {name: open_run(path) for name, path in named.items()}
    page = write_report(
        runs, options.out, show_records=options.show_records, thresholds=check_arguments(options)
    )
    for line in _conclusions(page):
        print_text(line)
    print_text(printable(options.out))
    for name, run in runs.items():
        if run.incomplete:
            complain(f"{name}: {run.incomplete}")
    return most_severe(chapter.conclusion for chapter in page.chapters)


def check_arguments(options: ThresholdOptions) -> dict[str, Any]:
    """Return the arguments of a check; none if no threshold is set."""
    limits = {name: limit for name, limit in thresholds_of(options).items() if limit is not None}
    if not limits:
        if options.insertions is not None:
            raise InvalidInput("--insertions applies to --max-exposure only, which is not set")
        return {}
    more = {} if options.insertions is None else {"insertions": options.insertions}
    return {**limits, **more, "level": options.level}


def _conclusions(page: Page) -> list[str]:
    several = len(page.chapters) > 1
    lines = []
    for chapter in page.chapters:
        start = f"{chapter.name}: " if several else ""
        lines.append(f"{start}{chapter.conclusion.judgement}.")
        lines += chapter.conclusion.headline
    return lines
