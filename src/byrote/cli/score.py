"""byrote score: which records are memorized?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byrote import checks
from byrote.cli import plans
from byrote.cli.exits import Exit, complain
from byrote.cli.output import (
    AsCsv,
    AsJson,
    Top,
    check_format,
    print_json,
    print_scores,
    print_text,
    standard_output_kept_clean,
)
from byrote.errors import InvalidInput

if TYPE_CHECKING:
    from byrote.fits.run import Request


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
    model: Annotated[str, typer.Option(help="vae, kde, gmm or module:Class.")] = "vae",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the model."),
    ] = None,
    plan: Annotated[str, typer.Option(help=f"{', '.join(plans.NAMES)}.")] = "kfold",
    folds: Annotated[int | None, typer.Option(help="kfold: parts (10).")] = None,
    repeats: Annotated[
        int | None, typer.Option(help="kfold: partitions (10); leave-one-out: fits on all (1).")
    ] = None,
    fits: Annotated[int | None, typer.Option(help="subset, probes: number of fits.")] = None,
    fraction: Annotated[float | None, typer.Option(help="subset: share trained on.")] = None,
    probes: Annotated[
        int | None, typer.Option(help="probes: number of probes, drawn at random.")
    ] = None,
    pairs: Annotated[
        bool,
        typer.Option("--pairs", help="probes: fits in complementary pairs with the same seeds."),
    ] = False,
    stratify: Annotated[bool, typer.Option("--stratify", help="Spread labels evenly.")] = False,
    key: Annotated[
        str | None, typer.Option(help="Array of a .npz, image column of a .parquet.")
    ] = None,
    labels: Annotated[str | None, typer.Option(help="Column, array or file of labels.")] = None,
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
    seed: Annotated[int, typer.Option(help="Decides every random choice.")] = 0,
    track: Annotated[
        str, typer.Option(metavar="5,10,…", help="Also score after these epochs of training.")
    ] = "",
    workers: Annotated[int, typer.Option(help="Worker processes.")] = 1,
    threads: Annotated[int, typer.Option(help="Threads per fit; part of the run.")] = 1,
    executor: Annotated[str, typer.Option(help="auto, in-process, processes or ray.")] = "auto",
    keep_models: Annotated[
        str,
        typer.Option(
            help="none; release: keep the weights of one more fit, on all records; all: of every"
            " fit too."
        ),
    ] = "none",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only forecast fits, time, memory, disk and errors.")
    ] = False,
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
            "stratify": stratify,
        },
    )
    checks.choice("--keep-models", keep_models, ("none", "release", "all"))
    # The libraries load here: --help and a mistyped option need not wait for them.
    from byrote.data import load  # noqa: PLC0415
    from byrote.fits.run import Request, Settings  # noqa: PLC0415
    from byrote.models import catalogue  # noqa: PLC0415

    request = Request(
        model=catalogue.build(model, catalogue.parse_settings(settings or [])),
        records=load(data, key=key, labels=labels, ids=ids, part=part, image=image),
        plan=chosen,
        settings=Settings(seed, threads, workers, executor, debug, keep_models),
        track=_epochs(track),
    )
    if dry_run:
        _forecast(request, as_json)
        return Exit.DONE
    assert out is not None  # noqa: S101 (checked above)
    return _run(request, out, as_json=as_json, as_csv=as_csv, top=top)


def _epochs(text: str) -> tuple[int, ...]:
    """Epochs from text like 5,10,20."""
    try:
        return tuple(int(part) for part in text.split(",") if text.strip())
    except ValueError:
        raise InvalidInput(
            f"--track must be epochs separated by commas, like 5,10,20; got {text!r}"
        ) from None


def _run(request: "Request", out: Path, *, as_json: bool, as_csv: bool, top: int) -> int:
    from byrote.fits.paths import RunPaths  # noqa: PLC0415
    from byrote.fits.progress import Bar, Silent  # noqa: PLC0415
    from byrote.fits.run import run_fits  # noqa: PLC0415

    try:
        with standard_output_kept_clean():
            run = run_fits(request, out, Bar() if sys.stderr.isatty() else Silent())
    except KeyboardInterrupt:
        done = len(list(RunPaths(out).fits.glob("fit-*.parquet")))
        complain(
            f"interrupted; {done} finished fits are kept in {out},"
            " and the same command goes on from there"
            if done
            else "interrupted; no fit was finished"
        )
        return Exit.INTERRUPTED
    code = print_scores(out, as_json=as_json, as_csv=as_csv, top=top)
    if request.keeps:
        run.check_release()
    return code


def _forecast(request: "Request", as_json: bool) -> None:
    from dataclasses import asdict  # noqa: PLC0415

    from byrote.fits.pilot import forecast  # noqa: PLC0415
    from byrote.report.forecast import render  # noqa: PLC0415
    from byrote.report.text import plain  # noqa: PLC0415

    with standard_output_kept_clean():
        found = forecast(request)
    if as_json:
        print_json(plain(asdict(found)))
    else:
        print_text(render(found))
