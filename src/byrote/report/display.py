"""What ``print`` and notebooks show of each public result; see ``byrote.display``."""

import sys
from collections.abc import Callable, Iterable
from io import StringIO
from typing import Any

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.attacks.extraction import Extraction
from byrote.data import Corpus, Records, TextRecords
from byrote.report import (
    attribute_disclosure,
    comparison,
    counterfactual_recitation,
    exposure,
    extracted_records,
    extraction,
    gate,
    memorization,
    near_duplicates,
    neighbors,
    privacy,
    proposals,
    pruning,
    recitation,
    synthetic,
    trajectory,
)
from byrote.report.format import WIDTH, Printable, byte_size, plural
from byrote.report.settings import headline_of
from byrote.scores.compare.comparison import Comparison
from byrote.scores.exposure.exposure import Exposure
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.secret_extraction import SecretExtraction
from byrote.scores.exposure.trajectory import ExposureOverTraining
from byrote.scores.gate.threshold import Gate
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.pruning import Pruned
from byrote.scores.memorization.trajectory import Trajectory
from byrote.scores.neighbors.extracted_records import ExtractedRecords
from byrote.scores.neighbors.near_duplicates import NearDuplicates
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.scores.neighbors.record_extraction import RecordExtraction
from byrote.scores.neighbors.synthetic_result import SyntheticResult
from byrote.scores.outlook.proposal import Proposals
from byrote.scores.privacy.attribute_disclosure import AttributeDisclosure
from byrote.scores.privacy.evidence import PrivacyEvidence
from byrote.scores.privacy.membership import MembershipInference
from byrote.scores.recitation.counterfactual import CounterfactualRecitation
from byrote.scores.recitation.recitation import Recitation, RecitedTexts, RecitedWindows
from byrote.scores.run import Run


def renderable(result: Any) -> Printable:
    """Return the table of a result for rich."""
    render = next(_RENDERERS[kind] for kind in type(result).__mro__ if kind in _RENDERERS)
    return Printable(render(result))


def as_text(result: Any) -> str:
    """Return the table as plain text, as wide as the terminal, or 120 columns without one."""
    console = _console(Console().width if sys.stdout.isatty() else WIDTH)
    console.print(renderable(result))
    return "\n".join(line.rstrip() for line in console.export_text().splitlines())


def as_html(result: Any) -> str:
    """Return the table as HTML, with every text escaped."""
    console = _console(WIDTH)
    console.print(renderable(result))
    style = "font-family: monospace; line-height: normal; overflow-x: auto; white-space: pre"
    return console.export_html(
        inline_styles=True, code_format=f'<pre style="{style}">{{code}}</pre>'
    )


def _console(width: int) -> Console:
    """Make a console that only records."""
    look: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}
    return Console(file=StringIO(), record=True, width=width, force_jupyter=False, **look)


# -- data and runs --------------------------------------------------------------------------------


def _records(records: Records) -> Table:
    labels = "–" if records.labels is None else f"{len(np.unique(records.labels)):,} different"
    shape = " × ".join(map(str, records.shape))
    return _named(
        [
            ("records", f"{len(records):,}"),
            ("of each", f"{shape} numbers, {records.x.dtype}"),
            ("labels", labels),
            ("source", records.source),
            *records.options.items(),
        ]
    )


def _texts(records: TextRecords) -> Table:
    labels = "–" if records.labels is None else f"{len(np.unique(records.labels)):,} different"
    return _named(
        [
            ("texts", f"{len(records):,}"),
            ("characters", f"{records.characters:,}"),
            ("labels", labels),
            ("source", records.source),
            *records.options.items(),
        ]
    )


def _corpus(corpus: Corpus) -> Table:
    return _named(
        [
            ("documents", f"{len(corpus.documents):,}"),
            ("characters", f"{corpus.characters:,}"),
            ("size in UTF-8", byte_size(corpus.size)),
            ("source", corpus.source),
            *corpus.options.items(),
            *corpus.notes.items(),
        ]
    )


def _run(run: Run) -> RenderableType:
    fits, content = run.design.fits, "exposures" if run.has_canaries else "memorization scores"
    kept = len(list(run.folder.paths.models.glob("*.safetensors")))
    rows = [
        ("folder", str(run.path)),
        ("content", content),
        ("finished", f"{len(run.finished):,} of {plural(fits, 'fit')}"),
        ("tracked", ", ".join(map(str, run.manifest.track)) or "–"),
        ("models kept", f"{kept:,}" if kept else "–"),
    ]
    missing = [Text(f"INCOMPLETE: {run.incomplete}.", style="bold red")] if run.incomplete else []
    headline = headline_of(run.manifest.model_dump(mode="json"))
    headline.rstrip()
    return Group(headline, _named(rows), *missing)


def _named(rows: Iterable[tuple[str, str]]) -> Table:
    """Return a table of names and values."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    return table


_RENDERERS: dict[type, Callable[[Any], RenderableType]] = {
    AttributeDisclosure: attribute_disclosure.render,
    Comparison: comparison.render,
    Corpus: _corpus,
    CounterfactualRecitation: counterfactual_recitation.render,
    Exposure: exposure.render_exposures,
    ExposureOverTraining: trajectory.render,
    ExposureResult: exposure.render_run,
    Extraction: extraction.render,
    ExtractedRecords: extracted_records.render,
    Gate: gate.render,
    MembershipInference: lambda attack: privacy.render_attacks([attack]),
    MemorizationResult: memorization.render,
    NearDuplicates: near_duplicates.render,
    NeighborResult: neighbors.render,
    PrivacyEvidence: privacy.render,
    Proposals: lambda proposed: Group(*proposals.render(proposed)),
    Pruned: pruning.render,
    Recitation: recitation.render,
    RecitedTexts: recitation.render_rows,
    RecitedWindows: recitation.render_rows,
    Records: _records,
    RecordExtraction: extracted_records.render_run,
    Run: _run,
    SecretExtraction: extraction.render_run,
    SyntheticResult: synthetic.render,
    TextRecords: _texts,
    Trajectory: trajectory.render,
}
