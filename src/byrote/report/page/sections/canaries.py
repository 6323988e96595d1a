"""The secrets that were planted, and how exposed each is."""

from dataclasses import replace

import numpy as np

from byrote.errors import printable
from byrote.report import exposure as text
from byrote.report import exposure_notes
from byrote.report.figures.exposure_marks import NULL_95
from byrote.report.format import insertions, number, plural, with_interval
from byrote.report.page import cells, words
from byrote.report.page.audit import Audit
from byrote.report.page.content import (
    Cell,
    Coverage,
    Facts,
    Figure,
    Grid,
    Number,
    Pick,
    Prose,
    Row,
    Section,
)
from byrote.report.page.plot import Axis, Band, Dot, Key, Plot, Rule
from byrote.report.page.sections.registry import section
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.levels import (
    NULL_MEAN,
    Level,
    by_insertions,
)

LISTED = 100
EXFILTRATION = "exfiltration"
_DRAWN = 400  # points of the figure
_BY = {"model_sampled": "model's samples", "skew_normal": "fitted law", "sampled": "samples"}
_CERTAIN = ("exact", "search")


@section(order=20)
def canaries(audit: Audit) -> Section | None:
    """Return the exposure of canaries; None of a run without any."""
    result = audit.exposures
    if result is None:
        return None
    shown = _Shown(audit, result)
    data = text.run_to_json(result)
    del data["run"]
    data["canaries"] = data["canaries"][:LISTED]
    return Section(
        "canaries",
        "What was found",
        (shown.figure(), _levels(result), shown.table(), shown.notes()),
        data,
        numbers=_numbers(audit, result),
        covers={EXFILTRATION: _coverage(audit, result)},
        words=words.CANARIES,
    )


def _numbers(audit: Audit, result: ExposureResult) -> tuple[Number, ...]:
    exposed = audit.measured("max_exposure")
    most = cells.measured("most exposed secret", exposed, "largest_exposure_bits")
    maximum = result.exposure.maximum
    if most.is_known and not np.isnan(maximum).all():
        most = replace(
            most, note=f"{most.note}; at most {exposure_notes.ceiling(float(np.nanmax(maximum)))}"
        )
    levels = [each for each in by_insertions(result.exposure, result.inserted) if each.insertions]
    ends = dict.fromkeys([levels[0], levels[-1]]) if levels else {}
    return most, *map(_mean, ends)


def _mean(level: Level) -> Number:
    name = f"mean, {insertions(level.insertions)}"
    metric = f"mean_exposure_{level.insertions}_bits"
    note = f"bits; without memorization {NULL_MEAN:.2f} on average"
    return cells.estimated(name, exposure_notes.level_mean(level), metric, note)


def _coverage(audit: Audit, result: ExposureResult) -> Coverage:
    inserted = result.inserted > 0
    searched = inserted & np.isin(result.exposure.method, _CERTAIN)
    if not searched.any():
        return Coverage(
            "not run",
            f"exposures are estimated; {audit.extraction}; it searches a kept model for secrets",
        )
    first = int(np.count_nonzero(searched & (result.exposure.rank == 1)))
    return Coverage(
        "run",
        f"search of the model: {first:,} of {int(inserted.sum()):,} secrets are the likeliest of"
        " their format",
    )


def _levels(result: ExposureResult) -> Grid:
    rows = [
        cells.row(
            insertions(level.insertions),
            cells.count(level.canaries),
            cells.value(level.median),
            cells.estimate(exposure_notes.level_mean(level)),
            cells.count(level.saturated),
            cells.probability(level.p_value) if level.insertions else cells.words("the control"),
        )
        for level in by_insertions(result.exposure, result.inserted)
    ]
    head = ("secrets", "number", "median, bits", "mean [95 %], bits", "only bounds", "p")
    title = "Exposure by number of insertions; p: how likely chance alone makes exposures so high"
    return Grid(title, head, tuple(rows))


class _Shown:
    """The canaries on the page, each with an anchor of its own."""

    def __init__(self, audit: Audit, result: ExposureResult) -> None:
        self.audit, self.result = audit, result
        known = np.flatnonzero(~np.isnan(result.exposure.bits))
        ordered = known[np.argsort(-result.exposure.bits[known], kind="stable")]
        inserted = result.inserted[ordered] > 0
        self.listed = np.concatenate([ordered[inserted], ordered[~inserted]])[:LISTED]
        self.drawn = ordered[:_DRAWN]

    def figure(self) -> Figure:
        """Draw every canary by its number of insertions."""
        drawn = self.drawn.tolist()
        grid = Grid("Exposure of each secret drawn", self._head(), tuple(map(self._row, drawn)))
        return Figure(
            "exposure",
            "How exposed each secret is, by how often the text held it",
            f"Exposure of {plural(len(drawn), 'secret')} by number of insertions. Without"
            f" memorization 95% lie below {NULL_95:.1f} bits.",
            self._plot(drawn),
            grid,
            tuple(self._pick(row) for row in drawn),
        )

    def _plot(self, rows: list[int]) -> Plot:
        exposure, levels = self.result.exposure, list(self.result.levels)
        crowd: dict[int, int] = {}
        dots = []
        for row in rows:
            level = int(self.result.inserted[row])
            crowd[level] = crowd.get(level, 0) + 1
            shift = _spread(crowd[level])
            dots.append(
                Dot(
                    levels.index(level) + shift,
                    float(exposure.bits[row]),
                    "without" if level == 0 else "with",
                    self._words(row),
                    f"#{self._anchor('pick', row)}",
                    "up" if exposure.saturated[row] else "circle",
                )
            )
        most = exposure.maximum[~np.isnan(exposure.maximum)]
        top = float(most.max()) if len(most) else float(np.nanmax(exposure.bits, initial=5.0))
        names = tuple((float(p), _short(level)) for p, level in enumerate(levels))
        ceiling = [Rule("limit", y=top, text=f"ceiling {number(top)} bits")] if len(most) else []
        keys = (
            Key("with", "inserted"),
            Key("without", "never inserted"),
            Key("band", "95% of secrets without memorization"),
        )
        y = Axis.through(0.0, 1.06 * top, "exposure (bits)")
        x = Axis(-0.6, len(levels) - 0.4, "times that the text held the secret", names)
        return Plot(x, y, (Band(0.0, NULL_95), *ceiling, *dots), keys, height=300.0)

    def _words(self, row: int) -> str:
        bits = with_interval(exposure_notes.estimate_of(self.result, row))
        name = printable(self.result.exposure.ids[row])
        return f"{name}, {insertions(int(self.result.inserted[row]))}: {bits} bits"

    def _anchor(self, name: str, row: int) -> str:
        return self.audit.place(f"{name}-{row}")

    def _pick(self, row: int) -> Pick:
        title = printable(self.result.exposure.ids[row])
        cells_of_row = self._row(row).cells
        pairs = [(n, cell.text) for n, cell in zip(self._head(), cells_of_row, strict=True)][1:]
        if (content := cells_of_row[0].content) is not None:
            pairs += [("text", line) for line in content.lines]
        return Pick(self._anchor("pick", row), title, Facts(tuple(pairs)))

    def table(self) -> Grid:
        """Return the canaries, those inserted first, the most exposed first."""
        rows = tuple(self._row(row, anchor=True) for row in self.listed.tolist())
        total = len(self.result)
        more = f", {len(rows):,} of {total:,}" if len(rows) < total else f", all {total:,}"
        return Grid(f"Secrets, the most exposed first{more}", self._head(), rows, sortable=True)

    def _head(self) -> tuple[str, ...]:
        fit = ("fit",) if len(self.result.test_loss) > 1 else ()
        level = f"[{100 * self.result.exposure.level:g} %]"
        return ("secret", *fit, "inserted", "exposure, bits", level, "bits of the text", "p", "by")

    def _row(self, row: int, *, anchor: bool = False) -> Row:
        result, exposure = self.result, self.result.exposure
        fit = [cells.count(int(result.fit[row]))] if len(result.test_loss) > 1 else []
        bits = cells.value(float(exposure.bits[row]))
        if exposure.saturated[row]:
            bits = Cell(f"≥ {bits.text}", bits.order)
        return cells.row(
            self._secret(row),
            *fit,
            cells.count(int(result.inserted[row])),
            bits,
            _ends(exposure.low[row], exposure.high[row]),
            cells.value(float(exposure.log_perplexity[row])),
            cells.probability(float(exposure.p_value[row])),
            _BY.get(method := str(exposure.method[row]), method) or "not measured",
            anchor=self._anchor("record", row) if anchor else "",
        )

    def _secret(self, row: int) -> Cell:
        canary = row % (len(self.result) // len(self.result.test_loss))
        name = printable(self.result.exposure.ids[row])
        return Cell(name, content=self.audit.content(canary))

    def notes(self) -> Prose:
        """Return how to read the table, and what it leaves out."""
        return Prose(
            (
                "Exposure: log2 of the number of secrets of this format, minus log2 of the rank of"
                " this one among them. Without memorization it is"
                f" {NULL_MEAN:.2f} bits on average, and t bits or more with probability 1 in 2^t.",
                *self.audit.redacted("Secrets are named, not shown"),
            ),
            "note",
        )


def _ends(low: float, high: float) -> Cell:
    if np.isnan(low):
        return cells.words("no interval", tone="unknown")
    return Cell(text.interval(low, high), float(low))


def _short(level: int) -> str:
    return "never" if level == 0 else f"{level:,}"


def _spread(place: int) -> float:
    """Return where the n-th point of a level stands, within 0.3 of its middle."""
    step = (place * 0.381966) % 1.0  # the golden section fills a line evenly
    return 0.6 * step - 0.3
