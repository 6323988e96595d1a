"""Exposures as text for the terminal."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.report import exposure_notes as notes
from byrote.report.text import number, plain, printable
from byrote.scores.exposure.exposure import Exposure
from byrote.scores.exposure.levels import (
    NULL_MEAN,
    Controls,
    Level,
    by_insertions,
    check_controls,
    check_roles,
)


def render(
    exposure: Exposure,
    *,
    inserted: ArrayLike,
    role: ArrayLike,
    fit: ArrayLike | None = None,
    facts: Mapping[str, Any] | None = None,
    top: int = 40,
) -> RenderableType:
    """Exposure by level of insertion, of single canaries, and how far to trust it.

    Parameters
    ----------
    inserted
        (n,) how often each canary stands in the corpus.
    role
        (n,) "canary" or "control"; controls are never inserted.
    fit
        (n,) which model each exposure is in, where there are several.
    facts
        What is known of ``model`` and ``corpus`` (each with ``bytes``, ``compressed`` and
        ``parameters`` or ``characters``, as in ``ExposureResult.facts``), ``epochs``, and
        ``test_loss`` (nats per token).
    top
        How many canaries are listed, in their order; controls are not.

    Raises
    ------
    InvalidInput
        If inserted or role do not fit the exposures, or a fact has an unknown name.

    Examples
    --------
    >>> import byrote, rich
    >>> found = byrote.exposure.estimate_exposure([3.0, 7.5], range(1, 17), space_size=100)
    >>> rich.print(render(found, inserted=[4, 0], role=["canary", "control"]))  # doctest: +ELLIPSIS
    1 canary, 1 control...
    """
    times, roles = check_roles(exposure, inserted, role)
    levels, controls = by_insertions(exposure, times), check_controls(exposure, times)
    parts: list[RenderableType] = [_headline(exposure, roles, facts), _levels(levels, exposure)]
    parts += [_controls(controls)] if controls.controls else []
    parts += [Text(sentence) for sentence in notes.fits(exposure)]
    parts += [Text(sentence) for sentence in notes.cautions(exposure, levels, controls)]
    if top and (roles == "canary").any():
        parts += [Text(""), _canaries(_named(exposure, fit), times, roles, top)]
    return Group(*parts)


def to_json(
    exposure: Exposure,
    *,
    inserted: ArrayLike,
    role: ArrayLike,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The same as plain data that JSON can hold: NaN is null, infinities are text.

    Parameters and errors as for ``render``; every canary and control is in it.
    """
    times, roles = check_roles(exposure, inserted, role)
    levels, controls = by_insertions(exposure, times), check_controls(exposure, times)
    frame = exposure.to_frame().assign(inserted=times, role=roles)
    return plain(
        {
            "facts": notes.check_facts(facts),
            "interval_level": exposure.level,
            "summary": exposure.summary().to_dict(),
            "levels": [level.to_dict() for level in levels],
            "controls": controls.to_dict() if controls.controls else None,
            "cautions": notes.cautions(exposure, levels, controls),
            "canaries": frame.to_dict(orient="records"),
        }
    )


def _headline(exposure: Exposure, roles: NDArray[np.str_], facts: Mapping[str, Any] | None) -> Text:
    canaries, controls = int((roles == "canary").sum()), int((roles == "control").sum())
    text = Text(
        f"{canaries:,} {'canary' if canaries == 1 else 'canaries'},"
        f" {controls:,} control{'' if controls == 1 else 's'}",
        style="bold",
    )
    methods = exposure.summary().methods
    used = ", ".join(f"{count:,} {printable(name)}" for name, count in methods.items() if name)
    text.append(f" · by method: {used or 'none'}", style="not bold")
    for line in notes.facts(facts):
        text.append(f"\n{line}", style="not bold")
    return text


def _levels(levels: tuple[Level, ...], exposure: Exposure) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("inserted")
    titles = ("canaries", "median exposure", "mean", "[95 %]", "saturated", "p combined")
    for title in titles:
        table.add_column(Text(title), justify="right", no_wrap=title == "[95 %]")
    for level in levels:
        bound = "≥ " if level.saturated else ""
        table.add_row(
            "never" if level.insertions == 0 else f"{level.insertions:,}",
            f"{level.canaries:,}",
            _bits(level.median, bound),
            _bits(level.mean, bound),
            _interval(level.low, level.high),
            f"{level.saturated / level.canaries:.0%}",
            p_value(level.p_value),
        )
    maximum = np.unique(exposure.maximum[~np.isnan(exposure.maximum)])
    most = f"; at most {number(maximum[-1])}" if len(maximum) else ""
    table.caption = f"exposure in bits{most}; without memorization {NULL_MEAN:.2f} on average"
    table.caption_justify = "left"
    return table


def _controls(found: Controls) -> Text:
    """The controls' check in a sentence."""
    if np.isnan(found.mean_p_value):
        return Text(
            f"Controls: mean exposure {number(found.mean)} bits over {found.controls:,}, of which"
            " some are only bounds: whether they are as without memorization is not tested."
        )
    verdict = "as without memorization" if found.calibrated else "NOT as without memorization"
    return Text(
        f"Controls: mean exposure {number(found.mean)} bits over {found.controls:,}"
        f" ({NULL_MEAN:.2f} expected, p {p_value(found.mean_p_value)}); their p-values are"
        f" {number(found.ks)} from uniform (Kolmogorov-Smirnov, p {p_value(found.ks_p_value)}):"
        f" {verdict}.",
        style="" if found.calibrated else "bold red",
    )


def _named(exposure: Exposure, fit: ArrayLike | None) -> Exposure:
    """The exposures, with the fit in each name where there are several."""
    fits = np.zeros(len(exposure)) if fit is None else np.asarray(fit)
    if len(np.unique(fits)) == 1:
        return exposure
    pairs = zip(exposure.ids, fits, strict=True)
    return replace(exposure, ids=np.array([f"{id_}, fit {fit}" for id_, fit in pairs]))


def _canaries(
    exposure: Exposure, times: NDArray[np.int64], roles: NDArray[np.str_], top: int
) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("canary")
    interval = f"[{100 * exposure.level:g} %]"
    for title in ("inserted", "exposure", interval, "p", "method", "rank"):
        whole = title in ("exposure", interval, "p")  # narrow terminals break other cells first
        justify: Any = "left" if title == "method" else "right"
        table.add_column(Text(title), justify=justify, no_wrap=whole)
    rows = np.flatnonzero(roles == "canary")
    for row in rows[:top]:
        table.add_row(
            Text(printable(exposure.ids[row])),
            f"{times[row]:,}",
            _bits(exposure.bits[row], "at least " if exposure.saturated[row] else ""),
            _interval(exposure.low[row], exposure.high[row]),
            p_value(exposure.p_value[row]),
            Text(printable(exposure.method[row]) or "–"),
            "–" if np.isnan(exposure.rank[row]) else f"{exposure.rank[row]:,.0f}",
        )
    if len(rows) > top:
        table.add_row(f"… and {len(rows) - top:,} more", *[""] * 6)
    return table


def _bits(value: float, bound: str) -> str:
    return number(value) if np.isnan(value) else f"{bound}{number(value)}"


def _interval(low: float, high: float) -> Text:
    if np.isnan(low) and np.isnan(high):
        return Text("–")
    return Text(f"[{number(low)}, {number(high)}{')' if np.isinf(high) else ']'}")


def p_value(value: float) -> str:
    """A p-value, which is never said to be zero.

    Examples
    --------
    >>> p_value(0.25), p_value(1e-9), p_value(0.0)
    ('0.25', '1e-09', '< 1e-300')
    """
    return "< 1e-300" if value < 1e-300 else number(value)
