"""Options of the verbs that read runs: show, extract, neighbors, figures, prune, epsilon, ..."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from byrote.cli.options.shared import (
    AsCsv,
    AsJson,
    Debug,
    FigureFormat,
    RunNames,
    UserModel,
    UserSettings,
    ValidationPart,
    number,
    one_of,
)

ShownMethod = Literal["auto", "rank", "sampled", "skew_normal"]


@dataclass(frozen=True, kw_only=True)
class ShowOptions:
    """Show the scores or exposures of a run, computed from its log-likelihoods without training."""

    run: Annotated[Path, typer.Argument(help="A run folder.")]
    epoch: Annotated[
        int | None, number("Show this tracked epoch of training (default: the last).")
    ] = None
    method: Annotated[
        ShownMethod | None,
        one_of(
            "--method", ShownMethod, "Choose the exposures of a run with canaries (default: auto)."
        ),
    ] = None
    as_json: AsJson = False
    as_csv: AsCsv = False
    top: Annotated[
        int | None, number("Show N records (default: 10) or canaries (default: 40).", min=0)
    ] = None
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class ExtractOptions:
    """Search a kept model for the most likely secrets, and print whether they were planted."""

    run: Annotated[
        Path,
        typer.Argument(help="A run folder of byrote expose that keeps models (--keep-models)."),
    ]
    canary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Search only for the pattern of this canary, and in its own place; repeatable"
            " (default: all patterns and all inserted canaries).",
        ),
    ] = None
    fit: Annotated[
        int | None, number("Search the kept model of fit N (default: release model).")
    ] = None
    prefix: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help='Search after this prefix instead; "" for none.'),
    ] = None
    top: Annotated[int, number("Find the N most likely completions.")] = 1
    batch_size: Annotated[int, number("Evaluate N prefixes at once.")] = 256
    max_queries: Annotated[int, number("Evaluate at most N prefixes.")] = 50_000
    max_frontier: Annotated[int, number("Hold at most N prefixes in memory.")] = 1_000_000
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Print what is found instead of asterisks.")
    ] = False
    model: UserModel = None
    settings: UserSettings = None
    as_json: AsJson = False
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class NeighborsOptions:
    """Find copies and near copies, which hide memorization; compare scores with samples."""

    run: Annotated[
        Path,
        typer.Argument(
            help="A run folder; with validation records one that keeps its release model"
            " (--keep-models)."
        ),
    ]
    validation: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Also compare samples with these records, a file or folder that the release model"
            " has not seen.",
        ),
    ] = None
    validation_part: ValidationPart = None
    samples: Annotated[
        int | None, number("Draw N samples (default: number of validation records).")
    ] = None
    seed: Annotated[
        int, typer.Option(help="Set the seed of the samples and of all other random choices.")
    ] = 0
    cells: Annotated[int, number("Use N cells in the copying test.")] = 3
    downsample: Annotated[
        bool, typer.Option(help="Halve images before computing distances, as the paper does.")
    ] = True
    model: UserModel = None
    settings: UserSettings = None
    as_json: AsJson = False
    top: Annotated[int, number("Show the N records nearest to samples.", min=0)] = 10
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class FiguresOptions:
    """Draw all figures that a run supports; print one line for each that cannot be drawn."""

    run: Annotated[Path, typer.Argument(help="A run folder.")]
    format_: FigureFormat = "png"
    against: Annotated[
        list[Path] | None,
        typer.Option(metavar="RUN", help="Also draw this run, for comparison; repeatable."),
    ] = None
    names: RunNames = None
    record: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Show this record among its class; repeatable."),
    ] = None
    clusters: Annotated[int | None, number("Look for thin regions among N k-means clusters.")] = (
        None
    )
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class PruneOptions:
    """List the records that remain when memorized ones are removed."""

    run: Annotated[Path, typer.Argument(help="A run folder with scores.")]
    fdr: Annotated[
        float | None,
        typer.Option(metavar="RATE", help="Remove the records with a q-value of at most this."),
    ] = None
    top: Annotated[
        str | None,
        typer.Option(
            metavar="5%", help="Remove this share of the scored records, the highest M first."
        ),
    ] = None
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write the remaining ids to this .csv, .txt or .parquet file (default:"
            " RUN/pruned.csv)."
        ),
    ] = None
    as_json: AsJson = False
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class EpsilonOptions:
    """Prove lower bounds on epsilon, and infer membership, from the log-likelihoods of a run."""

    run: Annotated[Path, typer.Argument(help="A run folder, with or without canaries.")]
    significance: Annotated[
        float,
        typer.Option(metavar="P", help="Allow a bound to be too large with this probability."),
    ] = 0.05
    delta: Annotated[
        float | None,
        typer.Option(help="Bound epsilon at this delta (default: that of the guarantee, or 0)."),
    ] = None
    guesses: Annotated[
        int | None,
        number(
            "Guess N coins, a number fixed in advance (default: a tenth of them, at least 100)."
        ),
    ] = None
    record: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Count the fits of this record as trials (default: one by the seed)."
        ),
    ] = None
    as_json: AsJson = False
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """Compare runs with a baseline: what changed, with intervals, and at what cost."""

    runs: Annotated[
        list[Path], typer.Argument(help="Run folders, two or more; the first is the baseline.")
    ]
    names: RunNames = None
    match_ids: Annotated[
        bool,
        typer.Option(
            "--match-ids",
            help="Compare the records whose ids all runs share, even if data or plans differ (a"
            " pruned set, for example).",
        ),
    ] = False
    as_json: AsJson = False
    figures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also draw figures into this folder.")
    ] = None
    format_: FigureFormat = "png"
    top: Annotated[int, number("Show the N records that changed most.", min=0)] = 10
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """Check a run against thresholds: exit 0 if all pass, 3 if one fails, 4 if inconclusive."""

    run: Annotated[Path, typer.Argument(help="A run folder of byrote score or byrote expose.")]
    max_exposure: Annotated[
        float | None,
        typer.Option(
            metavar="BITS", help="Limit the exposure of the most exposed inserted canary."
        ),
    ] = None
    max_significant: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Limit the share of records memorized at a 5 % false discovery rate: 1% or 0.01.",
        ),
    ] = None
    max_q999: Annotated[
        float | None, typer.Option(metavar="NATS", help="Limit the 99.9th percentile of mean_log.")
    ] = None
    max_epsilon_proven: Annotated[
        float | None,
        typer.Option(metavar="EPSILON", help="Limit the lower bound of byrote epsilon."),
    ] = None
    max_auc: Annotated[
        str | None,
        typer.Option(
            metavar="AREA",
            help="Limit the AUC of the better of two membership inferences: 0.6 or 60%.",
        ),
    ] = None
    insertions: Annotated[
        int | None, number("--max-exposure: count only canaries inserted at most N times.")
    ] = None
    level: Annotated[
        float, typer.Option(help="Set the confidence at which all intervals hold simultaneously.")
    ] = 0.95
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the verdict as JSON, and only that.")
    ] = False
    junit: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write JUnit XML with a test for each threshold, readable by its owner only.",
        ),
    ] = None
    debug: Debug = False
