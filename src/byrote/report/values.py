"""Values as text for people, and as plain data for JSON."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from byrote.errors import printable
from byrote.scores.memorization.summary import Statistic

__all__ = ["number", "plain", "printable", "with_error"]


def with_error(statistic: Statistic) -> str:
    """A value with as many decimals as its standard error allows, two digits of the error."""
    value, error = statistic.value, statistic.standard_error
    if not np.isfinite([value, error]).all() or error == 0:
        return number(value)
    decimals = max(0, 1 - int(np.floor(np.log10(error))))
    if decimals > 6:
        return number(value)
    return f"{value:,.{decimals}f} ± {error:,.{decimals}f}"


def number(value: float) -> str:
    """Three significant digits, a dash for NaN."""
    if np.isnan(value):
        return "–"
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    magnitude = abs(value)
    if magnitude >= 100:
        return f"{value:,.0f}"
    if magnitude >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if magnitude >= 0.1 or value == 0 else f"{value:.2g}"


def plain(value: Any) -> Any:
    """Numbers, text, lists and dictionaries only; no NaN and no infinity, which JSON lacks."""
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
