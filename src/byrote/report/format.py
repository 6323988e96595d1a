"""Numbers, units and plurals as text; calls and tables in one style; plain data for JSON."""

from collections.abc import Mapping
from math import floor, log10
from typing import Any

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.scores.memorization.statistic import Statistic
from byrote.stats.estimate import Estimate

_LONGEST = 60  # characters of an argument
WIDTH = 120  # columns where there is no terminal


def number(value: float) -> str:
    """Format a number with three significant digits; NaN as a dash.

    Examples
    --------
    >>> number(1234.5), number(12.345), number(0.0123), number(float("nan"))
    ('1,234', '12.3', '0.012', '–')
    >>> number(0.9984), number(-0.9984)  # a share that is nearly 1 is not 1
    ('0.998', '-1.00')
    """
    if np.isnan(value):
        return "–"
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    magnitude = abs(value)
    if 0.995 <= value < 1:  # nearly all is not all
        return f"{value:.{min(-floor(log10(1 - value)), 12)}f}"
    if magnitude >= 100:
        return f"{value:,.0f}"
    if magnitude >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if magnitude >= 0.1 or value == 0 else f"{value:.2g}"


def signed(value: float) -> str:
    """Format a difference with its sign.

    Examples
    --------
    >>> signed(2.5), signed(-2.5), signed(0.0), signed(float("nan"))
    ('+2.50', '-2.50', '0.00', '–')
    """
    return f"+{number(value)}" if value > 0 else number(value)


def interval(low: float, high: float) -> str:
    """Format the ends of an interval; a dash if the lower one is NaN.

    Examples
    --------
    >>> interval(0.5, 1.5), interval(float("nan"), float("nan"))
    ('[0.50, 1.50]', '–')
    """
    return "–" if np.isnan(low) else f"[{number(low)}, {number(high)}]"


def with_interval(estimate: Estimate, *, sign: bool = False) -> str:
    """Format a value with its interval, or as a bound.

    Examples
    --------
    >>> with_interval(Estimate(1.0, 0.5, 1.5)), with_interval(Estimate(2.0, bound="at least"))
    ('1.00 [0.50, 1.50]', '≥ 2.00')
    """
    text = signed(estimate.value) if sign else number(estimate.value)
    if np.isnan(estimate.value):
        return text
    if estimate.bound:
        return f"{'≥' if estimate.bound == 'at least' else '≤'} {text}"
    return text if np.isnan(estimate.low) else f"{text} {interval(estimate.low, estimate.high)}"


def with_error(statistic: Statistic) -> str:
    """Format a value and its standard error, to two digits of the error."""
    value, error = statistic.value, statistic.standard_error
    if not np.isfinite([value, error]).all() or error == 0:
        return number(value)
    decimals = max(0, 1 - int(np.floor(np.log10(error))))
    if decimals > 6:
        return number(value)
    return f"{value:,.{decimals}f} ± {error:,.{decimals}f}"


def p_value(value: float) -> str:
    """Format a p-value; one that underflows is not printed as 0.

    Examples
    --------
    >>> p_value(0.25), p_value(1e-9), p_value(0.0), p_value(0.0501)
    ('0.25', '1e-09', '< 1e-300', '> 0.05')
    """
    if value < 1e-300:
        return "< 1e-300"
    text = number(value)
    return "> 0.05" if value > 0.05 and text == "0.05" else text


def plural(count: int, noun: str) -> str:
    """Format a count with its noun in the right number.

    Examples
    --------
    >>> plural(1, "fit"), plural(2000, "fit"), plural(2, "canary")
    ('1 fit', '2,000 fits', '2 canaries')
    """
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("y") else f"{count:,} {noun}s"


def insertions(count: int) -> str:
    """Format a number of insertions of a canary.

    Examples
    --------
    >>> insertions(0), insertions(2), insertions(16)
    ('never inserted', 'inserted twice', 'inserted 16 times')
    """
    words = {0: "never inserted", 1: "inserted once", 2: "inserted twice"}
    return words.get(count, f"inserted {count:,} times")


def duration(seconds: float) -> str:
    """Format a time in a suitable unit.

    Examples
    --------
    >>> duration(0.25), duration(90), duration(600), duration(9000)
    ('250 ms', '90 s', '10 min', '2.5 h')
    """
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def times(nats: float) -> str:
    """Format what a number of nats multiplies a likelihood by.

    Examples
    --------
    >>> times(3.97), times(12), times(290)
    ('53', '160,000', '10^126')
    """
    if nats > 20:
        return f"10^{nats / np.log(10):.0f}"
    rounded = float(f"{np.exp(nats):.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"


def byte_size(count: float, *, rough: bool = False) -> str:
    """Format a number of bytes: with three digits, or two where it is a rough forecast.

    Examples
    --------
    >>> byte_size(1), byte_size(82_100), byte_size(5_100_000), byte_size(82_100, rough=True)
    ('1 byte', '82.1 kB', '5.10 MB', '82 kB')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            amount = count / unit
            digits = f"{amount:.{0 if amount >= 10 else 1}f}" if rough else number(amount)
            return f"{digits} {name}"
    return plural(round(count), "byte")


def plain(value: Any) -> Any:
    """Convert to numbers, text, lists and dictionaries: NaN to None, infinities to text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and np.isnan(value):
        return None
    if isinstance(value, float) and np.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def as_sentence(clause: str) -> str:
    """Return a clause as a sentence.

    Examples
    --------
    >>> as_sentence("too few fits")
    'Too few fits.'
    """
    return f"{clause[:1].upper()}{clause[1:].rstrip('.')}."


# -- calls ----------------------------------------------------------------------------------------


def incomplete(missing: int) -> str:
    """Return the warning of a result that lacks fits."""
    are = "is" if missing == 1 else "are"
    return f"INCOMPLETE: {plural(missing, 'fit')} {are} missing; the numbers are of the others"


def call(name: str, arguments: Mapping[str, Any]) -> str:
    """Format a call with the arguments that are not None.

    Examples
    --------
    >>> call("KFold", {"folds": 10, "stratify": None, "noise": {"class": "some.Part"}})
    'KFold(folds=10, noise=Part)'
    """
    shown = {key: _argument(value) for key, value in arguments.items() if value is not None}
    return f"{name}({', '.join(f'{key}={value}' for key, value in shown.items())})"


def _argument(value: Any) -> Any:
    """Shorten an object to its class and parameters."""
    if isinstance(value, Mapping):
        name = str(value.get("class", "…")).rpartition(".")[2]
        unsaid = {"class", "sha256"} if "class" in value else set()
        parts = {key: part for key, part in value.items() if key not in unsaid}
        return call(name, parts) if parts else name
    if isinstance(value, str):
        return printable(value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…")
    return [_argument(item) for item in value] if isinstance(value, list) else value


# -- tables ---------------------------------------------------------------------------------------


def new_table(*titles: str, left: int = 1, title: str = "", whole: tuple[str, ...] = ()) -> Table:
    """Return an empty table with a column for each title.

    Parameters
    ----------
    left
        Number of columns aligned on the left, from the first. The others hold numbers.
    title
        Printed in bold above the table.
    whole
        Titles of columns that a narrow terminal does not break.
    """
    look: dict[str, Any] = {"box": None, "pad_edge": False, "padding": (0, 2, 0, 0)}
    table = Table(title=title or None, title_justify="left", title_style="bold", **look)
    for place, name in enumerate(titles):
        justify: Any = "left" if place < left else "right"
        table.add_column(Text(name), justify=justify, no_wrap=name in whole)
    return table


def add_ellipsis(table: Table, hidden: int) -> None:
    """Add a last row that counts the rows left out, if any."""
    if hidden > 0:
        table.add_row(f"… and {hidden:,} more", *[""] * (len(table.columns) - 1))


class Printable:
    """Rich content whose texts are printable, line by line, and never taken for markup."""

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        unmarked = options.update(markup=False, highlight=False)
        for segment in console.render(self._content, unmarked):
            lines = segment.text.split("\n")
            yield segment._replace(text="\n".join(map(printable, lines)))


def statistic_of(description: Mapping[str, Any]) -> tuple[str, str]:
    """Return what the values of a run are, and their unit: "log p" and "nats" of a density."""
    statistic = description["model"].get("statistic") or {}
    return statistic.get("name", "log p"), statistic.get("unit", "nats")


def log_likelihood(description: Mapping[str, Any]) -> str:
    """Return what training raises in a record: its log-likelihood, or another statistic's name."""
    name, _ = statistic_of(description)
    return "log-likelihood" if name == "log p" else name
