"""Options of the verbs that read runs, from show to check."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from byrote.cli.options.records import TableOptions
from byrote.cli.options.shared import (
    TEST,
    AsCsv,
    AsJson,
    Debug,
    FigureFormat,
    RunFolder,
    RunNames,
    Seed,
    ShowRecords,
    TestName,
    UserModel,
    UserSettings,
    ValidationPart,
    argument,
    number,
    one_of,
    top_n,
    value,
)

ShownMethod = Literal["auto", "rank", "sampled", "skew_normal"]


@dataclass(frozen=True, kw_only=True)
class ShowOptions:
    """Show the scores or exposures of a run, computed from its log-likelihoods without training."""

    run: RunFolder
    epoch: Annotated[int | None, number("Show the tracked epoch N (default: the last).")] = None
    method: Annotated[
        ShownMethod | None,
        one_of("--method", ShownMethod, "Choose how exposures are computed (default: auto)."),
    ] = None
    test: Annotated[TestName | None, TEST] = None
    as_json: AsJson = False
    as_csv: AsCsv = False
    top: Annotated[int | None, top_n("Print N records (default: 10) or canaries (40).")] = None
    show_records: ShowRecords = False
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class ExtractOptions:
    """Extract what a kept model gives away.

    Of a run of byrote expose, the most likely secrets, beside the planted ones; of a run of byrote
    score on images or rows, the training records that its samples reproduce.
    """

    run: Annotated[
        Path, argument("RUN", "Read this run folder, of a run with --keep-models release or all.")
    ]
    fit: Annotated[
        int | None, number("Use the kept model of fit N (default: the release model).")
    ] = None
    top: Annotated[
        int | None,
        number("Find the N most likely secrets (default: 1), or print N records (10)."),
    ] = None
    samples: Annotated[
        int | None, number("Records: draw N samples (default: the number of training records).")
    ] = None
    seed: Annotated[int | None, number("Records: seed the samples with N (default: 0).")] = None
    validation: Annotated[
        str | None,
        value(
            "PATH",
            "Records: use this file or folder, which the model has not seen, as the control"
            " (default: what fit N held out).",
        ),
    ] = None
    validation_part: ValidationPart = None
    canary: Annotated[
        list[str] | None,
        value(
            "ID",
            "Secrets: search only for the pattern of this canary, at its place in the text;"
            " repeatable (default: all patterns and all inserted canaries).",
        ),
    ] = None
    prefix: Annotated[
        str | None, value("TEXT", "Secrets: search after this prefix (default: the canary's).")
    ] = None
    batch_size: Annotated[
        int | None, number("Secrets: evaluate N prefixes at once (default: 256).")
    ] = None
    max_queries: Annotated[
        int | None, number("Secrets: evaluate at most N prefixes (default: 50,000).")
    ] = None
    max_frontier: Annotated[
        int | None, number("Secrets: hold at most N prefixes in memory (default: 1,000,000).")
    ] = None
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Print secrets instead of asterisks.")
    ] = False
    model: UserModel = None
    settings: UserSettings = None
    as_json: AsJson = False
    as_csv: AsCsv = False
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class NeighborsOptions(TableOptions):
    """Find copies and near copies, which hide memorization, and test samples for copying.

    Of a run, or of one synthetic table: --train, --holdout and --synthetic.
    """

    run: Annotated[
        Path | None,
        argument(
            "RUN", "Read this run folder; tests of samples need its release model (--keep-models)."
        ),
    ] = None
    train: Annotated[
        Path | None, value("FILE", "Test a synthetic table: its training rows, .csv or .parquet.")
    ] = None
    holdout: Annotated[
        Path | None, value("FILE", "Compare with these rows, which the generator has not seen.")
    ] = None
    synthetic: Annotated[Path | None, value("FILE", "Test this synthetic table.")] = None
    validation: Annotated[
        str | None,
        value(
            "PATH",
            "Test samples against these records, a file or folder that the model has not seen.",
        ),
    ] = None
    validation_part: ValidationPart = None
    samples: Annotated[
        int | None, number("Draw N samples (default: the number of validation records).")
    ] = None
    seed: Seed = 0
    cells: Annotated[int, number("Use N cells in the copying test.")] = 3
    downsample: Annotated[
        bool, typer.Option(help="Halve the size of images before computing distances.")
    ] = True
    model: UserModel = None
    settings: UserSettings = None
    as_json: AsJson = False
    top: Annotated[int, top_n("Print the N records nearest to samples.")] = 10
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class FiguresOptions:
    """Draw all figures that a run supports into its folder, and print why others are not drawn."""

    run: RunFolder
    format_: FigureFormat = "png"
    against: Annotated[list[Path] | None, value("RUN", "Compare with this run; repeatable.")] = None
    names: RunNames = None
    record: Annotated[
        list[str] | None, value("ID", "Draw this record among its class; repeatable.")
    ] = None
    clusters: Annotated[
        int | None, number("Draw the share of memorized records in N k-means clusters.")
    ] = None
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class PruneOptions:
    """Write a list of the records that remain when memorized ones are removed."""

    run: Annotated[Path, argument("RUN", "Read this run folder of byrote score.")]
    fdr: Annotated[
        float | None, value("RATE", "Remove records with a q-value of at most RATE.")
    ] = None
    top: Annotated[
        str | None,
        value("5%", "Remove this share of the scored records, those with the highest M."),
    ] = None
    out: Annotated[
        Path | None,
        value(
            "FILE",
            "Write the remaining ids to this .csv, .txt or .parquet file (default:"
            " RUN/pruned.csv).",
        ),
    ] = None
    as_json: AsJson = False
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class EpsilonOptions:
    """Prove lower bounds on epsilon, and infer membership, from the log-likelihoods of a run."""

    run: RunFolder
    significance: Annotated[
        float, value("P", "Allow a bound to exceed epsilon with probability P.")
    ] = 0.05
    delta: Annotated[
        float | None,
        value("DELTA", "Bound epsilon at DELTA (default: that of the guarantee, or 0)."),
    ] = None
    guesses: Annotated[
        int | None,
        number(
            "Guess N coins, fixed before seeing results (default: a tenth of them, at least 100)."
        ),
    ] = None
    record: Annotated[
        str | None,
        value("ID", "Use the fits of this record as trials (default: a random one)."),
    ] = None
    as_json: AsJson = False
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """Compare runs with a baseline: changes of memorization and of usefulness, with intervals."""

    runs: Annotated[
        list[Path],
        argument("RUN", "Read these run folders, two or more; the first is the baseline."),
    ]
    names: RunNames = None
    match_ids: Annotated[
        bool,
        typer.Option(
            "--match-ids",
            help="Compare the records whose ids all runs share, even if data or plans differ, as"
            " after byrote prune.",
        ),
    ] = False
    as_json: AsJson = False
    figures: Annotated[Path | None, value("FOLDER", "Also draw figures into this folder.")] = None
    format_: FigureFormat = "png"
    top: Annotated[int, top_n("Print the N records that changed most.")] = 10
    debug: Debug = False
