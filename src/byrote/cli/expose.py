"""byrote expose: how exposed is a secret?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from byrote import checks
from byrote.cli import score_only as elsewhere
from byrote.cli.canaries import patterns
from byrote.cli.exits import Exit
from byrote.cli.exposures import print_exposures
from byrote.cli.options import DryRun, Executor, KeepModels, Seed, Set, Threads, Workers
from byrote.cli.output import AsJson, check_format
from byrote.cli.running import carry_out, print_forecast
from byrote.cli.tracking import followed, reports
from byrote.errors import InvalidInput, did_you_mean

_WITHOUT_RUN = {"score_only", "space_size", "method", "as_json", "as_csv", "top", "debug"}
_FROM_REFERENCES = ("sampled", "skew_normal")  # need no search of the model
_METHODS = ("auto", "search", "exact", "model_sampled", *_FROM_REFERENCES)


def expose(
    context: typer.Context,
    corpus: Annotated[
        str | None,
        typer.Argument(
            help="python-help, a text file, a folder of text files, a .jsonl, .csv or .parquet"
            " file, or a saved Hugging Face data set."
        ),
    ] = None,
    canary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help='A text with slots for a secret: "the random number is {digits:9}"; others are'
            " {letters:N}, {alphanumeric:N}, {password:N}, {credit_card}, {credit_card:luhn} (with"
            " a right check digit), {uuid}, {} and {NAME}. Repeatable.",
        ),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="A secret to plant besides, as often as the highest level; one for each slot.",
        ),
    ] = None,
    alphabet: Annotated[
        str | None, typer.Option(metavar="CHARACTERS", help="Characters of the slots {}.")
    ] = None,
    length: Annotated[int | None, typer.Option(help="Length of the slots {}.")] = None,
    words: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE",
            help="The slot {NAME} is a word, one of a file's lines; repeatable.",
        ),
    ] = None,
    insertions: Annotated[
        str, typer.Option(metavar="1,4,…", help="How often canaries are inserted, rising.")
    ] = "1,4,16",
    canaries_per_level: Annotated[
        int, typer.Option(help="Canaries of each pattern at each of these levels.")
    ] = 4,
    controls: Annotated[
        int, typer.Option(help="Canaries of each pattern that are never inserted.")
    ] = 16,
    model: Annotated[str, typer.Option(help="char-lstm, hf:PATH or module:Class.")] = "char-lstm",
    settings: Set = None,
    epochs: Annotated[
        int | None, typer.Option(help="The model's epochs, as --set epochs=N.")
    ] = None,
    fits: Annotated[
        int, typer.Option(help="Models trained; each deals the levels out to the canaries anew.")
    ] = 1,
    held_out: Annotated[
        float, typer.Option(help="Share of the text, at its end, to test the model on.")
    ] = 0.1,
    within: Annotated[
        float, typer.Option(help="Share of the training text, from its start, to insert into.")
    ] = 1.0,
    references: Annotated[
        int, typer.Option(help="Random candidates of each pattern to compare with.")
    ] = 5000,
    method: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(_METHODS)}; with --score-only {', '.join(elsewhere.METHODS)}."
        ),
    ] = None,
    max_queries: Annotated[
        int, typer.Option(help="Prefixes that the search for ranks evaluates, for each pattern.")
    ] = 20_000,
    characters: Annotated[
        int | None, typer.Option(help="Take the first so many characters of the text.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="Column of a table that holds text.")] = None,
    part: Annotated[str | None, typer.Option(help="Part of a saved data set (train).")] = None,
    track: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            help="Also measure in training: epoch, after each; 1,2,5, after these; every=N, after"
            " every N batches.",
        ),
    ] = "",
    keep_models: KeepModels = "none",
    out: Annotated[
        Path | None, typer.Option(help="Run folder; the same command again resumes or extends it.")
    ] = None,
    score_only: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="No model and no run: exposures from a .csv or .parquet file with columns id,"
            " bits, role (canary, control, reference) and perhaps group.",
        ),
    ] = None,
    space_size: Annotated[
        int | None, typer.Option(help="With --score-only: how many candidates there are in all.")
    ] = None,
    seed: Seed = 0,
    workers: Workers = 1,
    threads: Threads = 1,
    executor: Executor = "auto",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print one CSV row per canary, and only that.")
    ] = False,
    top: Annotated[int, typer.Option(help="How many canaries to list.", min=0)] = 40,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="Show errors whole, and keep texts of failed fits, which may quote text.",
        ),
    ] = False,
) -> int:
    """Plant secrets in a text, train a model on it, and measure how exposed they are."""
    check_format(as_json, as_csv)
    if score_only is not None:
        _check_alone(context)
        return elsewhere.score_only(
            score_only,
            method=method or elsewhere.METHODS[0],
            space_size=space_size,
            as_json=as_json,
            as_csv=as_csv,
            top=top,
        )
    if corpus is None:
        raise InvalidInput("CORPUS must name a text, or --score-only a file; got neither")
    if space_size is not None:
        raise InvalidInput("--space-size needs --score-only: a canary's own space is known")
    if out is None and not dry_run:
        raise InvalidInput("--out must name a folder for the run; got none")
    measured, shown = _method(method or "auto")
    levels = _levels(insertions)
    planted = patterns(
        canary or [], secret=secret or [], alphabet=alphabet, length=length, words=words or []
    )
    # The libraries load here: --help and a mistyped option need not wait for them.
    from byrote.data import load_corpus  # noqa: PLC0415
    from byrote.data.canary_records import Measurement  # noqa: PLC0415
    from byrote.fits.request import Settings  # noqa: PLC0415
    from byrote.scores.exposure.score_exposure import exposure_request  # noqa: PLC0415

    request = exposure_request(
        reports(_model(model, settings or [], epochs), track),
        load_corpus(corpus, column=column, part=part, characters=characters),
        planted,
        insertions=levels,
        canaries_per_level=canaries_per_level,
        controls=controls,
        settings=Settings(seed, threads, workers, executor, debug, keep_models),
        fits=fits,
        measurement=Measurement(references, measured, max_queries),
        held_out=held_out,
        within=within,
    )
    request = followed(request, track)
    if dry_run:
        print_forecast(request, as_json=as_json)
        return Exit.DONE
    assert out is not None  # noqa: S101 (checked above)
    run = carry_out(request, out)
    if run is None:
        return Exit.INTERRUPTED
    code = print_exposures(run, as_json=as_json, as_csv=as_csv, top=top, method=shown)
    if request.keeps:
        run.folder.check_release()
    return code


def _check_alone(context: typer.Context) -> None:
    """Refuse options of a run where there is none."""
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name)
        if name not in _WITHOUT_RUN and given is not None and given.name == "COMMANDLINE":
            what = "CORPUS" if name == "corpus" else parameter.opts[0]
            raise InvalidInput(f"--score-only trains no model: {what} means nothing beside it")


def _method(name: str) -> tuple[str, str]:
    """How ranks are found in the model, and which estimates are shown."""
    checks.choice("--method", name, _METHODS)
    return ("none", name) if name in _FROM_REFERENCES else (name, "auto")


def _levels(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InvalidInput(
            f"--insertions must be whole numbers separated by commas, like 1,4,16; got {text!r}"
        ) from None


def _model(name: str, settings: list[str], epochs: int | None) -> Any:
    from byrote.models import registry  # noqa: PLC0415 (slow to load)

    if ":" not in name and name != "char-lstm":
        raise InvalidInput(
            f"--model must be char-lstm, hf:PATH or module:Class; got {name!r}"
            f"{did_you_mean(name, ['char-lstm'])}"
        )
    chosen = registry.parse_settings(settings)
    if epochs is not None:
        if "epochs" in chosen:
            raise InvalidInput("--epochs and --set epochs exclude each other; got both")
        chosen["epochs"] = checks.integer("--epochs", epochs, at_least=1)
    return registry.build(name, chosen)
