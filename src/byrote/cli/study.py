"""byrote study: the experiments of the paper and of the post, and what stops memorization."""

from pathlib import Path
from typing import Annotated

import typer

from byrote.cli.options.shared import (
    AsJson,
    Debug,
    DryRun,
    Executor,
    Key,
    Labels,
    Seed,
    SubsetSize,
    Threads,
    ValidationPart,
    Workers,
)


def study(
    name: Annotated[
        str,
        typer.Argument(
            help="mnist-1e-3, mnist-1e-4, cifar10, celeba; exposure-over-training,"
            " exposure-by-insertions, exposure-pareto, skew-normal-fit, dp-exposure; mitigations or"
            " onion."
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help="The data set, as byrote score takes it; the text of a study of exposure. Those of"
            " exposure and of mitigations have one if not given."
        ),
    ] = None,
    scale: Annotated[
        str, typer.Option(help="small: minutes on two cores; paper, or full: at full size.")
    ] = "small",
    records: SubsetSize = None,
    repeats: Annotated[int | None, typer.Option(help="In place of the scale's.")] = None,
    epochs: Annotated[int | None, typer.Option(help="In place of the scale's.")] = None,
    fits: Annotated[
        int | None,
        typer.Option(help="Of exposure and mitigations: in place of the declared."),
    ] = None,
    characters: Annotated[
        int | None, typer.Option(help="Of exposure: take the first so many of the text.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder; if not given, runs/NAME-SCALE.")
    ] = None,
    validation: Annotated[
        str | None,
        typer.Option(help="Records for nearest-neighbour tests: a file or a folder."),
    ] = None,
    validation_part: ValidationPart = None,
    key: Key = None,
    labels: Labels = None,
    seed: Seed = 0,
    workers: Workers = 1,
    threads: Threads = 1,
    executor: Executor = "auto",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Repeat an experiment of the paper or the post, or see what stops memorization."""
    given = dict(locals())
    from byrote.studies import kinds  # noqa: PLC0415 (slow to load)

    kinds.check_options(name, given)
    kind = kinds.kind_of(name)
    if kind == "exposure":
        from byrote.cli import study_of_exposure  # noqa: PLC0415

        return study_of_exposure.carry_out(given)
    if kind == "mitigations":
        from byrote.cli import study_of_mitigations  # noqa: PLC0415

        return study_of_mitigations.carry_out(given)
    from byrote.cli import study_of_scores  # noqa: PLC0415

    return study_of_scores.carry_out(given)
