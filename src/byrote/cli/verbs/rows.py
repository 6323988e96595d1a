"""byrote rows: what a fit made elsewhere trains on and scores."""

import os
import sys

from byrote.cli.exits import Exit
from byrote.cli.options.planning import RowsOptions
from byrote.cli.output import print_text
from byrote.data.id_lists import encode_ids
from byrote.errors import InvalidInput
from byrote.runs.job import job_of
from byrote.scores.elsewhere import training_rows
from byrote.scores.run import open_run

_TASK_VARIABLES = ("SLURM_ARRAY_TASK_ID", "PBS_ARRAY_INDEX", "SGE_TASK_ID")


def rows(options: RowsOptions) -> int:
    """Print rows, ids or the seed of a fit; return the exit code."""
    run = open_run(options.run)
    if options.print_ == "run":
        print_text(run.manifest.run_id)
        return Exit.DONE
    fit = task_number() if options.fit is None else options.fit
    train = training_rows(run, fit)
    if options.print_ == "seed":
        print_text(str(job_of(run.design, fit, run.manifest.seed).training_seed))
        return Exit.DONE
    if options.print_.endswith("rows") and run.manifest.data.is_part:
        raise InvalidInput(
            "--print must be ids or score-ids where a run is of a part of the data (--records,"
            " --only): rows of the part are not those of the file"
        )
    part = run.design.counted_rows(fit) if options.print_.startswith("score") else train
    values = run.folder.ids[part] if options.print_.endswith("ids") else part
    sys.stdout.write(encode_ids(values, ".txt").decode())
    return Exit.DONE


def task_number() -> int:
    """Return the number of this task of a job array."""
    for name in _TASK_VARIABLES:
        text = os.environ.get(name, "")
        if text.isdecimal():
            return int(text)
    raise InvalidInput(
        f"--fit must be the number of a fit; got none, and none of {', '.join(_TASK_VARIABLES)} is"
        " set"
    )
