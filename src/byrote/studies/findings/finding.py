"""Findings: tables, remarks, figures and data of some runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from byrote.stats.estimate import Estimate, mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Findings:
    """Tables, remarks, figures and numbers from the runs of a study.

    Attributes
    ----------
    tables
        (title, rows) each; the first row is the head.
    remarks
        Sentences that the numbers support.
    figures
        By the names of their files.
    data
        The numbers as plain data.
    """

    tables: tuple[tuple[str, Rows], ...] = ()
    remarks: tuple[str, ...] = ()
    figures: Mapping[str, "Figure"] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


def combine(parts: Sequence[Findings]) -> Findings:
    """Return all findings of a study as one."""
    return Findings(
        tables=tuple(table for part in parts for table in part.tables),
        remarks=tuple(remark for part in parts for remark in part.remarks),
        figures={name: figure for part in parts for name, figure in part.figures.items()},
        data={name: value for part in parts for name, value in part.data.items()},
    )


def mean_of(values: ArrayLike) -> Estimate:
    """Estimate the mean of the values that are not NaN, with Student's 95 % interval."""
    known = np.asarray(values, dtype=float)
    return mean(known[~np.isnan(known)])


def numbers(estimate: Estimate) -> list[float]:
    """Return an estimate and the ends of its interval."""
    return [estimate.value, estimate.low, estimate.high]


def as_data(finding: Any) -> dict[str, Any]:
    """Return a dataclass as plain data: estimates as three numbers."""
    return {
        name: numbers(value) if isinstance(value, Estimate) else value
        for name, value in vars(finding).items()
    }


def named(parameters: Mapping[str, Any]) -> str:
    """Return parameters of a model in words; those of a parameter in brackets.

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
