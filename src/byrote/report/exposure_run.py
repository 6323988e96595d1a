"""The exposures of a run as text for the terminal, or as plain data."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from byrote.report import exposure as text
from byrote.report.text import headline_of, plain, printable
from byrote.scores.exposure.exposure_result import ExposureResult


def render(run: ExposureResult, *, top: int = 40) -> RenderableType:
    """What was done, and the exposures: levels, controls, cautions, single canaries."""
    return Group(_headline(run), text.render(run.exposure, **_beside(run), fit=run.fit, top=top))


def to_json(run: ExposureResult) -> dict[str, Any]:
    """The same as plain data: NaN is null. Every canary of every fit is in it."""
    found = text.to_json(run.exposure, **_beside(run))
    beside = zip(found["canaries"], run.fit.tolist(), run.pattern.tolist(), strict=True)
    return plain(
        {
            "run": _described(run.description),
            "patterns": list(run.patterns),
            "missing": list(run.missing),
            "test_loss": run.test_loss.tolist(),
            **found,
            "canaries": [{**one, "fit": fit, "pattern": k} for one, fit, k in beside],
        }
    )


def _beside(run: ExposureResult) -> dict[str, Any]:
    return {"inserted": run.inserted, "role": run.role, "facts": facts(run)}


def facts(run: ExposureResult) -> dict[str, Any]:
    """What ``byrote.report.exposure`` tells of model, text and training, as far as it is known."""
    found = dict(run.facts)
    found["epochs"] = run.description["model"]["parameters"].get("epochs")
    known = run.test_loss[~np.isnan(run.test_loss)]
    found["test_loss"] = float(known.mean()) if len(known) else None
    return {name: value for name, value in found.items() if value is not None}


def _headline(run: ExposureResult) -> Text:
    description = run.description
    lines = headline_of(description)
    fits = description["plan"]["fits"]
    lines.append(f"{len(run.patterns)} pattern{'' if len(run.patterns) == 1 else 's'}: ")
    lines.append("; ".join(printable(pattern) for pattern in run.patterns))
    lines.append(f"\n{fits - len(run.missing):,} of {fits:,} fits")
    if description.get("epoch") is not None:
        lines.append(f", after report {description['epoch']} of training")
    if run.missing:
        lines.append(
            f"\nINCOMPLETE: fits missing: {len(run.missing)}; these are the numbers of the others",
            style="bold red",
        )
    return lines


def _described(description: Mapping[str, Any]) -> dict[str, Any]:
    names = ("run_id", "seed", "threads", "plan", "model", "data", "track", "epoch")
    return {name: description[name] for name in names if name in description}
