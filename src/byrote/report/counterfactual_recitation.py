"""What the models of a run recite of its texts, in training and held out, as text or plain data."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import add_ellipsis, new_table, number, plain, plural, with_interval
from byrote.report.recitation import NOT_CLEARED, percent
from byrote.scores.recitation.counterfactual import CounterfactualRecitation

CELLS = ("memorized", "predictable", "only_without", "neither")


def render(result: CounterfactualRecitation, *, top: int = 10) -> RenderableType:
    """Return the two-by-two tables, notes, and the texts with most memorized windows."""
    parts: list[RenderableType] = [
        Text(sizes(result)),
        Text(sentence(result), "bold"),
        Text(""),
        _tables(result),
        Text(""),
        *map(Text, notes(result)),
    ]
    if top:
        parts += [Text(""), _texts(result, top)]
    return Group(*parts)


def to_json(result: CounterfactualRecitation, *, top: int = 10) -> dict[str, Any]:
    """Return settings, tables and the ``top`` most memorized texts as plain data."""
    texts = {name: column[:top].tolist() for name, column in result.texts().items()}
    return plain(
        {
            "settings": result.settings.to_dict(),
            "fits": result.fits,
            "windows": len(result),
            "texts_left_out": result.left_out,
            "bits_saved_per_token": vars(result.bits_per_token()),
            "tables": [table.to_dict() for table in result.tables()],
            "texts": texts,
        }
    )


def sizes(result: CounterfactualRecitation) -> str:
    """Count texts, windows, their tokens, and fits."""
    settings = result.settings
    return (
        f"{plural(len(set(result.ids.tolist())), 'text')}, {plural(len(result), 'window')} of"
        f" {settings.prefix} + {settings.suffix} tokens · {plural(result.fits, 'fit')}"
    )


def sentence(result: CounterfactualRecitation) -> str:
    """Return the shares of memorized and of predictable windows, in a sentence."""
    greedy = result.tables()[0]
    return (
        f"By greedy decoding {percent(greedy.memorized)} of the windows are recited with their text"
        f" in training and not without it (memorized), {percent(greedy.predictable)} with and"
        " without it (predictable)."
        f" Some of the first is chance: training on a text adds {percent(result.added())}."
    )


def notes(result: CounterfactualRecitation) -> Iterator[str]:
    """Yield notes on how to read the result, one sentence or two each."""
    saved = with_interval(result.bits_per_token(), sign=True)
    yield f"Bits per token that training on a text saves: {saved}."
    yield (
        "Shares are means over pairs of fits, one with the text and one without. Intervals are over"
        " texts; other fits would differ by their seeds too."
    )
    yield NOT_CLEARED
    if reason := result.tables()[0].memorized.reason:
        yield f"No interval: {reason}."
    if result.left_out:
        yield (
            f"Not judged: {plural(result.left_out, 'text')} shorter than"
            f" {result.settings.length} tokens, never held out, or never trained on."
        )


def _tables(result: CounterfactualRecitation) -> Table:
    titles = [name.replace("_", " ") for name in CELLS]
    table = new_table(f"decoding, p = {result.settings.p:g}", *titles)
    for row in result.tables():
        table.add_row(row.criterion, *(percent(getattr(row, name)) for name in CELLS))
    return table


def _texts(result: CounterfactualRecitation, top: int) -> Table:
    table = new_table("text", "windows", "memorized", "predictable", "bits saved")
    columns = result.texts()
    for row in range(len(columns["id"]))[:top]:
        table.add_row(
            Text(printable(columns["id"][row])),
            f"{columns['windows'][row]:,}",
            number(columns["memorized"][row]),
            number(columns["predictable"][row]),
            number(columns["bits_saved"][row]),
        )
    add_ellipsis(table, len(columns["id"]) - top)
    return table
