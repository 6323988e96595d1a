"""byrote collect: the log-likelihoods of fits made elsewhere, file by file."""

from byrote.cli.exits import Exit
from byrote.cli.options.planning import CollectOptions
from byrote.cli.output import emit, output_format
from byrote.data.log_likelihoods import Units
from byrote.report import elsewhere
from byrote.runs.collect import collect as collect_files
from byrote.scores.run import Run


def collect(options: CollectOptions) -> int:
    """Take files into a run, and print what is missing and what looks wrong."""
    units = Units(options.loss, options.bits, options.mean_of)
    collected = collect_files(
        options.run, options.files, units, fit=options.fit, replace=options.replace
    )
    run = Run(collected.run)
    emit(
        output_format(options.as_json),
        text=lambda: elsewhere.collected(run, collected, units),
        data=lambda: elsewhere.to_json(run, collected),
    )
    return Exit.INCOMPLETE if run.missing else Exit.DONE
