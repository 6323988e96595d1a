"""byrote extract: secrets extracted from a kept model."""

from typing import Any

from byrote.cli.options.runs import ExtractOptions
from byrote.cli.output import emit, output_format, standard_output_kept_clean
from byrote.errors import InvalidInput
from byrote.models import registry
from byrote.report import extraction as report
from byrote.runs.determinism import controlled
from byrote.scores.exposure.extraction_from_run import SearchBudget, extract_from_run
from byrote.scores.run import open_run


def extract(options: ExtractOptions) -> None:
    """Search a kept model for the most likely secrets, and print them."""
    budget = SearchBudget(
        options.batch_size, options.max_queries, options.max_frontier, options.top
    )
    run = open_run(options.run)
    if not run.has_canaries:
        raise InvalidInput(f"{options.run} must be a run of byrote expose; it has no canaries")
    fit = run.design.release if options.fit is None else options.fit
    seed, threads = run.manifest.seed, run.manifest.threads
    with standard_output_kept_clean(), controlled(seed % 2**32, threads, needs_torch=False):
        model = run.model(options.fit, model=build_user_model(options.model, options.settings))
        extractions = extract_from_run(
            run.folder,
            model,
            fit=fit,
            ids=options.canary or (),
            prefix=options.prefix,
            budget=budget,
        )
    show_secrets = options.show_secrets
    emit(
        output_format(options.as_json),
        text=lambda: [report.render_patterns(extractions, show_secrets=show_secrets)],
        data=lambda: {
            "run_id": run.manifest.run_id,
            "fit": fit,
            "patterns": report.patterns_to_json(extractions, show_secrets=show_secrets),
        },
    )


def build_user_model(name: str | None, settings: list[str] | None) -> Any:
    """Build the unfitted model of a user's class for ``Run.model``; None without a class."""
    parameters = registry.parse_settings(settings or [])
    if name is None and parameters:
        raise InvalidInput("--set needs --model; a run's own model has its parameters")
    return None if name is None else registry.build(name, parameters)
