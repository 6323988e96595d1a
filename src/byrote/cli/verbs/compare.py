"""byrote compare: runs compared with a baseline."""

import sys

from byrote.cli.options.runs import CompareOptions
from byrote.cli.output import emit, output_format, write_lines
from byrote.cli.verbs.figures import write_figures
from byrote.errors import printable
from byrote.report import comparison as report
from byrote.report.figures.registry import groups
from byrote.scores.compare.compare import compare as compare_runs


def compare(options: CompareOptions) -> None:
    """Print the changes from a baseline to other runs, and draw them with --figures."""
    names = None if options.names is None else [name.strip() for name in options.names.split(",")]
    match = "ids" if options.match_ids else "same"
    compared = compare_runs(options.runs, names=names, match=match)
    emit(
        output_format(options.as_json),
        text=lambda: [report.render(compared, top=options.top)],
        data=lambda: report.to_json(compared, top=options.top),
    )
    if options.figures is not None:  # their paths must not mix with JSON
        for path in write_figures(options.figures, options.format_, groups(compared)):
            write_lines(printable(path), sys.stderr)
