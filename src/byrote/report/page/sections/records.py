"""The records that were found, and all scores."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput, printable
from byrote.report import memorization, sensitivity
from byrote.report.figures.distribution import score_bins
from byrote.report.figures.far_values import Bins
from byrote.report.figures.record_marks import is_found
from byrote.report.format import number, plural, statistic_of, times
from byrote.report.page import cells, words
from byrote.report.page.audit import Audit
from byrote.report.page.content import (
    Block,
    Cell,
    Figure,
    Grid,
    Number,
    Pick,
    Prose,
    Row,
    Section,
    Tone,
)
from byrote.report.page.plot import Axis, Key, Plot, Rule, Stack
from byrote.report.page.sections.registry import section
from byrote.report.page.strips import Strips
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.scores.memorization.summary import quantiles
from byrote.stats.estimate import Estimate
from byrote.stats.ranks import highest

LISTED = 100  # records found, in the table
_HIGHEST = 20  # others with the highest M
_PICKED = 6  # records beside a bin
_BINS = 40


@section(order=20)
def records(audit: Audit) -> Section | None:
    """Return the scores, and the records found; None of a run without scores."""
    result = audit.scores
    if result is None:
        return None
    shown = _Shown(audit, result)
    blocks: list[Block] = [*shown.distribution(), *shown.tables(), shown.notes()]
    return Section(
        "records",
        "What was found",
        tuple(blocks),
        _data(audit, result),
        numbers=_numbers(audit, result),
        untested=_untested(result),
        words=words.of_scores(*statistic_of(result.description)),
    )


def _numbers(audit: Audit, result: MemorizationResult) -> tuple[Number, ...]:
    effect = audit.measured("max_score")
    named = f"record {printable(effect.records[0])}" if effect.records else ""
    doubt = "" if named else "; some record is above the lower end, this or another"
    value, _ = statistic_of(result.description)
    factor = f", and makes it {times(effect.found)} times as likely" if value == "log p" else ""
    note = f"how much training raises the log-likelihood of {named or 'one record'}{factor}{doubt}"
    largest = cells.measured("largest effect", effect, "largest_effect_nats", note=note)
    if not largest.is_known:
        largest = replace(largest, note=f"{largest.note}{sensitivity.upper_alone(result)}")
    return _share(audit, result), largest


def _share(audit: Audit, result: MemorizationResult) -> Number:
    """Return the share of records found; nothing says that the others are not memorized."""
    share = cells.measured(
        "records found", audit.measured("max_significant"), "records_memorized_share"
    )
    summary = result.summary()
    if not share.is_known or summary.significant is None:
        return share
    certain = sensitivity.truly_memorized(result)
    reach = sensitivity.undetected(summary)
    if summary.significant:
        truly = f"at least {certain:,} truly" if certain else "none for certain"
        reach = f"{summary.share_significant:.1%}; {truly}, at {sensitivity.SURE} confidence"
    expected = int(SIGNIFICANCE * summary.significant)
    by_chance = f", on average at most {expected:,} by chance" if expected else ""
    return replace(
        share,
        value=f"{summary.significant:,} of {summary.scored:,}",
        interval=reach,
        note=f"memorized at a {SIGNIFICANCE:.0%} false discovery rate{by_chance}",
        estimate=Estimate(summary.share_significant, certain / summary.scored, 1.0),
    )


def _untested(result: MemorizationResult) -> tuple[str, ...]:
    summary = result.summary()
    return tuple(
        f"{plural(count, 'record')} of {summary.records:,}: {reason}."
        for reason, count in summary.unscored.items()
    )


def _data(audit: Audit, result: MemorizationResult) -> dict[str, Any]:
    """Return the scores as plain data, without labels where contents are left out."""
    data = memorization.to_json(result, top=LISTED)
    del data["description"]
    if not audit.show_records:
        data["summary"]["labels"] = {}
        for record in [*data["memorized"], *data["most_memorized"]]:
            record.pop("label", None)
    return data


class _Shown:
    """The records on the page, each with an anchor of its own."""

    def __init__(self, audit: Audit, result: MemorizationResult) -> None:
        self.audit, self.result = audit, result
        self.is_found = is_found(result)
        found = np.flatnonzero(self.is_found)
        self.found = found[np.argsort(-result.mean_log[found], kind="stable")]
        self.highest = highest(np.where(self.is_found, np.nan, result.score), _HIGHEST)
        listed = np.concatenate([self.found[:LISTED], self.highest])
        self.listed = set(listed.tolist())
        self.strips = Strips.of(result, audit.run.table(partial=True), listed)

    # -- the histogram, with records beside it ----------------------------------------------------

    def distribution(self) -> list[Figure]:
        """Return the histogram of the scores; none if no score is finite."""
        try:
            bins = score_bins(self.result, most=_BINS)
        except InvalidInput:
            return []
        scored = np.flatnonzero(~np.isnan(self.result.score))
        found = self.is_found[scored]
        all_, part = bins.counts(np.ones(len(scored), bool)), bins.counts(found)
        names = [self._name(bins, place) for place in range(len(all_))]
        filled = np.flatnonzero(all_).tolist()
        picks = [self._pick(place, names[place], scored[bins.place == place]) for place in filled]
        rows = [
            cells.row(names[p], cells.count(int(all_[p])), cells.count(int(part[p])))
            for p in filled
        ]
        grid = Grid("Records by memorization score M", ("M, nats", "records", "found"), tuple(rows))
        return [
            Figure(
                "scores",
                "How much training on a record raises what the model thinks of it",
                f"Histogram of the memorization score M of {len(scored):,} records, from"
                f" {number(self.result.score[scored].min())} to"
                f" {number(self.result.score[scored].max())} nats; {found.sum():,} were found.",
                self._plot(bins, all_, part, names),
                grid,
                tuple(picks),
            )
        ]

    def _plot(
        self, bins: Bins, all_: NDArray[np.intp], part: NDArray[np.intp], names: list[str]
    ) -> Plot:
        stacks = [
            Stack(
                float(bins.left[place]),
                float(bins.left[place] + bins.width[place]),
                ((int(part[place]), "found"), (int(all_[place] - part[place]), "plain")),
                f"M {names[place]}: {plural(int(all_[place]), 'record')}, {part[place]:,} found",
                f"#{self._bin(place)}",
            )
            for place in np.flatnonzero(all_).tolist()
        ]
        [q95] = quantiles(self.result.score[~np.isnan(self.result.score)], (0.95,))
        x = _axis(bins)
        y = Axis.through(0, 1.08 * float(all_.max()), "records", ticks=4)
        rule = (
            [Rule("quantile", x=q95, text=f"95% of records are below {number(q95)}")]
            if q95 <= x.high
            else []
        )
        keys = (Key("found", "found (q ≤ 0.05)"), Key("plain", "other records"))
        return Plot(x, y, (*rule, *stacks), keys, height=330.0)

    def _bin(self, place: int) -> str:
        return self.audit.place(f"bin-{place}")

    def _name(self, bins: Bins, place: int) -> str:
        if place in bins.beyond:
            return bins.range(place)
        left = bins.left[place]
        return f"{number(left)} to {number(left + bins.width[place])}"

    def _pick(self, place: int, name: str, rows: NDArray[np.intp]) -> Pick:
        rows = rows[np.argsort(-self.result.score[rows], kind="stable")]
        value, _ = statistic_of(self.result.description)
        head = ("record", "M", f"{value} without", "with", "q")
        shown = rows[:_PICKED].tolist()
        grid = Grid(f"Records with M {name}", head, tuple(self._brief(row) for row in shown))
        return Pick(
            self._bin(place),
            f"{plural(len(rows), 'record')} with M {name}",
            grid,
            len(rows) - len(shown),
        )

    def _brief(self, row: int) -> Row:
        result = self.result
        numbers = (result.score[row], result.log_prob_out[row], result.log_prob_in[row])
        q = cells.probability(float(result.q_value[row]))
        return cells.row(self._record(row, link=True), *map(cells.value, numbers), q)

    # -- tables -----------------------------------------------------------------------------------

    def tables(self) -> list[Grid]:
        """Return the records found, and the highest scores among the others."""
        grids = []
        if len(self.found):
            listed = self.found[:LISTED]
            count = cells.part(len(listed), len(self.found))
            count += "; all: byrote show RUN --csv" if len(listed) < len(self.found) else ""
            grids.append(self._grid(f"Records found, the largest effect first ({count})", listed))
        if len(self.highest):
            title = (
                "Highest scores that were not found: each may be chance, or memorized and missed"
            )
            if self.result.summary().significant is None:
                title = "Highest scores: without p-values none of them is tested"
            grids.append(self._grid(title, self.highest))
        return grids

    def _grid(self, title: str, rows: NDArray[np.intp]) -> Grid:
        value, _ = statistic_of(self.result.description)
        labelled = self.audit.show_records and self.result.labels is not None
        head = (
            "record",
            *(("label",) if labelled else ()),
            "score M",
            "effect",
            "[95 %]",
            f"{value} without",
            "with",
            self.strips.title,
            "q",
        )
        body = tuple(self._row(row, labelled=labelled) for row in rows.tolist())
        return Grid(title, head, body, left=2 if labelled else 1, sortable=True)

    def _row(self, row: int, *, labelled: bool) -> Row:
        result = self.result
        label = [cells.words(result.labels[row])] if labelled and result.labels is not None else []
        return cells.row(
            self._record(row),
            *label,
            cells.value(float(result.score[row])),
            cells.value(float(result.mean_log[row])),
            cells.ends(*result.interval[row].tolist()),
            cells.value(float(result.log_prob_out[row])),
            cells.value(float(result.log_prob_in[row])),
            Cell("", strip=self.strips.strip(row)),
            cells.probability(float(result.q_value[row])),
            anchor=self.audit.place(f"record-{row}"),
        )

    def _record(self, row: int, *, link: bool = False) -> Cell:
        href = f"#{self.audit.place(f'record-{row}')}" if link and row in self.listed else ""
        tone: Tone = "found" if self.is_found[row] else ""
        content = self.audit.content(row)
        return Cell(printable(self.result.ids[row]), None, tone, href, content=content)

    def notes(self) -> Prose:
        """Return how to read the tables, and what they leave out."""
        value, unit = statistic_of(self.result.description)
        moderated = self.result.summary().sensitivity.control is not None
        return Prose(
            (
                f"{value} without and with: that of the mean over models; their difference is M."
                f" Effect: the mean {value} of a record in the models that trained on it, minus"
                f" that in the models that did not, in {unit}.",
                words.intervals(moderated=moderated),
                "Each dot is a model: grey without the record, blue with it; the line leads from"
                " the mean without to the mean with. The shaded part is where 90% of all records"
                " lie when they are held out.",
                *self.audit.redacted("Records are named by their ids, which may be personal data"),
            ),
            "note",
        )


def _axis(bins: Bins) -> Axis:
    """Return the axis of M; bins beyond a break are named by where they end."""
    inside = Axis.through(bins.low, bins.high)
    far = [(float(bins.centres[place]), f"… {bins.range(place)}") for place in bins.beyond]
    room = 0.09 * (bins.high - bins.low)
    near = [tick for tick in inside.ticks if all(abs(tick[0] - x) > room for x, _ in far)]
    ends = float(bins.left[0]), float(bins.left[-1] + bins.width[-1])
    return Axis(*ends, "memorization score M (nats)", tuple(sorted([*near, *far])))
