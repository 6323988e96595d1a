"""What a model generates beside what it was trained on: nearest neighbours of samples."""

from byrote.errors import printable
from byrote.report import neighbors as text
from byrote.report.page import cells
from byrote.report.page.audit import Audit
from byrote.report.page.content import Cell, Coverage, Grid, Prose, Section
from byrote.report.page.sections.registry import section
from byrote.scores.neighbors.neighbor_result import NeighborResult

REGURGITATION = "regurgitation"
_SHOWN = 10


@section(order=50)
def samples(audit: Audit) -> Section | None:
    """Return the tests of samples; None if samples were not tested, or of canaries."""
    result = audit.neighbors
    if audit.scores is None or isinstance(result, str):
        return None
    about = result.description
    copied = text.copied(result)
    sizes = (
        f"{about['samples']:,} samples beside {about['train']:,} training records and"
        f" {about['validation']:,} validation records that the model has not seen."
    )
    tests = Grid("Tests of the samples", text.HEAD, tuple(cells.row(*r) for r in text.rows(result)))
    return Section(
        "samples",
        "What the model gives out",
        (
            Prose((f"{sizes} {copied}",), "alarm" if result.copied else ""),
            tests,
            _nearest(audit, result),
            Prose(tuple(text.remarks(result)), "note"),
        ),
        text.to_json(result, top=_SHOWN),
        covers={REGURGITATION: Coverage("run", f"{about['samples']:,} samples: {copied}")},
    )


def _nearest(audit: Audit, result: NeighborResult) -> Grid:
    rows = [
        cells.row(
            Cell(printable(result.ids[row]), content=audit.content(row)),
            cells.value(float(result.ratio[row])),
            cells.value(float(result.distance_sample[row])),
            cells.value(float(result.distance_validation[row])),
            cells.value(float(result.score[row])),
        )
        for row in result.order()[:_SHOWN].tolist()
    ]
    head = ("record", "rho", "to a sample", "to validation", "score M")
    return Grid("Training records nearest to a sample", head, tuple(rows), sortable=True)
