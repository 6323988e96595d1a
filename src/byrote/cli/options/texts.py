"""Options of the verbs about single texts."""

from dataclasses import dataclass
from typing import Annotated

import typer

from byrote.cli.options.shared import (
    AsCsv,
    AsJson,
    Debug,
    Settings,
    TextColumn,
    argument,
    number,
    top_n,
    value,
)


@dataclass(frozen=True, kw_only=True)
class ReciteOptions:
    """Measure which windows of texts a model continues word for word from their first tokens.

    MODEL is hf:PATH (a folder of Hugging Face's library), module:Class (a class of your own whose
    instances are ready to use), or a run folder with kept models. Without TEXTS, a run of texts
    tells what its models memorized from what they can predict.
    """

    model: Annotated[str, argument("MODEL|RUN", "Use this model, or the one that a run keeps.")]
    texts: Annotated[
        str | None,
        argument(
            "TEXTS",
            "Recite these texts: JSON lines, .csv, .parquet, a text file, or a folder of them"
            " (default: those of the run, by all its fits, with and without each).",
        ),
    ] = None
    unseen: Annotated[
        str | None,
        value("FILE", "Compare with these texts of the same kind, which the model never saw."),
    ] = None
    column: TextColumn = None
    ids: Annotated[str | None, value("NAME", "Read the ids from this column.")] = None
    unit: Annotated[
        str,
        value("UNIT", "Take each document (row, file), line or window=N (characters) for a text."),
    ] = "document"
    prefix: Annotated[int, number("Give the model N tokens.")] = 50
    suffix: Annotated[int, number("Ask for the N tokens after them.")] = 50
    stride: Annotated[int | None, number("Begin a window every N tokens (default: --suffix).")] = (
        None
    )
    n: Annotated[
        str, value("A,B,…", "Sample each window A, B, … times, for discoverable extraction.")
    ] = "1,10,1000"
    p: Annotated[
        float, value("SHARE", "Call a window discoverable if the samples hold it this often.")
    ] = 0.5
    top_k: Annotated[int, number("Sample from the N most likely tokens in top-k sampling.")] = 40
    temperature: Annotated[float, value("T", "Use this temperature in the third sampler.")] = 0.7
    edits: Annotated[int, number("Also bound the probability of suffixes up to N edits away.")] = 0
    max_queries: Annotated[
        int, number("Evaluate at most N prefixes per window for these bounds.")
    ] = 1000
    fit: Annotated[
        int | None, number("Use the kept model of fit N of a run (default: the release model).")
    ] = None
    user_model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="MODULE:CLASS", help="Load a run's weights into your own class."
        ),
    ] = None
    settings: Settings = None
    show_records: Annotated[
        bool, typer.Option("--show-records", help="Print the recited suffixes beside their ids.")
    ] = False
    top: Annotated[int, top_n("Print N texts.")] = 10
    as_json: AsJson = False
    as_csv: AsCsv = False
    debug: Debug = False
