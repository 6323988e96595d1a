"""byrote score: which records are memorized?"""

from pathlib import Path
from typing import Annotated

import typer

from byrote import checks
from byrote.cli import plans
from byrote.cli.exits import Exit
from byrote.cli.options import (
    DryRun,
    Executor,
    KeepModels,
    Key,
    Labels,
    Only,
    Seed,
    Set,
    Some,
    Threads,
    Workers,
)
from byrote.cli.output import (
    AsCsv,
    AsJson,
    Top,
    check_format,
    print_scores,
)
from byrote.cli.running import carry_out, print_forecast
from byrote.cli.tracking import epochs
from byrote.errors import InvalidInput


def score(
    data: Annotated[
        str,
        typer.Argument(
            help="digits, fashion-mnist, a .npy, .npz, .csv, .parquet or IDX file, a folder"
            " of images, or one with the files of CIFAR-10, CelebA or MNIST."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Run folder; the same command again resumes or extends it.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="vae, kde, gmm, laplace-histogram or module:Class.")
    ] = "vae",
    settings: Set = None,
    plan: Annotated[str, typer.Option(help=f"{', '.join(plans.NAMES)}.")] = "kfold",
    folds: Annotated[int | None, typer.Option(help="kfold: parts (10).")] = None,
    repeats: Annotated[
        int | None, typer.Option(help="kfold: partitions (10); leave-one-out: fits on all (1).")
    ] = None,
    fits: Annotated[
        int | None, typer.Option(help="subset, probes: number of fits, required.")
    ] = None,
    fraction: Annotated[
        float | None, typer.Option(help="subset: share trained on, required.")
    ] = None,
    probes: Annotated[
        int | None, typer.Option(help="probes: number of probes, drawn at random.")
    ] = None,
    pairs: Annotated[
        bool,
        typer.Option("--pairs", help="probes: fits in complementary pairs with the same seeds."),
    ] = False,
    coins: Annotated[
        bool,
        typer.Option(
            "--coins", help="probes: in every fit by a coin of its own, best for byrote epsilon."
        ),
    ] = False,
    stratify: Annotated[bool, typer.Option("--stratify", help="Spread labels evenly.")] = False,
    key: Key = None,
    labels: Labels = None,
    ids: Annotated[str | None, typer.Option(help="Column, array or file of record ids.")] = None,
    part: Annotated[
        str | None, typer.Option(help="train (if not given) or test, or CelebA's valid.")
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help="pad=N, crop=LEFT,TOP,RIGHT,BOTTOM, resize=N, celeba: done to each image, in"
            " this order.",
        ),
    ] = None,
    records: Some = None,
    only: Only = None,
    seed: Seed = 0,
    track: Annotated[
        str, typer.Option(metavar="5,10,…", help="Also score after these epochs of training.")
    ] = "",
    workers: Workers = 1,
    threads: Threads = 1,
    executor: Executor = "auto",
    keep_models: KeepModels = "none",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    top: Top = 10,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="Show errors whole, and keep texts of failed fits, which may quote records.",
        ),
    ] = False,
) -> int:
    """Find the records that a model memorizes, by training it with and without them."""
    check_format(as_json, as_csv)
    if out is None and not dry_run:
        raise InvalidInput("--out must name a folder for the run; got none")
    chosen = plans.build(
        plan,
        {
            "folds": folds,
            "repeats": repeats,
            "fits": fits,
            "fraction": fraction,
            "probes": probes,
            "pairs": pairs,
            "coins": coins,
            "stratify": stratify,
        },
    )
    checks.choice("--keep-models", keep_models, ("none", "release", "all"))
    # The libraries load here: --help and a mistyped option need not wait for them.
    from byrote.data import load  # noqa: PLC0415
    from byrote.fits.request import Request, Settings  # noqa: PLC0415
    from byrote.models import registry  # noqa: PLC0415

    request = Request(
        model=registry.build(model, registry.parse_settings(settings or [])),
        records=load(
            data,
            key=key,
            labels=labels,
            ids=ids,
            part=part,
            image=image,
            records=records,
            only=only,
        ),
        plan=chosen,
        settings=Settings(seed, threads, workers, executor, debug, keep_models),
        track=epochs(track),
    )
    if dry_run:
        print_forecast(request, as_json=as_json)
        return Exit.DONE
    assert out is not None  # noqa: S101 (checked above)
    run = carry_out(request, out)
    if run is None:
        return Exit.INTERRUPTED
    code = print_scores(run, as_json=as_json, as_csv=as_csv, top=top)
    if request.keeps:
        run.folder.check_release()
    return code
