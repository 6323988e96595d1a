"""byrote neighbors: what would nearest-neighbour tests have said?"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byrote import checks
from byrote.cli.models import OwnModel, OwnSettings, own_model
from byrote.cli.options import ValidationPart
from byrote.cli.output import (
    AsJson,
    Debug,
    complete_or_not,
    print_json,
    print_text,
    standard_output_kept_clean,
)
from byrote.cli.records import records_beside
from byrote.errors import InvalidInput

if TYPE_CHECKING:
    from byrote.data import Records
    from byrote.scores.memorization.memorization_result import MemorizationResult
    from byrote.scores.neighbors.near_duplicates import NearDuplicates
    from byrote.scores.neighbors.neighbor_result import NeighborResult
    from byrote.scores.run import Run


def neighbors(
    run: Annotated[
        Path,
        typer.Argument(
            help="A run folder; with validation records one that keeps its release model"
            " (--keep-models)."
        ),
    ],
    validation: Annotated[
        str | None,
        typer.Option(
            help="Records that the release model has not seen, a file or a folder: compare its"
            " samples with them too."
        ),
    ] = None,
    validation_part: ValidationPart = None,
    samples: Annotated[
        int | None, typer.Option(help="Samples to draw; as many as validation records if not set.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides the samples and all other chance.")] = 0,
    cells: Annotated[int, typer.Option(help="Cells of the copying test.")] = 3,
    downsample: Annotated[
        bool, typer.Option(help="Halve images before distances are taken, as the paper does.")
    ] = True,
    model: OwnModel = None,
    settings: OwnSettings = None,
    as_json: AsJson = False,
    top: Annotated[
        int, typer.Option(help="How many records that samples come nearest to to show.", min=0)
    ] = 10,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Find copies and near copies, which hide memorization; compare scores with samples."""
    fresh_asked = validation is not None or validation_part is not None
    if samples is not None and not fresh_asked:
        raise InvalidInput("--samples needs validation records: --validation or --validation-part")
    checks.integer("--seed", seed, at_least=0)
    if samples is not None:
        checks.integer("--samples", samples, at_least=1)
    from byrote.report import near_duplicates as copies  # noqa: PLC0415 (slow to load)
    from byrote.report import neighbors as text  # noqa: PLC0415
    from byrote.scores.run import open_run  # noqa: PLC0415

    opened = open_run(run)
    result, code = complete_or_not(opened.memorization)
    data = result.description["data"]
    found = None
    with standard_output_kept_clean():
        train, own = opened.records, own_model(model, settings)
        if fresh_asked:
            fresh = records_beside(data, validation, validation_part)
            space = {"cells": cells, "downsample": downsample}
            draw = {"samples": samples, "seed": seed, "model": own}
            found = compare(opened, result, train, fresh, **draw, **space)
        near = duplicates(opened, result, train)
    if as_json:
        more = {} if found is None else text.to_json(found, top=top)
        print_json({**more, "near_duplicates": copies.to_json(near, top=top)})
        return code
    if found is not None:
        print_text(text.render(found, top=top))
        print_text("")
    print_text(copies.render(near, top=top))
    return code


def duplicates(run: "Run", result: "MemorizationResult", train: "Records") -> "NearDuplicates":
    """Find copies and near copies among the records, and keep what is found in the run folder."""
    from byrote.scores.neighbors.near_duplicates import near_duplicates  # noqa: PLC0415 (slow to load)

    found = near_duplicates(result, train)
    told = {"run_id": result.description["run_id"]}
    found = replace(found, description={**found.description, **told})
    found.save(run.folder.paths.near_duplicates)
    return found


def compare(
    run: "Run",
    result: "MemorizationResult",
    train: "Records",
    fresh: "Records",
    *,
    samples: int | None = None,
    seed: int = 0,
    model: Any = None,
    **options: Any,
) -> "NeighborResult":
    """Draw samples from the release model, compare, and keep what is found in the run folder."""
    from byrote.scores.neighbors.compare_neighbors import compare_neighbors  # noqa: PLC0415 (slow to load)

    drawn = run.sample(samples or len(fresh), seed=seed, model=model)
    found = compare_neighbors(result, train, fresh, drawn, seed=seed, **options)
    told = {"run_id": result.description["run_id"], "fresh": fresh.fingerprint}
    found = replace(found, description={**found.description, **told})
    found.save(run.folder.paths.neighbors)
    return found
