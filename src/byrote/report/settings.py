"""Settings of a run in a line or two: data, model, plan and seed, without what is the default."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from rich.text import Text

from byrote.report.format import call

_RESOLVED = {("compile", True): "compiled", ("compile", False): "not compiled"}


def headline_of(description: Mapping[str, Any]) -> Text:
    """Return data, model, plan and seed of a run in one line; run.json has all settings."""
    plan = dict(description["plan"]["spec"])
    kind = plan.pop("kind")
    text = Text()
    text.append(f"{description['data']['source']}", style="bold")
    text.append(f" · {model_call(description['model'])}")
    text.append(f" · {call(kind, {key: v for key, v in plan.items() if v is not False})}")
    text.append(f" · seed {description['seed']}\n")
    return text


def model_call(model: Mapping[str, Any]) -> str:
    """Format a model, as run.json describes it, with what differs from its class's defaults.

    Examples
    --------
    >>> from byrote.runs.manifest import ModelPart
    >>> from sklearn.mixture import GaussianMixture
    >>> model_call(ModelPart.of(GaussianMixture(3)).model_dump())
    'GaussianMixture(n_components=3)'
    """
    changed = changed_parameters(model)
    if model.get("defaults"):  # None was chosen there
        changed = {key: "None" if value is None else value for key, value in changed.items()}
    return call(model["name"].rpartition(".")[2], changed)


def changed_parameters(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a model that differ from their defaults; all if those are unknown.

    Parameters
    ----------
    model
        As run.json describes it.
    """
    defaults = model.get("defaults", ())
    return {name: v for name, v in model["parameters"].items() if name not in defaults}


def subset(options: Mapping[str, str]) -> str:
    """Name the options that select records of the data, if any."""
    listed = f" listed in {PurePath(options['only']).name} (--only)" if "only" in options else ""
    return (" (random subset, --records)" if "records" in options else "") + listed


def resolved(description: Mapping[str, Any]) -> str:
    """Return the epoch of the scores, and the values of "auto" in this run."""
    shown = [
        _RESOLVED.get((name, value), f"{name} {value}")
        for name, value in description.get("settled", {}).items()
    ]
    if "epoch" in description:
        shown = [f"after epoch {description['epoch']}", *shown]
    return ", ".join(shown)
