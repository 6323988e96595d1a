"""byrote recite: which texts a model continues word for word."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from byrote import checks
from byrote.cli.exits import Exit
from byrote.cli.options.texts import ReciteOptions
from byrote.cli.output import emit, output_format, standard_output_kept_clean
from byrote.cli.verbs.extract import build_user_model
from byrote.data import Corpus, load_corpus
from byrote.errors import InvalidInput
from byrote.models import registry
from byrote.report import recitation as report
from byrote.scores.recitation.recitation import Recitation
from byrote.scores.recitation.recite import recite as recite_texts
from byrote.scores.run import open_run


def recite(options: ReciteOptions) -> int:
    """Print what a model recites of texts; return the exit code."""
    output = output_format(options.as_json, options.as_csv)
    counts = _counts(options.n)
    texts = load_corpus(options.texts, column=options.column)
    unseen = None if options.unseen is None else load_corpus(options.unseen, column=options.column)
    with standard_output_kept_clean():
        model = _model(options)
        try:
            result = recite_texts(
                model,
                texts,
                unseen=() if unseen is None else unseen,
                prefix=options.prefix,
                suffix=options.suffix,
                stride=options.stride,
                n=counts,
                p=options.p,
                top_k=options.top_k,
                temperature=options.temperature,
                edits=options.edits,
                max_queries=options.max_queries,
            )
        except NotFittedError:
            raise InvalidInput(
                f"MODEL must be ready to use; {options.model} is not fitted (a run with"
                " --keep-models keeps fitted models)"
            ) from None
        shown = _recited(model, texts, result, options.top) if options.show_records else []
    emit(
        output,
        text=lambda: [report.render(result, top=options.top, recited=list(shown))],
        data=lambda: report.to_json(result, top=options.top, recited=list(shown)),
        table=result.windows.to_frame,
    )
    return Exit.DONE


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
    unfitted = build_user_model(options.user_model, options.settings)
    return open_run(folder).model(options.fit, model=unfitted)


def _recited(
    model: Any, texts: Corpus, result: Recitation, top: int
) -> Iterator[report.RecitedText]:
    """Yield the suffixes of the first windows of ``texts`` that the model recites."""
    settings, windows = result.settings, result.windows
    rows: Sequence[int] = np.flatnonzero(result.recited & ~result.unseen)[:top].tolist()
    for row in rows:
        first = int(windows.start[row]) + settings.prefix
        ids = list(model.encode(texts.documents[windows.text[row]]))
        suffix = model.decode(ids[first : first + settings.suffix])
        yield report.RecitedText(str(windows.ids[row]), first, suffix)
