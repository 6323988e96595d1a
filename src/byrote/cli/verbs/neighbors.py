"""byrote neighbors: copies among a run's records, and tests of samples or a synthetic table."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from byrote import checks
from byrote.cli.exits import Exit, complete_or_not
from byrote.cli.options.records import load_options
from byrote.cli.options.runs import NeighborsOptions
from byrote.cli.output import emit, output_format, standard_output_kept_clean
from byrote.cli.validation import load_validation
from byrote.cli.verbs.extract import build_user_model
from byrote.data import Records
from byrote.data.frames import load_tables
from byrote.data.text_records import TextRecords, as_arrays
from byrote.errors import InvalidInput
from byrote.report import near_duplicates as report_copies
from byrote.report import neighbors as report
from byrote.report import synthetic as synthetic_report
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.neighbors.compare_neighbors import compare_neighbors
from byrote.scores.neighbors.compare_synthetic import compare_synthetic
from byrote.scores.neighbors.near_duplicates import NearDuplicates, near_duplicates
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.scores.neighbors.text_duplicates import near_duplicate_texts
from byrote.scores.run import Run, open_run
from byrote.scores.stored import save_stored

_TABLES = ("train", "holdout", "synthetic")
_OF_RUNS = {
    "validation": "--validation",
    "validation_part": "--validation-part",
    "samples": "--samples",
    "cells": "--cells",
    "downsample": "--no-downsample",
    "model": "--model",
    "settings": "--set",
}


def neighbors(options: NeighborsOptions) -> int:
    """Test a run's records and samples, or a synthetic table; return the exit code."""
    tables = {name: getattr(options, name) for name in _TABLES}
    if options.run is None:
        return _of_table(options, tables)
    of_tables = {**tables, **load_options(options)}
    if extra := [f"--{name}" for name, given in of_tables.items() if given]:
        raise InvalidInput(f"{extra[0]} is for synthetic tables; leave out the run to test one")
    return _of_run(options, options.run)


def _of_table(options: NeighborsOptions, paths: Mapping[str, Path | None]) -> int:
    """Test one synthetic table, and print the result."""
    if missing := [f"--{name}" for name, path in paths.items() if path is None]:
        raise InvalidInput(
            "a run, or --train, --holdout and --synthetic must be given; got neither a run nor"
            f" {missing[0]}"
        )
    default = NeighborsOptions()
    for name, option in _OF_RUNS.items():
        if getattr(options, name) != getattr(default, name):
            raise InvalidInput(f"{option} is for runs; leave it out to test a synthetic table")
    _check_different(paths)
    checks.integer("--seed", options.seed, at_least=0)
    files = {f"--{name}": str(path) for name, path in paths.items()}
    with standard_output_kept_clean():
        frames = load_tables(files, **load_options(options)).values()
        result = compare_synthetic(*frames, seed=options.seed)
    emit(
        output_format(options.as_json),
        text=lambda: [synthetic_report.render(result, top=options.top)],
        data=lambda: synthetic_report.to_json(result, top=options.top),
    )
    return Exit.DONE


def _check_different(paths: Mapping[str, Path | None]) -> None:
    """Refuse a file that is given as two tables."""
    first: dict[Path, str] = {}
    for name, path in paths.items():
        other = first.setdefault(Path(path or "").resolve(), name)
        if other != name:
            raise InvalidInput(f"--{name} must be another file than --{other}; both are {path}")


def _of_run(options: NeighborsOptions, folder: Path) -> int:
    """Find copies, test samples, and print both."""
    has_validation = options.validation is not None or options.validation_part is not None
    if options.samples is not None and not has_validation:
        raise InvalidInput("--samples needs validation records: --validation or --validation-part")
    checks.integer("--seed", options.seed, at_least=0)
    if options.samples is not None:
        checks.integer("--samples", options.samples, at_least=1)
    run, top = open_run(folder), options.top
    result, code = complete_or_not(run.memorization)
    compared = None
    with standard_output_kept_clean():
        train, model = run.records, build_user_model(options.model, options.settings)
        if has_validation:
            arrays = as_arrays(train)
            data = result.description["data"]
            validation = load_validation(data, options.validation, options.validation_part)
            compared = compare_with_samples(
                run, result, arrays, validation,
                samples=options.samples, seed=options.seed, model=model,
                cells=options.cells, downsample=options.downsample,
            )  # fmt: skip
        copies = _find_copies(run, result, train)

    def as_text() -> Iterator[object]:
        if compared is not None:
            yield from (report.render(compared, top=top), "")
        yield report_copies.render(copies, top=top)

    def as_json() -> dict[str, Any]:
        data = {} if compared is None else report.to_json(compared, top=top)
        return {**data, "near_duplicates": report_copies.to_json(copies, top=top)}

    emit(output_format(options.as_json), text=as_text, data=as_json)
    return code


def _find_copies(
    run: Run, result: MemorizationResult, train: Records | TextRecords
) -> NearDuplicates:
    """Find copies and near copies among the records, and write them into the run folder."""
    if isinstance(train, TextRecords):
        copies = near_duplicate_texts(train, result)
    else:
        copies = near_duplicates(result, train)
    save_stored(run.folder, copies)
    return copies


def compare_with_samples(
    run: Run,
    result: MemorizationResult,
    train: Records,
    validation: Records,
    *,
    samples: int | None = None,
    seed: int = 0,
    model: Any = None,
    **options: Any,
) -> NeighborResult:
    """Draw samples from the release model, compare, and write the result into the run folder."""
    drawn = run.sample(samples or len(validation), seed=seed, model=model)
    compared = compare_neighbors(result, train, validation, drawn, seed=seed, **options)
    origin = {"run_id": run.manifest.run_id, "fresh": validation.fingerprint}
    compared = replace(compared, description={**compared.description, **origin})
    save_stored(run.folder, compared)
    return compared
