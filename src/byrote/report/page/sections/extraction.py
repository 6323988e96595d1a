"""What was extracted from a kept model: secrets by search, or records from its samples."""

from dataclasses import replace

import numpy as np

from byrote.errors import printable
from byrote.report import extracted_records
from byrote.report import extraction as text
from byrote.report.format import plural
from byrote.report.page import cells, words
from byrote.report.page.audit import Audit
from byrote.report.page.content import Block, Cell, Coverage, Grid, Number, Prose, Row, Section
from byrote.report.page.sections.canaries import EXFILTRATION
from byrote.report.page.sections.registry import section
from byrote.report.page.sections.samples import REGURGITATION
from byrote.scores.exposure.secret_extraction import PatternExtraction, SecretExtraction
from byrote.scores.neighbors.record_extraction import RecordExtraction
from byrote.stats.estimate import Estimate

_TITLE = "What was extracted"
_LISTED = 40  # canaries of a pattern
_HEAD = tuple("bits of the text (low = likely)" if h == "bits" else h for h in text.CANARIES)
_TWO_METHODS = (
    "A rank shown as a range lies between bounds that this search is certain of. An exposure that"
    " is estimated, from samples or by a fitted law, may have a narrower interval, which holds only"
    " at its confidence. Both can be right; where certainty matters, the bounds count."
)
_SHOWN = 10  # records
_ONE_MODEL = "a count in one model, of which the search is certain; another training may differ"
_CUT_OFF = "a count in one model, whose search was cut off"
_SHARE = "share of the samples of a kept model that reproduce a training record"


@section(order=28)
def extraction(audit: Audit) -> Section | None:
    """Return what ``byrote extract`` found; None if it was not run."""
    result = audit.extraction
    if isinstance(result, SecretExtraction):
        return _secrets(result)
    if isinstance(result, RecordExtraction):
        return _records(audit, result)
    return None


def _secrets(result: SecretExtraction) -> Section:
    sentences = text.sentences(result)
    tables: list[Block] = [_canaries(pattern) for pattern in result.patterns if len(pattern.ids)]
    if any(p.ranks is not None and np.isnan(p.ranks.rank).any() for p in result.patterns):
        tables.append(Prose((_TWO_METHODS,), "note"))
    patterns: list[Block] = [_pattern(pattern) for pattern in result.patterns]
    return Section(
        "extraction",
        _TITLE,
        (Prose(tuple(sentences), "alarm" if result.extracted else ""), *patterns, *tables),
        text.run_to_json(result),
        numbers=(_extracted(result),),
        covers={EXFILTRATION: Coverage("run", " ".join(sentences))},
        words=words.EXTRACTION,
    )


def _extracted(result: SecretExtraction) -> Number:
    """Return how many secrets were extracted, or at least, as a number for the top of the page."""
    found, reason = len(result.extracted), _CUT_OFF if result.uncertified else _ONE_MODEL
    first = text.first_guesses(result)
    note = " ".join(text.sentences(result)[: 1 if first else 2])
    count = Estimate(float(found), reason=reason)
    number = cells.estimated("secrets extracted", count, "secrets_extracted", note)
    if first:
        number = replace(number, interval=first, note=f"{note} It is {reason}.")
    return replace(number, value=f"{found:,} of {result.searched:,}")


def _pattern(pattern: PatternExtraction) -> Prose:
    head = f"{printable(pattern.pattern)}: {text.masked(pattern.extraction)}"
    return Prose((" ".join([head, *text.recognised(pattern)]),))


def _canaries(pattern: PatternExtraction) -> Grid:
    total = len(pattern.ids)
    rows = tuple(cells.row(*text.canary_row(pattern, row)) for row in range(total)[:_LISTED])
    caption = f"Secrets of {printable(pattern.pattern)} ({cells.part(len(rows), total)})"
    return Grid(caption, _HEAD, rows)


def _records(audit: Audit, result: RecordExtraction) -> Section:
    sentences = extracted_records.sentences(result)
    tables: tuple[Block, ...] = (_reproduced(audit, result),) if len(result.rows) else ()
    which = "the release model" if result.fit is None else f"the model of fit {result.fit}"
    found = f"{plural(result.drawn, 'sample')} of {which}: {sentences[0]}"
    return Section(
        "extraction",
        _TITLE,
        (Prose((found, *sentences[1:]), "alarm" if len(result.rows) else ""), *tables),
        extracted_records.run_to_json(result, top=_SHOWN),
        numbers=(
            cells.estimated("samples that reproduce", result.rate, "extracted_share", _SHARE),
        ),
        covers={REGURGITATION: Coverage("run", found)},
    )


def _reproduced(audit: Audit, result: RecordExtraction) -> Grid:
    row_of = {name: row for row, name in enumerate(audit.run.folder.ids.tolist())}
    shown = result.rows[:_SHOWN].tolist()
    caption = f"Training records that come out ({cells.part(len(shown), len(result.rows))})"
    head = ("record", "samples", "distance", "score M")
    rows = tuple(_record(audit, result, row, row_of[result.ids[row].item()]) for row in shown)
    return Grid(caption, head, rows, sortable=True)


def _record(audit: Audit, result: RecordExtraction, row: int, of_run: int) -> Row:
    return cells.row(
        Cell(printable(result.ids[row]), content=audit.content(of_run)),
        cells.count(int(result.samples[row])),
        cells.value(float(result.distance[row])),
        cells.value(float(result.score[row])),
    )
