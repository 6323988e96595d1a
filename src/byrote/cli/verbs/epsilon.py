"""byrote epsilon: lower bounds on the privacy loss, and membership inference."""

from functools import partial

from byrote.cli.exits import complete_or_not
from byrote.cli.options.runs import EpsilonOptions
from byrote.cli.output import emit, output_format
from byrote.report import privacy as report
from byrote.scores.run import open_run


def epsilon(options: EpsilonOptions) -> int:
    """Print lower bounds on epsilon and membership inference; return the exit code."""
    bounds, code = complete_or_not(
        partial(
            open_run(options.run).epsilon,
            significance=options.significance,
            delta=options.delta,
            guesses=options.guesses,
            record=options.record,
        )
    )
    emit(
        output_format(options.as_json),
        text=lambda: [report.render(bounds)],
        data=lambda: report.to_json(bounds),
    )
    return code
