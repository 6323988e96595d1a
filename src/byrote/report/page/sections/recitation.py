"""What the kept models recite of a run's texts: memorized, or merely predictable."""

from byrote.errors import printable
from byrote.report import counterfactual_recitation as text
from byrote.report.page import cells, words
from byrote.report.page.audit import Audit
from byrote.report.page.content import Cell, Coverage, Grid, Number, Prose, Row, Section
from byrote.report.page.sections.canaries import EXFILTRATION
from byrote.report.page.sections.registry import section
from byrote.report.recitation import percent
from byrote.scores.recitation.counterfactual import CounterfactualRecitation
from byrote.stats.estimate import Estimate

_SHOWN = 10
_SHARE = "of the windows are recited because their text was trained on: with it, less without it"


@section(order=27)
def recitation(audit: Audit) -> Section | None:
    """Return what ``byrote recite RUN`` measured; None if it was not run."""
    result = audit.recitation
    if isinstance(result, str):
        return None
    said, notes = text.sentence(result), tuple(text.notes(result))
    return Section(
        "recitation",
        "What the models recite",
        (Prose((said,)), _table(result), _texts(result), Prose(notes, "note")),
        text.to_json(result, top=_SHOWN),
        numbers=(_share(result.added()),),
        covers={EXFILTRATION: Coverage("run", f"{len(result):,} windows of texts: {said}")},
        words=words.RECITATION,
    )


def _share(added: Estimate) -> Number:
    return cells.estimated("share recited from memory", added, "recited_share", _SHARE)


def _table(result: CounterfactualRecitation) -> Grid:
    head = ("recited", *(name.replace("_", " ") for name in text.CELLS))
    rows = tuple(
        cells.row(row.criterion, *(_cell(getattr(row, name)) for name in text.CELLS))
        for row in result.tables()
    )
    return Grid(text.sizes(result), head, rows)


def _cell(share: Estimate) -> Cell:
    return Cell(percent(share), float(share.value))


def _texts(result: CounterfactualRecitation) -> Grid:
    columns = result.texts()
    total = len(columns["id"])
    head = ("text", "windows", "memorized", "predictable", "bits saved")
    rows = tuple(_text(*values) for values in zip(*columns.values(), strict=True))[:_SHOWN]
    caption = f"Texts with most memorized windows ({cells.part(len(rows), total)})"
    return Grid(caption, head, rows, sortable=True)


def _text(name: object, windows: int, *values: float) -> Row:
    return cells.row(printable(name), cells.count(int(windows)), *map(cells.value, values))
