"""byrote expose: the exposure of planted secrets."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from byrote import checks
from byrote.cli.canaries import parse_canaries
from byrote.cli.exits import Exit
from byrote.cli.options.training import ExposeOptions
from byrote.cli.output import Format, emit, output_format
from byrote.cli.verbs.score import execute, parse_epochs, print_forecast, run_settings
from byrote.cli.verbs.show import print_exposures
from byrote.data import load_corpus
from byrote.data.canary_records import Measurement
from byrote.data.log_perplexities import LogPerplexities, load_log_perplexities
from byrote.errors import InvalidInput, did_you_mean
from byrote.models import contract, registry
from byrote.report import exposure as report
from byrote.runs.request import Request
from byrote.scores.exposure.estimate import estimate_by_group, estimate_exposure
from byrote.scores.exposure.exposure import Exposure
from byrote.scores.exposure.score_exposure import exposure_request

_EVERY = "every="
_FROM_REFERENCES = ("sampled", "skew_normal")  # need no search of the model
_OF_TABLES = ("sampled", "skew_normal", "exact")
_OPTIONS_OF_TABLES = ("score_only", "space_size", "method", "as_json", "as_csv", "top", "debug")


def expose(options: ExposeOptions) -> int:
    """Plant canaries, train, and print their exposures; return the exit code."""
    output = output_format(options.as_json, options.as_csv)
    if options.score_only is not None:
        return _expose_table(options, options.score_only, output)
    method = options.method or "auto"
    request = _request(options, "none" if method in _FROM_REFERENCES else method)
    if options.out is None or options.dry_run:
        print_forecast(request, output, options.started)
        return Exit.DONE
    run = execute(request, options.out)
    if run is None:
        return Exit.INTERRUPTED
    shown = method if method in _FROM_REFERENCES else "auto"
    code = print_exposures(run, output, top=options.top, method=shown)
    if request.keeps:
        run.folder.check_release()
    return code


def _request(options: ExposeOptions, rank_method: str) -> Request:
    """Check the options and build the request of the run."""
    if options.corpus is None:
        raise InvalidInput("CORPUS must name a text, or --score-only a file; got neither")
    if options.space_size is not None:
        raise InvalidInput("--space-size needs --score-only; canaries have known spaces")
    if options.out is None and not options.dry_run:
        raise InvalidInput("--out must name a folder for the run; got none")
    insertions = _parse_insertions(options.insertions)
    canaries = parse_canaries(
        options.canary or [],
        secret=options.secret or [],
        alphabet=options.alphabet,
        length=options.length,
        words=options.words or [],
    )
    model = _build_model(options.model, options.settings or [], options.epochs)
    request = exposure_request(
        report_by_batches(model, options.track),
        load_corpus(
            options.corpus,
            column=options.column,
            part=options.part,
            characters=options.characters,
        ),
        canaries,
        insertions=insertions,
        canaries_per_level=options.canaries_per_level,
        controls=options.controls,
        settings=run_settings(options, options.keep_models),
        fits=options.fits,
        measurement=Measurement(options.references, rank_method, options.max_queries),
        held_out=options.held_out,
        within=options.within,
    )
    return track_request(request, options.track)


def _parse_insertions(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InvalidInput(
            f"--insertions must be whole numbers separated by commas, like 1,4,16; got {text!r}"
        ) from None


def _build_model(name: str, settings: list[str], epochs: int | None) -> Any:
    if ":" not in name and name != "char-lstm":
        raise InvalidInput(
            f"--model must be char-lstm, hf:PATH or module:Class; got {name!r}"
            f"{did_you_mean(name, ['char-lstm'])}"
        )
    parameters = registry.parse_settings(settings)
    if epochs is not None:
        if "epochs" in parameters:
            raise InvalidInput("--epochs and --set epochs exclude each other; got both")
        parameters["epochs"] = checks.integer("--epochs", epochs, at_least=1)
    return registry.build(name, parameters)


# -- --track: epoch, 1,2,5 or every=N -------------------------------------------------------------


def report_by_batches(model: Any, track: str) -> Any:
    """Return the model, set to report every N batches if ``track`` is every=N.

    Raises
    ------
    InvalidInput
        If N is not a number, or the model cannot report by batches.
    """
    if not track.startswith(_EVERY):
        return model
    batches = track.removeprefix(_EVERY)
    if not batches.isdecimal() or int(batches) < 1:
        raise InvalidInput(
            f"--track must be every=N with a number of batches, like every=50; got {track!r}"
        )
    parameters = model.get_params(deep=False)
    if "report_every" not in parameters or not callable(getattr(model, "reports", None)):
        raise InvalidInput(
            f"--track every= needs a model that reports by batches; {type(model).__name__} has no"
            " report_every"
        )
    if parameters["report_every"] is not None:
        raise InvalidInput("--track every= and --set report_every exclude each other; got both")
    return clone(model).set_params(report_every=int(batches))


def track_request(request: Request, track: str) -> Request:
    """Return the request with the epochs, or reports by batches, of ``track``."""
    if track != "epoch" and not track.startswith(_EVERY):
        epochs = parse_epochs(track, alternatives=", or epoch, or every=BATCHES")
        return replace(request, track=epochs)
    name = type(request.model).__name__
    if contract.stops_early(request.model):
        raise InvalidInput(
            f"--track must be epochs, like 1,2,5, for {name} with patience; got {track!r}"
        )
    if track == "epoch":
        last = contract.epochs(request.model)
        if last is None:
            raise InvalidInput(
                f"--track epoch needs a model with a number of epochs; {name} has none"
            )
        return replace(request, track=range(1, last + 1))
    # The last report is always measured; other fits may have one report more or less.
    reports = request.reports(request.plan.draw(request.context())) or 0
    return replace(request, track=range(1, max(2, reports)))


# -- --score-only: no model, no run ---------------------------------------------------------------


def _expose_table(options: ExposeOptions, path: Path, output: Format) -> int:
    """Print the exposures of log-perplexities computed elsewhere."""
    _check_options_of_tables(options)
    method = checks.choice("--method", options.method or _OF_TABLES[0], _OF_TABLES)
    perplexities = load_log_perplexities(path)
    exposure = _estimate(perplexities, method, options.space_size)
    role = np.where(perplexities.control, "control", "canary")
    # The table has roles, but no numbers of insertions.
    columns: dict[str, Any] = {
        "inserted": (~perplexities.control).astype(int),
        "role": role,
    }

    def with_roles() -> pd.DataFrame:
        frame = exposure.to_frame()
        frame.insert(1, "role", role)
        return frame

    emit(
        output,
        text=lambda: [
            report.render(exposure, **columns, top=options.top),
            "The table has no numbers of insertions: inserted canaries are shown with 1.",
        ],
        data=lambda: report.to_json(exposure, **columns),
        table=with_roles,
    )
    return Exit.DONE


def _check_options_of_tables(options: ExposeOptions) -> None:
    """Reject options of a run together with --score-only."""
    for parameter in options.context.command.params:
        name = parameter.name or ""
        source = options.context.get_parameter_source(name)
        if name not in _OPTIONS_OF_TABLES and source is not None and source.name == "COMMANDLINE":
            option = "CORPUS" if name == "corpus" else parameter.opts[0]
            raise InvalidInput(f"--score-only trains no model, so {option} does not apply")


def _estimate(perplexities: LogPerplexities, method: str, space_size: int | None) -> Exposure:
    """Estimate each canary's exposure from the references of its group."""
    options: dict[str, Any] = {"space_size": space_size, "method": method, "ids": perplexities.ids}
    bits, references = perplexities.canary_bits, perplexities.reference_bits
    groups, reference_groups = perplexities.canary_group, perplexities.reference_group
    if groups is None or reference_groups is None:
        return estimate_exposure(bits, references, **options)
    return estimate_by_group(bits, references, groups, reference_groups, **options)
