"""The verbs of the command line, and its entry point."""

import gc
import inspect
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from byrote import __version__
from byrote.cli import exits, output
from byrote.cli.options.planning import CollectOptions, PlanOptions, RowsOptions
from byrote.cli.options.runs import (
    CompareOptions,
    EpsilonOptions,
    ExtractOptions,
    FiguresOptions,
    NeighborsOptions,
    PruneOptions,
    ShowOptions,
)
from byrote.cli.options.shared import BEGAN
from byrote.cli.options.texts import ReciteOptions
from byrote.cli.options.training import (
    DiscloseOptions,
    ExposeOptions,
    ScoreOptions,
    StudyOptions,
)
from byrote.cli.options.verdicts import CardOptions, CheckOptions, ReportOptions, VerifyOptions
from byrote.errors import no_run
from byrote.runs import interrupts

app = typer.Typer(
    name="byrote",
    help="Find the training records that a generative model memorized, with error bars.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_VERBS: dict[str, tuple[Callable[..., Any], str]] = {  # line: 64 characters at most
    "plan": (PlanOptions, "Propose plans after a short pilot, or begin a run made elsewhere."),
    "rows": (RowsOptions, "Print what a fit made elsewhere trains on."),
    "collect": (CollectOptions, "Take in the log-likelihoods of fits made elsewhere."),
    "score": (ScoreOptions, "Find the records that a model memorizes."),
    "disclose": (DiscloseOptions, "Find whose secret a model of a table gives away."),
    "expose": (ExposeOptions, "Plant secrets in a text, and measure their exposure in a model."),
    "show": (ShowOptions, "Print the scores or exposures of a run."),
    "extract": (ExtractOptions, "Extract secrets or training records from a kept model."),
    "recite": (ReciteOptions, "Measure which texts a model continues word for word."),
    "neighbors": (NeighborsOptions, "Find copies and near copies, which hide memorization."),
    "figures": (FiguresOptions, "Draw all figures that a run supports."),
    "prune": (PruneOptions, "Write a list of the records without the memorized ones."),
    "epsilon": (EpsilonOptions, "Prove lower bounds on epsilon, and infer membership."),
    "compare": (CompareOptions, "Compare runs with a baseline, with intervals."),
    "check": (CheckOptions, "Check a run against thresholds, for continuous integration."),
    "report": (ReportOptions, "Write what runs found to one page that needs no network."),
    "card": (CardOptions, "Print what a run found as a section for a model card."),
    "verify": (VerifyOptions, "Check that a page of byrote report belongs to its runs."),
    "study": (StudyOptions, "Repeat a published experiment, or compare mitigations."),
}


def _add(verb: str, options: Callable[..., Any], line: str) -> None:
    """Add a verb; its module, slow to import, waits until its options are accepted."""

    def call(**values: Any) -> int | None:
        accepted = options(**values)
        if getattr(accepted, "junit", None) is None:  # else the verdict of an earlier check goes
            one, several = getattr(accepted, "run", None), getattr(accepted, "runs", [])
            _require_runs([*several] if one is None else [one])
        return _imported(verb)(accepted)

    call.__signature__ = inspect.signature(options)  # type: ignore[attr-defined]
    app.command(verb, short_help=line, help=options.__doc__)(call)


def _imported(verb: str) -> Callable[..., int | None]:
    """Import a verb, meanwhile without garbage collection, a tenth of the time of a short command.

    Modules stay, so there is nothing to collect.
    """
    gc.disable()
    try:
        function: Callable[..., int | None] = getattr(
            import_module(f"byrote.cli.verbs.{verb}"), verb
        )
    finally:
        gc.enable()
    return function


def _require_runs(folders: Iterable[Path]) -> None:
    """Refuse folders without a run before anything slow is imported."""
    for folder in folders:
        try:
            (folder / "run.json").lstat()
        except (FileNotFoundError, NotADirectoryError):
            raise no_run(folder) from None
        except OSError:  # the verb says why it cannot be read
            continue


for _verb, (_options_of_verb, _line) in _VERBS.items():
    _add(_verb, _options_of_verb, _line)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"byrote {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line and exit."""
    BEGAN.set(time.perf_counter() - time.process_time())  # Python started, and imported this
    output.prepare_streams()
    warnings.showwarning = _show_warning  # type: ignore[assignment]  # takes fewer arguments
    interrupts.raise_on_signals()
    debug = "--debug" in sys.argv
    sys.exit(exits.run(lambda: app(standalone_mode=False), debug=debug))


def _show_warning(message: Warning | str, category: type[Warning], *_: object) -> None:
    # One line: where in the code it was raised helps no user.
    exits.complain(f"{'' if category is UserWarning else category.__name__ + ': '}{message}")
