"""What a study of several runs found: tables, sentences, figures and plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from byrote.report.format import number
from byrote.stats.estimate import mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Findings:
    """Of one study.

    Attributes
    ----------
    tables
        (title, rows) each; the first row is the head.
    remarks
        Sentences that say what the numbers say, and no more.
    figures
        By the names of their files.
    data
        The numbers as plain data.
    """

    tables: tuple[tuple[str, Rows], ...]
    remarks: tuple[str, ...]
    figures: Mapping[str, "Figure"] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


def mean_of(values: ArrayLike) -> tuple[float, float, float]:
    """Mean of the values that are known, and Student's 95 % interval."""
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    average = mean(known)
    return average.value, average.low, average.high


def with_interval(found: tuple[float, float, float], bound: bool = False) -> str:
    """A mean with its interval, in words; ``bound``: it has lower bounds among its terms.

    Examples
    --------
    >>> with_interval((1.0, 0.5, 1.5)), with_interval((2.0, float("nan"), float("nan")))
    ('1.00 [0.50, 1.50]', '2.00')
    >>> with_interval((1.0, 0.5, 1.5), bound=True)
    '≥ 1.00'
    """
    mean, low, high = found
    if np.isnan(mean):
        return "–"
    if bound:
        return f"≥ {number(mean)}"
    return number(mean) if np.isnan(low) else f"{number(mean)} [{number(low)}, {number(high)}]"


def plural(count: int, noun: str) -> str:
    """A number of things.

    Examples
    --------
    >>> plural(1, "fit"), plural(2, "fit")
    ('1 fit', '2 fits')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def named(parameters: Mapping[str, Any]) -> str:
    """Parameters of a model in words; those of a parameter in brackets.

    Examples
    --------
    >>> named({"layers": 2, "dp": {"target_epsilon": 8.0, "delta": 1e-05}})
    'layers 2, dp (target_epsilon 8, delta 1e-05)'
    """
    return ", ".join(
        f"{name} ({named(value)})" if isinstance(value, Mapping) else f"{name} {_short(value)}"
        for name, value in parameters.items()
    )


def _short(value: Any) -> Any:
    return f"{value:g}" if isinstance(value, float) else value
