"""byrote extract: secrets, or training records, extracted from a kept model."""

from dataclasses import fields
from typing import Any

from byrote import checks
from byrote.cli.exits import Exit, complete_or_not
from byrote.cli.options.runs import ExtractOptions
from byrote.cli.output import emit, output_format, standard_output_kept_clean
from byrote.cli.validation import load_validation
from byrote.errors import InvalidInput
from byrote.models import registry
from byrote.report import extracted_records as records_report
from byrote.report import extraction as report
from byrote.runs.determinism import controlled
from byrote.scores.exposure.extraction_from_run import extract_from_run
from byrote.scores.exposure.secret_extraction import SearchBudget
from byrote.scores.neighbors.extracted_from_run import extract_records
from byrote.scores.privacy.attribute_disclosure import guesses
from byrote.scores.run import Run, open_run
from byrote.scores.stored import save_stored

_OF_RECORDS = ("samples", "seed", "validation", "validation_part", "as_csv")
_OF_SECRETS = (
    "canary", "prefix", "batch_size", "max_queries", "max_frontier", "show_secrets",
)  # fmt: skip


def extract(options: ExtractOptions) -> int:
    """Print what a kept model gives away of a run, and keep it there; return the exit code."""
    run = open_run(options.run)
    refused, verb = (_OF_RECORDS, "score") if run.has_canaries else (_OF_SECRETS, "expose")
    for name in refused:
        if getattr(options, name) not in (None, False):
            option = name.removeprefix("as_").replace("_", "-")
            raise InvalidInput(
                f"--{option} applies to runs of byrote {verb}, and {options.run} is another"
            )
    return _secrets(options, run) if run.has_canaries else _records(options, run)


def _secrets(options: ExtractOptions, run: Run) -> int:
    """Search the model for the most likely secrets, and print them."""
    limits = {field.name: getattr(options, field.name) for field in fields(SearchBudget)}
    budget = SearchBudget(**{name: n for name, n in limits.items() if n is not None})
    fit = run.design.release if options.fit is None else options.fit
    seed, threads = run.manifest.seed, run.manifest.threads
    with standard_output_kept_clean(), controlled(seed % 2**32, threads, needs_torch=False):
        model = run.model(options.fit, model=build_user_model(options.model, options.settings))
        result = extract_from_run(
            run.folder,
            model,
            fit=fit,
            ids=options.canary or (),
            prefix=options.prefix,
            budget=budget,
        )
        save_stored(run.folder, result)
    show_secrets = options.show_secrets
    emit(
        output_format(options.as_json),
        text=lambda: [report.render_run(result, show_secrets=show_secrets)],
        data=lambda: report.run_to_json(result, show_secrets=show_secrets),
    )
    return Exit.DONE


def _records(options: ExtractOptions, run: Run) -> int:
    """Sample the model, and print the training records that come out."""
    output = output_format(options.as_json, options.as_csv)
    _check_records(options, run)
    top = 10 if options.top is None else checks.integer("--top", options.top, at_least=0)
    seed = 0 if options.seed is None else checks.integer("--seed", options.seed, at_least=0)
    if options.samples is not None:
        checks.integer("--samples", options.samples, at_least=1)
    result, code = complete_or_not(run.memorization)
    with standard_output_kept_clean():
        validation = None
        if options.validation is not None or options.validation_part is not None:
            data = result.description["data"]
            validation = load_validation(data, options.validation, options.validation_part)
        extraction = extract_records(
            run, result,
            fit=options.fit, samples=options.samples, seed=seed, validation=validation,
            model=build_user_model(options.model, options.settings),
        )  # fmt: skip
        save_stored(run.folder, extraction)
    emit(
        output,
        text=lambda: [records_report.render_run(extraction, top=top)],
        data=lambda: records_report.run_to_json(extraction, top=top),
        table=extraction.to_frame,
    )
    return code


def _check_records(options: ExtractOptions, run: Run) -> None:
    """Refuse a run whose records cannot come out in samples."""
    if run.manifest.data.texts:
        raise InvalidInput(
            f"{options.run} is a run on texts, of which byrote recite {options.run} prints what its"
            " models continue word for word; byrote extract samples images or rows"
        )
    if guesses(run):
        raise InvalidInput(
            f"{options.run} is a run of byrote disclose, which byrote show prints; byrote extract"
            " needs one of byrote score or byrote expose"
        )


def build_user_model(name: str | None, settings: list[str] | None) -> Any:
    """Build the unfitted model of a user's class for ``Run.model``; None without a class."""
    parameters = registry.parse_settings(settings or [])
    if name is None and parameters:
        raise InvalidInput("--set needs --model; a run's own model has its parameters")
    return None if name is None else registry.build(name, parameters)
