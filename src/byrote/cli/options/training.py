"""Options of the verbs that train models: score, expose and study."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from byrote.cli.options.plans import Groups, PlanChoice, PlanParameters
from byrote.cli.options.records import Key, Labels, RecordOptions, SubsetSize
from byrote.cli.options.shared import (
    AsCsv,
    AsJson,
    Debug,
    DebugFits,
    DensityModel,
    DryRun,
    Executor,
    FromSamplesCount,
    KeepModels,
    Out,
    ScoreTest,
    Seed,
    Settings,
    ShowRecords,
    Threads,
    Timed,
    ValidationPart,
    Workers,
    argument,
    number,
    one_of,
    parser_of,
    top_n,
    value,
)

Method = Literal["auto", "search", "exact", "model_sampled", "sampled", "skew_normal"]
StudyName = Literal[
    "mnist-1e-3", "mnist-1e-4", "cifar10", "celeba", "exposure-over-training",
    "exposure-by-insertions", "exposure-pareto", "skew-normal-fit", "dp-exposure", "mitigations",
    "onion", "families", "diffusion-size", "random-labels", "recitation-by-copies",
    "memorized-or-predictable", "fine-tuned-on-mails",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TrainOptions(PlanParameters, RecordOptions, Timed):
    """Options of training with and without each record."""

    out: Out = None
    model: DensityModel = "vae"
    settings: Settings = None
    from_samples: FromSamplesCount = None
    plan: PlanChoice = "kfold"
    seed: Seed = 0
    workers: Workers = 1
    threads: Threads = 1
    executor: Executor = "auto"
    dry_run: DryRun = False
    as_json: AsJson = False
    as_csv: AsCsv = False
    debug: DebugFits = False


@dataclass(frozen=True, kw_only=True)
class ScoreOptions(TrainOptions):
    """Find the records that a model memorizes, by training it with and without them.

    Records are rows of numbers, images, or texts where the model is a language model.
    """

    track: Annotated[str, value("5,10,…", "Also score after these epochs of training.")] = ""
    keep_models: KeepModels = "none"
    test: ScoreTest = "moderated"
    stop_when: Annotated[
        str | None,
        value(
            "QUESTION",
            "Stop before all fits are made, once a look at the first ones answers discover=N (are N"
            " records memorized?) or max-score=X (does training raise a record by more than X"
            " nats?).",
        ),
    ] = None
    looks: Annotated[
        int | None,
        number(
            "Look N times, after equal parts of the plan, which share every error (default: 3 with"
            " --stop-when)."
        ),
    ] = None
    top: Annotated[int, top_n("Print the N most memorized records.")] = 10
    show_records: ShowRecords = False
    groups: Groups = None
    group_duplicates: Annotated[
        bool,
        typer.Option(
            "--group-duplicates",
            help="Hold out texts together with their copies and near copies, which would hide what"
            " was memorized; scores are then about the whole cluster.",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class DiscloseOptions(TrainOptions):
    """Find whose secret a model gives away, by guessing it with and without them in training.

    The guess is by the model's own conditional, or from its samples (--from-samples).
    """

    secret: Annotated[str, value("NAME", "Guess this column from the others.")]
    top: Annotated[int, top_n("Print the N records most given away.")] = 10


@dataclass(frozen=True, kw_only=True)
class ExposeOptions(Timed):
    """Plant secrets in a text, train a model on it, and measure how exposed they are."""

    context: typer.Context
    corpus: Annotated[
        str | None,
        argument(
            "CORPUS",
            "Train on python-help, python-classes or made-up-mails (built in), a text file, a"
            " folder of text files, a .jsonl, .csv or .parquet file, or a saved Hugging Face data"
            " set.",
        ),
    ] = None
    canary: Annotated[
        list[str] | None,
        value(
            "TEXT",
            'Plant this text with slots for a secret, like "the random number is {digits:9}";'
            " repeatable. Other slots: {letters:N}, {alphanumeric:N}, {password:N}, {credit_card},"
            " {credit_card:luhn} (with a valid check digit), {uuid}, {} and {NAME}.",
        ),
    ] = None
    secret: Annotated[
        list[str] | None,
        value("TEXT", "Also plant this secret, as often as the highest level; one for each slot."),
    ] = None
    alphabet: Annotated[str | None, value("CHARACTERS", "Fill slots {} with these characters.")] = (
        None
    )
    length: Annotated[int | None, number("Fill slots {} with N characters.")] = None
    words: Annotated[
        list[str] | None,
        value("NAME=FILE", "Fill slots {NAME} with one of a file's lines; repeatable."),
    ] = None
    insertions: Annotated[str, value("1,4,…", "Insert canaries this many times (levels).")] = (
        "1,4,16"
    )
    canaries_per_level: Annotated[
        int, number("Plant N canaries of each pattern at each level.")
    ] = 4
    controls: Annotated[int, number("Also sample N canaries per pattern, never inserted.")] = 16
    model: Annotated[str, value("MODEL", "Train char-lstm, hf:PATH or module:Class.")] = "char-lstm"
    settings: Settings = None
    epochs: Annotated[int | None, number("Train for N epochs (same as --set epochs=N).")] = None
    fits: Annotated[
        int, number("Train N models, with canaries assigned to levels anew in each.")
    ] = 1
    held_out: Annotated[
        float, value("SHARE", "Test the model on this share of the text, at its end.")
    ] = 0.1
    within: Annotated[
        float, value("SHARE", "Insert only into this share of the training text, at its start.")
    ] = 1.0
    references: Annotated[int, number("Compare with N random candidates per pattern.")] = 5000
    method: Annotated[
        Method | None,
        one_of(
            "--method",
            Method,
            "Choose how exposures are computed (default: auto; with --score-only sampled,"
            " skew_normal or exact, default: sampled).",
        ),
    ] = None
    max_queries: Annotated[
        int, number("Evaluate at most N prefixes per pattern in the search for ranks.")
    ] = 20_000
    characters: Annotated[
        int | None, number("Use the first N characters of the text (default: all).")
    ] = None
    column: Annotated[str | None, value("NAME", "Read the text from this column of a table.")] = (
        None
    )
    part: Annotated[
        str | None, value("PART", "Use this part of a saved data set (default: train).")
    ] = None
    track: Annotated[
        str,
        value(
            "WHEN",
            "Also measure during training: epoch (after each epoch), 1,2,5 (after these"
            " epochs) or every=N (after every N batches).",
        ),
    ] = ""
    keep_models: KeepModels = "none"
    out: Out = None
    score_only: Annotated[
        Path | None,
        value(
            "FILE",
            "Train nothing: compute exposures from a .csv or .parquet file with columns id,"
            " bits, role (canary, control, reference) and optionally group.",
        ),
    ] = None
    space_size: Annotated[
        int | None, number("Set the number of possible secrets (--score-only).")
    ] = None
    seed: Seed = 0
    workers: Workers = 1
    threads: Threads = 1
    executor: Executor = "auto"
    dry_run: DryRun = False
    as_json: AsJson = False
    as_csv: AsCsv = False
    top: Annotated[int, top_n("Print at most N canaries.")] = 40
    debug: DebugFits = False


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """Repeat an experiment of the paper or the post, or compare mitigations."""

    name: Annotated[
        str,
        typer.Argument(
            parser=parser_of("study", StudyName),
            metavar="NAME",
            help="Scores: mnist-1e-3, mnist-1e-4, cifar10, celeba. Exposure:"
            " exposure-over-training, exposure-by-insertions, exposure-pareto, skew-normal-fit,"
            " dp-exposure. Mitigations: mitigations, onion. Models: families,"
            " diffusion-size, random-labels. Texts: recitation-by-copies,"
            " memorized-or-predictable, fine-tuned-on-mails.",
        ),
    ]
    data: Annotated[
        str | None,
        value(
            "DATA",
            "Use this data set, as in byrote score, or this text, as in byrote expose (default:"
            " the study's; required for studies of scores).",
        ),
    ] = None
    scale: Annotated[
        str,
        value(
            "[small|paper|full]",
            "Run in minutes (small) or at full size (paper for studies of scores, full for"
            " others).",
        ),
    ] = "small"
    records: SubsetSize = None
    repeats: Annotated[int | None, number("Use N repeats (scores; default: the scale's).")] = None
    epochs: Annotated[int | None, number("Train for N epochs (default: the scale's).")] = None
    fits: Annotated[
        int | None, number("Train N models per run (not of scores; default: the scale's).")
    ] = None
    characters: Annotated[
        int | None, number("Use the first N characters of the text (exposure).")
    ] = None
    out: Annotated[
        Path | None, value("FOLDER", "Write to this folder (default: runs/NAME-SCALE).")
    ] = None
    validation: Annotated[
        str | None, value("PATH", "Use these records, file or folder, in nearest-neighbour tests.")
    ] = None
    validation_part: ValidationPart = None
    key: Key = None
    labels: Labels = None
    seed: Seed = 0
    workers: Workers = 1
    threads: Threads = 1
    executor: Executor = "auto"
    dry_run: DryRun = False
    as_json: AsJson = False
    debug: Debug = False
