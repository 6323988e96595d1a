"""byrote study: the paper's experiments, and its figures beside theirs."""

import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byrote.cli import figures, neighbors
from byrote.cli.exits import Exit, complain
from byrote.cli.output import AsJson, print_json, print_text, standard_output_kept_clean
from byrote.cli.records import records_beside
from byrote.cli.running import carry_out, print_forecast
from byrote.errors import IncompleteRun, InvalidInput

if TYPE_CHECKING:
    from byrote.data import Records
    from byrote.fits.run import Request
    from byrote.scores.neighbors import NeighborResult
    from byrote.scores.result import MemorizationResult
    from byrote.studies.chosen import ChosenStudy
