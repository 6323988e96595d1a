"""Options that several verbs take, with the same words."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from byrote import checks
from byrote.errors import ByroteError, InvalidInput


def parser_of(name: str, choices: Any) -> Callable[[str], str]:
    """Return a parser of one of a ``Literal``'s words; others are rejected in one sentence.

    Typer's own refusal is four lines long, and does not suggest the nearest word.
    """

    def parse(word: str) -> str:
        try:
            return checks.choice(name, word, get_args(choices))
        except InvalidInput as error:  # typer would wrap this ValueError in its own words
            raise ByroteError(str(error)) from None

    return parse


def one_of(option: str, choices: Any, text: str) -> Any:
    """Declare an option whose value is one of a ``Literal``'s words; ``--help`` lists them."""
    metavar = f"[{'|'.join(get_args(choices))}]"
    return typer.Option(option, parser=parser_of(option, choices), metavar=metavar, help=text)


def number(text: str, *, min: int | None = None) -> Any:  # noqa: A002 (typer's name)
    """Declare an option whose value is a number, N in its help."""
    return typer.Option(metavar="N", help=text, min=min)


# -- records and models ---------------------------------------------------------------------------

Key = Annotated[
    str | None,
    typer.Option(help="Read the records from this array of a .npz or image column of a .parquet."),
]
Labels = Annotated[
    str | None, typer.Option(help="Read the labels from this column, array or file.")
]
SubsetSize = Annotated[int | None, number("Use a fixed random subset of N records.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set a parameter of the model; repeatable. A wrong name lists the right ones.",
    ),
]
UserModel = Annotated[
    str | None,
    typer.Option(metavar="MODULE:CLASS", help="Name the model's class if it is your own."),
]
UserSettings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter of --model; repeatable."),
]
ValidationPart = Annotated[
    str | None,
    typer.Option(
        metavar="PART",
        help="Use this part of a data set as validation records: test, or CelebA's valid.",
    ),
]

# -- training -------------------------------------------------------------------------------------

KeepModels = Annotated[
    Literal["none", "release", "all"],
    one_of(
        "--keep-models",
        Literal["none", "release", "all"],
        "Keep weights. release: of the model that would ship (one more fit on all records or, with"
        " canaries, the first fit); all: of every fit too.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Write to this run folder; the same command again resumes or extends it."),
]
Seed = Annotated[int, typer.Option(help="Set the seed of every random choice.")]
Workers = Annotated[int, number("Use N worker processes.")]
Threads = Annotated[int, number("Use N threads per fit; part of the run.")]
Executor = Annotated[
    Literal["auto", "in-process", "processes", "ray"],
    one_of(
        "--executor", Literal["auto", "in-process", "processes", "ray"], "Choose where fits run."
    ),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Only forecast fits, time, memory, disk and standard errors."),
]

# -- runs and results -----------------------------------------------------------------------------

RunNames = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,…", help="Name the runs, separated by commas (default: names of the folders)."
    ),
]
FigureFormat = Annotated[
    Literal["png", "pdf", "svg"],
    one_of("--format", Literal["png", "pdf", "svg"], "Choose the file format of figures."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON, and only that.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print one CSV row per record, and only that.")]
Debug = Annotated[  # read before any argument is: exits.run
    bool, typer.Option("--debug", help="Show errors whole, which may quote records.")
]
DebugFits = Annotated[
    bool,
    typer.Option(
        "--debug",
        help="Show errors whole, and keep the errors of failed fits; both may quote records.",
    ),
]
