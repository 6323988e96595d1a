"""Exposures as text for the terminal, or as plain data."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report import exposure_notes as notes
from byrote.report.format import add_ellipsis, incomplete, new_table, number, p_value, plain, plural
from byrote.report.settings import headline_of
from byrote.scores.exposure.exposure import Exposure
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.levels import (
    NULL_MEAN,
    Controls,
    Level,
    by_insertions,
    check_controls,
    check_roles,
)

_DESCRIBED = ("run_id", "seed", "threads", "plan", "model", "data", "track", "epoch")


def render(
    exposure: Exposure,
    *,
    inserted: ArrayLike,
    role: ArrayLike,
    fit: ArrayLike | None = None,
    facts: Mapping[str, Any] | None = None,
    top: int = 40,
) -> RenderableType:
    """Return exposure by number of insertions, its checks, and the exposure of each canary.

    Parameters
    ----------
    inserted
        (n,) number of insertions of each canary in the corpus.
    role
        (n,) "canary" or "control"; controls are never inserted.
    fit
        (n,) which model each exposure is in, where there are several.
    facts
        Sizes of ``model`` and ``corpus`` (as in ``ExposureResult.facts``), ``epochs``, and
        ``test_loss`` (nats per token).
    top
        Number of canaries listed, in their order. Controls are not listed.

    Raises
    ------
    InvalidInput
        If inserted or role do not fit the exposures, or a fact has an unknown name.

    Examples
    --------
    >>> import byrote, rich
    >>> exposure = byrote.exposure.estimate_exposure([3.0, 7.5], range(1, 17), space_size=100)
    >>> text = render(exposure, inserted=[4, 0], role=["canary", "control"])
    >>> rich.print(text)  # doctest: +ELLIPSIS
    1 canary, 1 control...
    """
    times, roles = check_roles(exposure, inserted, role)
    levels, controls = by_insertions(exposure, times), check_controls(exposure, times)
    parts: list[RenderableType] = [_headline(exposure, roles, facts), _levels(levels, exposure)]
    parts += [_controls(controls)] if controls.controls else []
    parts += [Text(sentence) for sentence in notes.fits(exposure)]
    parts += [Text(sentence) for sentence in notes.cautions(exposure, levels, controls)]
    if top and (roles == "canary").any():
        rows = np.flatnonzero(roles == "canary")
        parts += [Text(""), _canaries(_with_fits(exposure, fit), rows, top, times)]
    return Group(*parts)


def render_exposures(exposure: Exposure, *, top: int = 40) -> RenderableType:
    """Return exposures without numbers of insertions."""
    summary, text = exposure.summary(), Text(plural(len(exposure), "canary"), style="bold")
    mean = _bits(summary.mean, "at least " if summary.saturated else "")
    text.append(f" · mean exposure {mean} bits · by method: {_methods(exposure)}", "not bold")
    table = _canaries(exposure, np.arange(len(exposure)), top)
    return Group(text, table, *map(Text, notes.fits(exposure)))


def to_json(
    exposure: Exposure,
    *,
    inserted: ArrayLike,
    role: ArrayLike,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return exposures as plain data for JSON, with every canary and control.

    Parameters and errors as for ``render``.
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


def render_run(run: ExposureResult, *, top: int = 40) -> RenderableType:
    """Return what a run found, its exposures, and last its settings."""
    parts: list[RenderableType] = []
    if run.missing:
        parts.append(Text(incomplete(len(run.missing)), "bold red"))
    parts.append(Text("\n".join(notes.headline(run)), "bold"))
    parts += [Text(sentence) for sentence in notes.reach(run)]
    parts.append(render(run.exposure, **_arguments(run), fit=run.fit, top=top))
    return Group(*parts, Text(""), _settings(run))


def run_to_json(run: ExposureResult) -> dict[str, Any]:
    """Return the exposures of a run as plain data for JSON, with every canary of every fit."""
    exposures = to_json(run.exposure, **_arguments(run))
    rows = zip(exposures["canaries"], run.fit.tolist(), run.pattern.tolist(), strict=True)
    description = run.description
    return plain(
        {
            "run": {name: description[name] for name in _DESCRIBED if name in description},
            "patterns": list(run.patterns),
            "missing": list(run.missing),
            "test_loss": run.test_loss.tolist(),
            **exposures,
            "canaries": [{**row, "fit": fit, "pattern": pattern} for row, fit, pattern in rows],
        }
    )


def _arguments(run: ExposureResult) -> dict[str, Any]:
    known = run.test_loss[~np.isnan(run.test_loss)]
    facts = {
        **run.facts,
        "epochs": run.description["model"]["parameters"].get("epochs"),
        "test_loss": float(known.mean()) if len(known) else None,
    }
    return {"inserted": run.inserted, "role": run.role, "facts": facts}


def _settings(run: ExposureResult) -> Text:
    description = run.description
    fits = description["plan"]["fits"]
    text = headline_of(description)
    patterns = "; ".join(printable(pattern) for pattern in run.patterns)
    text.append(f"{plural(len(run.patterns), 'pattern')}: {patterns}")
    text.append(f"\n{fits - len(run.missing):,} of {plural(fits, 'fit')}")
    if description.get("epoch") is not None:
        text.append(f", after report {description['epoch']} of training")
    return text


def _headline(exposure: Exposure, roles: NDArray[np.str_], facts: Mapping[str, Any] | None) -> Text:
    canaries, controls = (int((roles == role).sum()) for role in ("canary", "control"))
    text = Text(f"{plural(canaries, 'canary')}, {plural(controls, 'control')}", style="bold")
    text.append(f" · by method: {_methods(exposure)}", style="not bold")
    for line in notes.facts(facts):
        text.append(f"\n{line}", style="not bold")
    return text


def _methods(exposure: Exposure) -> str:
    methods = exposure.summary().methods.items()
    return ", ".join(f"{count:,} {printable(name)}" for name, count in methods if name) or "none"


def _levels(levels: tuple[Level, ...], exposure: Exposure) -> Table:
    titles = ("canaries", "median exposure", "mean", "[95 %]", "saturated", "p combined")
    table = new_table("inserted", *titles, whole=("[95 %]",))
    for level in levels:
        bound = "≥ " if level.saturated else ""
        table.add_row(
            "never" if level.insertions == 0 else f"{level.insertions:,}",
            f"{level.canaries:,}",
            _bits(level.median, bound),
            _bits(level.mean, bound),
            interval(level.low, level.high),
            f"{level.saturated / level.canaries:.0%}",
            p_value(level.p_value),
        )
    maximum = np.unique(exposure.maximum[~np.isnan(exposure.maximum)])
    most = f"; at most {number(maximum[-1])}" if len(maximum) else ""
    table.caption = f"exposure in bits{most}; without memorization {NULL_MEAN:.2f} on average"
    table.caption_justify = "left"
    return table


def _controls(controls: Controls) -> Text:
    return Text(notes.control(controls), style="" if controls.calibrated else "bold red")


def _with_fits(exposure: Exposure, fit: ArrayLike | None) -> Exposure:
    """Add the fit to each name where there are several."""
    fits = np.zeros(len(exposure)) if fit is None else np.asarray(fit)
    if len(np.unique(fits)) == 1:
        return exposure
    pairs = zip(exposure.ids, fits, strict=True)
    return replace(exposure, ids=np.array([f"{id_}, fit {fit}" for id_, fit in pairs]))


def _canaries(
    exposure: Exposure, rows: NDArray[np.intp], top: int, times: NDArray[np.int64] | None = None
) -> Table:
    level = f"[{100 * exposure.level:g} %]"
    inserted = [] if times is None else ["inserted"]
    titles = (*inserted, "exposure", level, "p", "method", "rank")
    table = new_table("canary", *titles, whole=("exposure", level, "p"))
    table.columns[-2].justify = "left"
    for row in rows[:top]:
        table.add_row(
            Text(printable(exposure.ids[row])),
            *([] if times is None else [f"{times[row]:,}"]),
            _bits(exposure.bits[row], "at least " if exposure.saturated[row] else ""),
            interval(exposure.low[row], exposure.high[row]),
            p_value(exposure.p_value[row]),
            Text(printable(exposure.method[row]) or "–"),
            "–" if np.isnan(exposure.rank[row]) else f"{exposure.rank[row]:,.0f}",
        )
    add_ellipsis(table, len(rows) - top)
    return table


def _bits(value: float, bound: str) -> str:
    return number(value) if np.isnan(value) else f"{bound}{number(value)}"


def interval(low: float, high: float) -> str:
    """Format the ends of an interval of exposure, which may have no upper one.

    Examples
    --------
    >>> interval(1.5, 2.5), interval(1.5, np.inf)
    ('[1.50, 2.50]', '[1.50, ∞)')
    """
    if np.isnan(low) and np.isnan(high):
        return "–"
    return f"[{number(low)}, {number(high)}{')' if np.isinf(high) else ']'}"
