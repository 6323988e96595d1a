"""byrote recite: which texts a model continues word for word."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from byrote import checks
from byrote.cli.exits import Exit
from byrote.cli.options.texts import ReciteOptions
from byrote.cli.output import Format, emit, output_format, standard_output_kept_clean
from byrote.cli.verbs.extract import build_user_model
from byrote.data.text_records import TextRecords
from byrote.data.text_sources import load_texts
from byrote.errors import InvalidInput
from byrote.models import registry
from byrote.report import counterfactual_recitation
from byrote.report import recitation as report
from byrote.scores.recitation.recitation import Recitation, RecitationSettings
from byrote.scores.recitation.recite import recite as recite_texts
from byrote.scores.recitation.recite_run import recite_run
from byrote.scores.run import open_run
from byrote.scores.stored import save_stored


def recite(options: ReciteOptions) -> int:
    """Print what a model recites of texts; return the exit code."""
    output = output_format(options.as_json, options.as_csv)
    if options.texts is None:
        _recite_run(options, output)
    else:
        _recite_texts(options, output, _load(options, options.texts))
    return Exit.DONE


def _recite_texts(options: ReciteOptions, output: Format, texts: TextRecords) -> None:
    """Print what one model recites of texts."""
    settings = _settings(options)
    unseen = None if options.unseen is None else _load(options, options.unseen)
    with standard_output_kept_clean():
        model = _model(options)
        try:
            result = recite_texts(model, texts, unseen=unseen, **settings)
        except NotFittedError:
            raise InvalidInput(
                f"MODEL must be ready to use; {options.model} is not fitted (a run with"
                " --keep-models keeps fitted models)"
            ) from None
        recited = []
        if options.show_records:
            recited = list(_recited(model, texts, result, options.top))
    emit(
        output,
        text=lambda: [report.render(result, top=options.top, recited=recited)],
        data=lambda: report.to_json(result, top=options.top, recited=recited),
        table=result.to_frame,
    )


def _recite_run(options: ReciteOptions, output: Format) -> None:
    """Print what the fits of a run recite of its texts, and write it into the run folder."""
    settings = _settings(options)
    for name, value in (("--unseen", options.unseen), ("--fit", options.fit)):
        if value is not None:
            raise InvalidInput(f"{name} needs TEXTS; without, a run's own texts are recited")
    if options.edits or options.show_records:
        raise InvalidInput("--edits and --show-records need TEXTS, for a single model")
    run = open_run(_run_folder(options))
    unfitted = build_user_model(options.user_model, options.settings)
    with standard_output_kept_clean():
        result = recite_run(run, model=unfitted, **settings)
        save_stored(run.folder, result)
    emit(
        output,
        text=lambda: [counterfactual_recitation.render(result, top=options.top)],
        data=lambda: counterfactual_recitation.to_json(result, top=options.top),
        table=result.to_frame,
    )


def _settings(options: ReciteOptions) -> dict[str, Any]:
    """Return the settings of the recitation."""
    names = [field.name for field in fields(RecitationSettings) if field.name != "level"]
    return {**{name: getattr(options, name) for name in names}, "n": _counts(options.n)}


def _load(options: ReciteOptions, path: str) -> TextRecords:
    """Load texts; those of a text file are one document."""
    return load_texts(path, column=options.column, ids=options.ids, unit=options.unit)


def _counts(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InvalidInput(
            f"--n must be whole numbers separated by commas, like 1,10,1000; got {text!r}"
        ) from None


def _model(options: ReciteOptions) -> Any:
    """Load the model that the first argument names."""
    if ":" in options.model and not Path(options.model).is_dir():
        if options.fit is not None or options.user_model is not None:
            raise InvalidInput("--fit and --model need a run folder in place of MODEL")
        return registry.ready(options.model, registry.parse_settings(options.settings or []))
    folder = _run_folder(options)
    unfitted = build_user_model(options.user_model, options.settings)
    return open_run(folder).model(options.fit, model=unfitted)


def _run_folder(options: ReciteOptions) -> Path:
    """Return the folder of a run that the first argument names."""
    folder = checks.path("MODEL", options.model)
    if (folder / "config.json").is_file():
        raise InvalidInput(
            f"MODEL must be a run folder or hf:PATH; {folder} is a model: write hf:{folder}"
        )
    if not folder.is_dir():
        raise InvalidInput(
            "MODEL must be hf:PATH, module:Class, or a run folder that keeps models; got"
            f" {options.model!r}"
        )
    return folder


def _recited(
    model: Any, texts: TextRecords, result: Recitation, top: int
) -> Iterator[report.RecitedText]:
    """Yield the suffixes of the first windows of ``texts`` that the model recites."""
    settings, windows = result.settings, result.windows
    rows: Sequence[int] = np.flatnonzero(result.recited & ~result.unseen)[:top].tolist()
    for row in rows:
        first = int(windows.start[row]) + settings.prefix
        ids = list(model.encode(texts.texts[windows.text[row]]))
        suffix = model.decode(ids[first : first + settings.suffix])
        yield report.RecitedText(str(windows.ids[row]), first, suffix)
