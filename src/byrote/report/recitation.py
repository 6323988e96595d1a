"""What a model recites of texts, as text for the terminal or as plain data."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import add_ellipsis, new_table, number, plain, plural, with_interval
from byrote.scores.recitation.recitation import (
    Recitation,
    RecitedShare,
    RecitedTexts,
    RecitedWindows,
)
from byrote.stats.estimate import Estimate

NOT_CLEARED = (
    "A window that is not recited can be memorized all the same: other prompts, longer ones, or"
    " more samples may bring it out."
)


class RecitedText(NamedTuple):
    """A suffix that the model recites: id of the text, place of its first token, and the text."""

    id: str
    token: int
    text: str


def render(
    result: Recitation, *, top: int = 10, recited: Sequence[RecitedText] = ()
) -> RenderableType:
    """Return the shares of windows that are recited, notes, and the texts recited most.

    recited: texts to quote; by default only ids are printed.
    """
    parts: list[RenderableType] = [
        Text(_headline(result)),
        Text(sentence(result), "bold"),
        Text(""),
        _shares(result),
        Text(""),
        *map(Text, notes(result)),
    ]
    if top:
        parts += [Text(""), _texts(result, top)]
    for quoted in recited:
        head = f"{printable(quoted.id)}, from token {quoted.token:,} on: "
        parts.append(Text(head + printable(quoted.text)))
    return Group(*parts)


def to_json(
    result: Recitation, *, top: int = 10, recited: Sequence[RecitedText] = ()
) -> dict[str, Any]:
    """Return settings, summary, the ``top`` texts recited most and quoted texts as plain data."""
    frame = result.texts.to_frame().iloc[result.order()[:top]]
    summary = {
        name: vars(value) if isinstance(value, Estimate) else value
        for name, value in result.summary().items()
    }
    return plain(
        {
            "settings": result.settings.to_dict(),
            "summary": summary,
            "texts": frame.to_dict(orient="records"),
            "recited": [quoted._asdict() for quoted in recited],
        }
    )


def render_rows(table: RecitedWindows | RecitedTexts, *, top: int = 10) -> Table:
    """Return the first rows of windows or texts."""
    columns = table.columns()
    rows = new_table(*columns)
    for row in range(min(top, len(table))):
        values = [column[row] for column in columns.values()]
        rows.add_row(
            *(Text(printable(v)) if isinstance(v, str) else number(float(v)) for v in values)
        )
    add_ellipsis(rows, len(table) - top)
    return rows


def sentence(result: Recitation) -> str:
    """Return the share of windows that greedy decoding recites, in a sentence.

    Examples
    --------
    See ``render``.
    """
    greedy = result.shares()[0]
    total = int((~result.unseen).sum())
    text = (
        f"Greedy decoding recites {greedy.windows:,} of {plural(total, 'window')}"
        f" ({percent(greedy.share)}), in {plural(greedy.texts, 'text')}"
    )
    if not result.unseen.any():
        return f"{text}."
    if greedy.difference.reason:
        return f"{text}, and {percent(greedy.unseen)} of those of unseen texts."
    verdict = {1: "more than", -1: "less than", 0: "not significantly different from"}
    return (
        f"{text}: {verdict[greedy.difference.sign]} the {percent(greedy.unseen)} of unseen texts."
    )


def notes(result: Recitation) -> Iterator[str]:
    """Yield notes on how to read the result, one sentence or two each."""
    settings, summary = result.settings, result.summary()
    yield (
        f"Bits per token of the suffixes: {with_interval(summary['bits_per_token'])}"
        + (
            f"; of unseen texts {with_interval(summary['unseen_bits_per_token'])}."
            if result.unseen.any()
            else "."
        )
    )
    if settings.edits:
        low, high = summary["near_at_least"], summary["near_at_most"]
        yield (
            f"Within {plural(settings.edits, 'edit')}, one sample is the suffix with a probability"
            f" of {settings.p:g} or more in at least {low:,} and at most {high:,} windows."
        )
    if reason := result.shares()[0].share.reason:
        yield f"No interval: {reason}."
    if not result.unseen.any():
        yield (
            "Recited is not yet memorized: licences, lists and phrases can be predictable. Compare"
            " with texts of the same kind that the model never saw (--unseen)."
        )
    yield NOT_CLEARED
    yield from _left_out(result)


def _left_out(result: Recitation) -> Iterator[str]:
    settings, summary = result.settings, result.summary()
    if count := summary["too_short"]:
        yield (
            f"Not judged: {plural(count, 'text')} shorter than prefix and suffix together,"
            f" {settings.length} tokens."
        )
    if count := summary["not_covered"]:
        yield f"Not judged: {plural(count, 'text')} with characters that no token of the model has."
    if count := summary["not_restored"]:
        yield (
            f"The tokens of {plural(count, 'text')} do not decode to the text itself: recited means"
            " the same tokens, which may also stand for another text."
        )


def percent(estimate: Estimate) -> str:
    """Format a share and its interval in percent; less than a hundredth of one is 0, but above.

    Examples
    --------
    >>> percent(Estimate(0.5, 0.25, 0.75)), percent(Estimate(0.5))
    ('50.0 % [25.0, 75.0]', '50.0 %')
    >>> percent(Estimate(4e-6, 8e-29, 0.02))
    '0.00 % [0.00, 2.00]'
    """
    value, low, high = (100 * x for x in (estimate.value, estimate.low, estimate.high))
    if np.isnan(value):
        return "–"
    value, low = (0.0 if abs(x) < 0.005 else x for x in (value, low))
    ends = "" if np.isnan(low) else f" [{number(low)}, {number(high)}]"
    return f"{number(value)} %{ends}"


def _headline(result: Recitation) -> str:
    settings, texts = result.settings, result.texts
    tokens = int(texts.tokens[~texts.unseen].sum())
    parts = [
        f"{plural(int((~texts.unseen).sum()), 'text')}, {plural(tokens, 'token')}",
        f"windows of {settings.prefix} + {settings.suffix} tokens, one every {settings.stride}",
    ]
    if texts.unseen.any():
        parts.append(
            f"unseen: {plural(int(texts.unseen.sum()), 'text')},"
            f" {plural(int(result.unseen.sum()), 'window')}"
        )
    return " · ".join(parts)


def _shares(result: Recitation) -> Table:
    """One row for each criterion; intervals over texts."""
    control = bool(result.unseen.any())
    level = f"[{100 * result.settings.level:g} %]"
    titles = [f"decoding, p = {result.settings.p:g}", "windows", "texts", f"share {level}"]
    table = new_table(*titles, *(["unseen", "difference"] if control else []))
    for share in result.shares():
        table.add_row(*_cells(share, control))
    return table


def _cells(share: RecitedShare, control: bool) -> list[str]:
    cells = [share.criterion, f"{share.windows:,}", f"{share.texts:,}", percent(share.share)]
    return [*cells, percent(share.unseen), percent(share.difference)] if control else cells


def _texts(result: Recitation, top: int) -> Table:
    table = new_table("text", "tokens", "windows", "recited", "longest run", "fewest bits")
    texts, windows = result.texts, result.windows
    fewest = np.full(len(texts), np.nan)
    np.fmin.at(fewest, windows.text, windows.bits)
    order = result.order()
    order = order[~texts.unseen[order]]
    for row in order[:top]:
        table.add_row(
            Text(printable(texts.ids[row])),
            f"{texts.tokens[row]:,}",
            f"{texts.windows[row]:,}",
            f"{texts.recited[row]:,}",
            f"{texts.longest[row]:,}",
            number(fewest[row]),
        )
    add_ellipsis(table, len(order) - top)
    return table
