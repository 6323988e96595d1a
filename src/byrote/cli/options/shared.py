"""Options that several verbs take, with the same words."""

import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from byrote.errors import ByroteError, InvalidInput


def parser_of(name: str, choices: Any) -> Callable[[str], str]:
    """Return a parser of one of a ``Literal``'s words; others are rejected in one sentence.

    Typer's own refusal is four lines long, and does not suggest the nearest word.
    """

    def parse(word: str) -> str:
        from byrote import checks  # noqa: PLC0415 (imports NumPy, which --help need not)

        try:
            return checks.choice(name, word, get_args(choices))
        except InvalidInput as error:  # typer would wrap this ValueError in its own words
            raise ByroteError(str(error)) from None

    return parse


def one_of(option: str, choices: Any, text: str) -> Any:
    """Declare an option whose value is one of a ``Literal``'s words; ``--help`` lists them."""
    metavar = f"[{'|'.join(get_args(choices))}]"
    return typer.Option(option, parser=parser_of(option, choices), metavar=metavar, help=text)


def argument(metavar: str, text: str) -> Any:
    """Declare an argument."""
    return typer.Argument(metavar=metavar, help=text)


def value(metavar: str, text: str) -> Any:
    """Declare an option with a value."""
    return typer.Option(metavar=metavar, help=text)


def number(text: str) -> Any:
    """Declare an option whose value is a number, N in its help."""
    return value("N", text)


def top_n(text: str) -> Any:
    """Declare ``--top``, of at least 0. Typer would print its own limit as x>=0 in the help."""

    def check(value: int | None) -> int | None:
        if value is None:
            return None
        from byrote import checks  # noqa: PLC0415 (imports NumPy, which --help need not)

        return checks.integer("--top", value, at_least=0)

    return typer.Option(metavar="N", callback=check, help=text)


# -- records and models ---------------------------------------------------------------------------

DENSITY_MODEL = value(
    "MODEL",
    "Train vae, flow, diffusion, kde, gmm, laplace-histogram, module:Class or cmd:COMMAND; on texts"
    " char-lstm, hf:PATH or module:Class.",
)
DensityModel = Annotated[str, DENSITY_MODEL]
TextColumn = Annotated[
    str | None,
    value("NAME", "Read texts from this column (default: text, or the only one with text)."),
]
ShowRecords = Annotated[
    bool,
    typer.Option("--show-records", help="Print the beginnings of texts beside their ids."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set a parameter of the model; repeatable. An unknown name lists all names.",
    ),
]
FromSamplesCount = Annotated[
    int | None,
    number(
        "Take the model for a generator without a density, with fit and sample: score records by"
        " the nearest of N samples per training record."
    ),
]
UserModel = Annotated[
    str | None, value("MODULE:CLASS", "Load weights into this class of your own.")
]
UserSettings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter of --model; repeatable."),
]
ValidationPart = Annotated[
    str | None,
    value("PART", "Use this part of a data set as validation records: test, or CelebA's valid."),
]
TestName = Literal["moderated", "exact"]
TEST = one_of(
    "--test",
    TestName,
    "Choose the test of each record: moderated finds single records with few fits, exact rests"
    " on the plan alone.",
)
ScoreTest = Annotated[TestName, TEST]

# -- training -------------------------------------------------------------------------------------

KeptModels = Literal["none", "release", "all"]
ExecutorName = Literal["auto", "in-process", "processes", "ray"]

KeepModels = Annotated[
    KeptModels,
    one_of(
        "--keep-models",
        KeptModels,
        "Keep weights: of the release model (one more fit on all records or, with canaries, the"
        " first fit), or of all fits.",
    ),
]
Out = Annotated[
    Path | None,
    value("FOLDER", "Write the run to this folder; the same command again resumes or extends it."),
]
Seed = Annotated[int, number("Seed every random choice with N.")]
Workers = Annotated[int, number("Use N worker processes.")]
Threads = Annotated[int, number("Use N threads per fit, the same throughout a run.")]
Executor = Annotated[ExecutorName, one_of("--executor", ExecutorName, "Choose where fits run.")]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Only forecast fits, time, memory, disk, standard errors and what can be found.",
    ),
]


BEGAN = ContextVar[float]("BEGAN")  # time.perf_counter() when the process of a command began


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Options of a command whose time is forecast, with ``time.perf_counter()`` when it began."""

    started: float = field(
        init=False, repr=False, default_factory=lambda: BEGAN.get(time.perf_counter())
    )


# -- runs and results -----------------------------------------------------------------------------

RunFolder = Annotated[Path, argument("RUN", "Read this run folder.")]
RunNames = Annotated[str | None, value("A,B,…", "Name the runs (default: names of their folders).")]
FormatName = Literal["png", "pdf", "svg"]
FigureFormat = Annotated[
    FormatName, one_of("--format", FormatName, "Choose the file format of figures.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV only, one row per record or canary.")]
Debug = Annotated[  # read before any argument is: exits.run
    bool, typer.Option("--debug", help="Print tracebacks of errors, which may quote records.")
]
DebugFits = Annotated[
    bool,
    typer.Option(
        "--debug",
        help="Print tracebacks of errors, and keep the messages of failed fits; both may quote"
        " records.",
    ),
]
