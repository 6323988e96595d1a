"""Options that several verbs take, with the same words."""

from typing import Annotated

import typer

Key = Annotated[str | None, typer.Option(help="Array of a .npz, image column of a .parquet.")]
Labels = Annotated[str | None, typer.Option(help="Column, array or file of labels.")]
Some = Annotated[
    int | None, typer.Option(help="Take so many records, always the same random ones.")
]
Only = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Take the records whose ids a .csv or .parquet file lists in a column id, or a .txt"
        " file line by line; byrote prune writes one.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A parameter of the model; repeatable. A wrong name lists those there are.",
    ),
]
KeepModels = Annotated[
    str,
    typer.Option(
        help="none; release: keep the weights of the model that would ship, one more fit on all"
        " records or, with canaries, the first fit's; all: of every fit too."
    ),
]
Seed = Annotated[int, typer.Option(help="Decides every random choice.")]
Workers = Annotated[int, typer.Option(help="Worker processes.")]
Threads = Annotated[int, typer.Option(help="Threads per fit; part of the run.")]
Executor = Annotated[str, typer.Option(help="auto, in-process, processes or ray.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only forecast fits, time, memory, disk and errors.")
]
ValidationPart = Annotated[
    str | None,
    typer.Option(help="The same, as a part of a data set that has parts: valid or test."),
]
