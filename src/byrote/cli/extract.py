"""byrote extract: can a secret be taken out?"""

from pathlib import Path
from typing import Annotated

import typer

from byrote.cli.models import OwnModel, OwnSettings, own_model
from byrote.cli.output import AsJson, Debug, print_json, print_text, standard_output_kept_clean
from byrote.errors import InvalidInput


def extract(
    run: Annotated[
        Path,
        typer.Argument(help="A run folder of byrote expose that keeps models (--keep-models)."),
    ],
    canary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Only the pattern of this canary, and where it stands itself; repeatable. If not"
            " given, all patterns and all canaries that were inserted.",
        ),
    ] = None,
    fit: Annotated[
        int | None, typer.Option(help="A fit whose model was kept; the release model if not given.")
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help='Another text before the secret; "" for none.'),
    ] = None,
    top: Annotated[int, typer.Option(help="How many of the likeliest completions to find.")] = 1,
    batch_size: Annotated[int, typer.Option(help="Prefixes evaluated at once.")] = 256,
    max_queries: Annotated[int, typer.Option(help="Prefixes evaluated at most.")] = 50_000,
    max_frontier: Annotated[int, typer.Option(help="Prefixes kept waiting.")] = 1_000_000,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Print what is found, not stars for it.")
    ] = False,
    model: OwnModel = None,
    settings: OwnSettings = None,
    as_json: AsJson = False,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Search a kept model for the likeliest secrets, and say whether they are planted ones."""
    from byrote.fits.determinism import controlled  # noqa: PLC0415 (slow to load)
    from byrote.report import extraction as text  # noqa: PLC0415
    from byrote.scores.exposure.extraction import SearchBudget, extract_from_run  # noqa: PLC0415
    from byrote.scores.run import open_run  # noqa: PLC0415

    budget = SearchBudget(batch_size, max_queries, max_frontier, top)
    opened = open_run(run)
    if not opened.has_canaries:
        raise InvalidInput(f"{run} is no exposure run: it has no canaries to search for")
    number = opened.design.release if fit is None else fit
    seed, threads = opened.manifest.seed, opened.manifest.threads
    with standard_output_kept_clean(), controlled(seed % 2**32, threads, needs_torch=False):
        fitted = opened.model(fit, model=own_model(model, settings))
        found = extract_from_run(
            opened.folder, fitted, fit=number, ids=canary or (), prefix=prefix, budget=budget
        )
    if as_json:
        patterns = text.patterns_to_json(found, show_secrets=show_secrets)
        print_json({"run_id": opened.manifest.run_id, "fit": number, "patterns": patterns})
    else:
        print_text(text.render_patterns(found, show_secrets=show_secrets))
