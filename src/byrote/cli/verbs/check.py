"""byrote check: a run against thresholds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from byrote.cli.options.verdicts import CheckOptions, ThresholdOptions
from byrote.cli.output import emit, output_format
from byrote.errors import ByroteError, InvalidInput
from byrote.report import gate as report
from byrote.report.format import plain
from byrote.runs.files import remove, write_atomically
from byrote.scores.gate.check import KINDS
from byrote.scores.gate.check import check as check_run
from byrote.scores.gate.threshold import Gate


def check(options: CheckOptions) -> int:
    """Print the verdict of each threshold, and write it as JUnit XML with --junit."""
    thresholds = thresholds_of(options)
    path = options.junit
    if path is not None:
        if path.is_dir() or not path.resolve().parent.is_dir():
            raise InvalidInput(f"--junit must be a file in a folder that exists; got {str(path)!r}")
        remove(path)  # no verdict of an earlier check may remain
    verdicts = _check(options, thresholds, path)
    if path is not None:
        write_atomically(path, report.to_junit(verdicts))
    emit(
        output_format(options.as_json),
        text=lambda: [report.render(verdicts)],
        data=lambda: plain(verdicts.to_dict()),
    )
    return verdicts.exit_code


def thresholds_of(options: ThresholdOptions) -> dict[str, Any]:
    """Return the limits that options set, by threshold; None if it is not set."""
    return {name: getattr(options, name) for name in KINDS}


def _check(options: CheckOptions, thresholds: Mapping[str, Any], path: Path | None) -> Gate:
    """Check the run; if that fails, write an error for every threshold to the JUnit file."""
    try:
        return check_run(
            options.run,
            **thresholds,
            insertions=options.insertions,
            level=options.level,
            redact=options.redact,
        )
    except ByroteError as error:
        if path is not None:
            names = [name for name, limit in thresholds.items() if limit is not None]
            write_atomically(path, report.unusable_junit(names or ["check"], error))
        raise
