"""The command line's verbs."""

import sys
import warnings
from collections.abc import Callable
from typing import Annotated

import typer

from byrote import __version__
from byrote.cli import exits, streams
from byrote.cli.check import check
from byrote.cli.compare import compare
from byrote.cli.epsilon import epsilon
from byrote.cli.expose import expose
from byrote.cli.extract import extract
from byrote.cli.figures import figures
from byrote.cli.neighbors import neighbors
from byrote.cli.prune import prune
from byrote.cli.score import score
from byrote.cli.show import show
from byrote.cli.study import study
from byrote.fits import interrupts

app = typer.Typer(
    name="byrote",
    help="Which training records did a generative model learn by rote, and how sure can one be?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# In a list of 80 columns each stands whole; what is longer ends in dots.
_VERBS: dict[Callable[..., int | None], str] = {
    score: "Find the records that a model memorizes.",
    expose: "Plant secrets in a text, and measure how exposed they become.",
    show: "Show the scores or exposures of a run, without training.",
    extract: "Search a kept model for the likeliest secrets.",
    neighbors: "Find copies and near copies, which hide memorization.",
    figures: "Draw all figures that a run supports.",
    prune: "List the records that stay without the memorized ones.",
    epsilon: "Prove lower bounds on epsilon, and infer membership.",
    compare: "Set runs beside a baseline: what changed, and at what cost.",
    check: "Check a run against thresholds, for pipelines.",
    study: "Repeat an experiment, or see what stops memorization.",
}
for verb, line in _VERBS.items():
    app.command(short_help=line)(verb)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"byrote {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line and exit."""
    streams.prepare()
    warnings.showwarning = _show_warning  # type: ignore[assignment]  # takes fewer arguments
    interrupts.heed()
    debug = "--debug" in sys.argv
    sys.exit(exits.run(lambda: app(standalone_mode=False), debug=debug))


def _show_warning(message: Warning | str, category: type[Warning], *_: object) -> None:
    # One line without a source line: what went wrong, and not where in whose code.
    exits.complain(f"{'' if category is UserWarning else category.__name__ + ': '}{message}")
