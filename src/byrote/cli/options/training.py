"""Options of the verbs that train models: score and expose."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from byrote.cli.options.shared import (
    AsCsv,
    AsJson,
    DebugFits,
    DryRun,
    Executor,
    KeepModels,
    Key,
    Labels,
    Out,
    Seed,
    Settings,
    SubsetSize,
    Threads,
    Workers,
    number,
    one_of,
)

PlanName = Literal["kfold", "leave-one-out", "subset", "probes"]
Method = Literal["auto", "search", "exact", "model_sampled", "sampled", "skew_normal"]


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """Find the records that a model memorizes, by training it with and without them."""

    data: Annotated[
        str,
        typer.Argument(
            help="digits, fashion-mnist, a .npy, .npz, .csv, .parquet or IDX file, a folder"
            " of images, or one with the files of CIFAR-10, CelebA or MNIST."
        ),
    ]
    out: Out = None
    model: Annotated[
        str, typer.Option(help="Train vae, kde, gmm, laplace-histogram or module:Class.")
    ] = "vae"
    settings: Settings = None
    plan: Annotated[
        PlanName, one_of("--plan", PlanName, "Choose which fits train on which records.")
    ] = "kfold"
    folds: Annotated[int | None, number("kfold: split into N parts (default: 10).")] = None
    repeats: Annotated[
        int | None,
        number(
            "kfold: use N partitions (default: 10); leave-one-out: train N times on all"
            " (default: 1)."
        ),
    ] = None
    fits: Annotated[int | None, number("subset, probes: train N models; required.")] = None
    fraction: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="subset: train on this share of records; required."),
    ] = None
    probes: Annotated[int | None, number("probes: draw N records at random as probes.")] = None
    pairs: Annotated[
        bool, typer.Option("--pairs", help="probes: train complementary pairs with the same seeds.")
    ] = False
    coins: Annotated[
        bool,
        typer.Option(
            "--coins",
            help="probes: include each probe by an independent coin flip (recommended for byrote"
            " epsilon).",
        ),
    ] = False
    stratify: Annotated[bool, typer.Option("--stratify", help="Spread labels evenly.")] = False
    key: Key = None
    labels: Labels = None
    ids: Annotated[
        str | None, typer.Option(help="Read the record ids from this column, array or file.")
    ] = None
    part: Annotated[
        str | None, typer.Option(help="Use train (default) or test, or CelebA's valid.")
    ] = None
    image: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help="Transform each image, in the order given: pad=N, crop=LEFT,TOP,RIGHT,BOTTOM,"
            " resize=N, celeba.",
        ),
    ] = None
    records: SubsetSize = None
    only: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Use only the records listed in a .csv or .parquet file with a column id, or in a"
            " .txt file with an id a line; byrote prune writes one.",
        ),
    ] = None
    seed: Seed = 0
    track: Annotated[
        str, typer.Option(metavar="5,10,…", help="Also score after these epochs of training.")
    ] = ""
    workers: Workers = 1
    threads: Threads = 1
    executor: Executor = "auto"
    keep_models: KeepModels = "none"
    dry_run: DryRun = False
    as_json: AsJson = False
    as_csv: AsCsv = False
    top: Annotated[int, number("Show the N most memorized records.", min=0)] = 10
    debug: DebugFits = False


@dataclass(frozen=True, kw_only=True)
class ExposeOptions:
    """Plant secrets in a text, train a model on it, and measure how exposed they are."""

    context: typer.Context
    corpus: Annotated[
        str | None,
        typer.Argument(
            help="python-help, a text file, a folder of text files, a .jsonl, .csv or .parquet"
            " file, or a saved Hugging Face data set."
        ),
    ] = None
    canary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help='Plant this text with slots for a secret: "the random number is {digits:9}"; other'
            " slots are {letters:N}, {alphanumeric:N}, {password:N}, {credit_card},"
            " {credit_card:luhn} (with a valid check digit), {uuid}, {} and {NAME}. Repeatable.",
        ),
    ] = None
    secret: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="Also plant this secret, as often as the highest level; one for each slot.",
        ),
    ] = None
    alphabet: Annotated[
        str | None, typer.Option(metavar="CHARACTERS", help="Fill slots {} with these characters.")
    ] = None
    length: Annotated[int | None, number("Fill slots {} with N characters.")] = None
    words: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE", help="Fill slots {NAME} with one of a file's lines; repeatable."
        ),
    ] = None
    insertions: Annotated[
        str, typer.Option(metavar="1,4,…", help="Insert canaries this often (rising levels).")
    ] = "1,4,16"
    canaries_per_level: Annotated[
        int, number("Plant N canaries of each pattern at each level.")
    ] = 4
    controls: Annotated[int, number("Also draw N canaries of each pattern, never inserted.")] = 16
    model: Annotated[str, typer.Option(help="Train char-lstm, hf:PATH or module:Class.")] = (
        "char-lstm"
    )
    settings: Settings = None
    epochs: Annotated[int | None, number("Train for N epochs, as --set epochs=N.")] = None
    fits: Annotated[int, number("Train N models; each deals the levels out anew.")] = 1
    held_out: Annotated[
        float,
        typer.Option(
            metavar="SHARE", help="Test the model on this share of the text, taken from its end."
        ),
    ] = 0.1
    within: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Insert only into this share of the training text, from its start.",
        ),
    ] = 1.0
    references: Annotated[int, number("Compare with N random candidates of each pattern.")] = 5000
    method: Annotated[
        Method | None,
        one_of(
            "--method",
            Method,
            "Choose how exposures are computed; sampled, skew_normal or exact with --score-only.",
        ),
    ] = None
    max_queries: Annotated[
        int, number("Evaluate at most N prefixes for each pattern in the search for ranks.")
    ] = 20_000
    characters: Annotated[int | None, number("Use the first N characters of the text.")] = None
    column: Annotated[
        str | None, typer.Option(help="Read the text from this column of a table.")
    ] = None
    part: Annotated[
        str | None, typer.Option(help="Use this part of a saved data set (default: train).")
    ] = None
    track: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            help="Also measure during training: epoch (after each epoch), 1,2,5 (after these"
            " epochs) or every=N (after every N batches).",
        ),
    ] = ""
    keep_models: KeepModels = "none"
    out: Out = None
    score_only: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Train nothing: compute exposures from a .csv or .parquet file with columns id,"
            " bits, role (canary, control, reference) and optionally group.",
        ),
    ] = None
    space_size: Annotated[
        int | None, number("--score-only: set the number of possible secrets.")
    ] = None
    seed: Seed = 0
    workers: Workers = 1
    threads: Threads = 1
    executor: Executor = "auto"
    dry_run: DryRun = False
    as_json: AsJson = False
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print one CSV row per canary, and only that.")
    ] = False
    top: Annotated[int, number("List at most N canaries.", min=0)] = 40
    debug: DebugFits = False
