"""The neighbours of one synthetic table as text for the terminal, or as plain data."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import new_table, number, plain, plural, with_interval
from byrote.scores.neighbors.synthetic_result import SIGNIFICANCE, Attribution, SyntheticResult

_TITLES = {
    "nearest": "nearest real row",
    "copies": "copies, ratio below 1/3",
    "exact_copies": "exact copies",
}


def render(result: SyntheticResult, *, top: int = 10) -> RenderableType:
    """Return the tests, what they can find, and the training records with the nearest copies."""
    parts: list[RenderableType] = [_headline(result), Text(_verdict(result), "bold")]
    parts += [_tests(result), Text("\n".join(remarks(result)))]
    if top:
        parts += [Text(""), _records(result, top)]
    return Group(*parts)


def to_json(result: SyntheticResult, *, top: int = 10) -> dict[str, Any]:
    """Return the tests as plain data for JSON, with the ``top`` training records."""
    frame = result.to_frame().iloc[result.order()[:top]]
    return plain(
        {
            "description": dict(result.description),
            "summary": result.summary(),
            "records": frame.to_dict(orient="records"),
        }
    )


def _headline(result: SyntheticResult) -> Text:
    about = result.description
    return Text(
        f"{about['train']:,} training rows, {about['holdout']:,} holdout rows,"
        f" {about['synthetic']:,} synthetic rows · {about['space']},"
        f" {plural(about['dimensions'], 'column')} · seed {about['seed']}"
    )


def _verdict(result: SyntheticResult) -> str:
    nearest, found = result.attributions["nearest"], len(result.found)
    return (
        f"A training row is nearest to {nearest.share:.1%} of synthetic rows;"
        f" {nearest.expected:.1%} if training left no trace.\n"
        f"P-value of the tests below together: {number(result.p_value_combined)}.\n"
        f"{plural(found, 'training row')} found at a {SIGNIFICANCE:.0%} false discovery rate;"
        f" {result.beyond_holdout:,} with a nearer copy than any holdout row"
        f" (p {number(result.p_value_beyond)})."
    )


def _tests(result: SyntheticResult) -> Table:
    table = new_table(
        "synthetic rows by", "training", "holdout", "share", "expected", "excess", "p"
    )
    for name, title in _TITLES.items():
        part = result.attributions[name]
        table.add_row(title, *map(Text, _cells(part)))
    return table


def _cells(part: Attribution) -> list[str]:
    return [
        f"{part.training:,.0f}",
        f"{part.holdout:,.0f}",
        number(part.share),
        number(part.expected),
        f"{with_interval(part.excess)}{f' ({reason})' if (reason := part.excess.reason) else ''}",
        number(part.p_value),
    ]


def remarks(result: SyntheticResult) -> list[str]:
    """Return notes on how to read the tests."""
    divided = result.description["divided"]
    of_ties = (
        f" {plural(divided, 'synthetic row')} equally near to several real rows: each is divided"
        " among them. The excess allows for copies of rows that equal others."
    )
    return [
        *_shared_rows(result.description),
        "excess: share of these synthetic rows beyond what training rows are due, [95 %] over other"
        " real rows. p: by permutation of the labels training and holdout, one-sided."
        + (of_ties if divided else ""),
        "Rows are found by the ratio of their nearest copy, against the holdout's:"
        f" {plural(result.needed, 'row')} must be beyond all of the holdout for any to be found.",
        "These tests see copies. What a generator learned otherwise shows only when it is trained"
        " without a record: byrote score --from-samples.",
    ]


def _shared_rows(about: Mapping[str, Any]) -> list[str]:
    """Warn of a holdout that equals training rows far more often than they equal one another."""
    equal = about["equal"]
    if equal["holdout"] * about["train"] <= 2 * equal["train"] * about["holdout"]:
        return []
    return [
        f"Equal to a training row: {equal['holdout']:,} of"
        f" {plural(about['holdout'], 'holdout row')} and {equal['train']:,} of"
        f" {plural(about['train'], 'training row')} (to another). Rows that were trained on are not"
        " a holdout: against them these tests see nothing."
    ]


def _records(result: SyntheticResult, top: int) -> Table:
    titles = ("ratio", "nearest to", "copies", "exact", "q")
    table = new_table("training row", *titles)
    for row in result.order()[:top]:
        table.add_row(
            Text(printable(result.ids[row])),
            number(result.ratio[row]),
            number(result.nearest[row]),
            number(result.copies[row]),
            number(result.exact_copies[row]),
            number(result.q_value[row]),
        )
    return table
