"""What was run, in a line: data, model, plan and seed."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from rich.text import Text

_RESOLVED = {("compile", True): "compiled", ("compile", False): "not compiled"}


def headline_of(description: Mapping[str, Any]) -> Text:
    """Return data, model, plan and seed of a run in a line."""
    model, plan = description["model"], dict(description["plan"]["spec"])
    text = Text()
    text.append(f"{description['data']['source']}", style="bold")
    text.append(f" · {call(model['name'].rpartition('.')[2], model['parameters'])}")
    text.append(f" · {call(plan.pop('kind'), plan)} · seed {description['seed']}\n")
    return text


def incomplete(missing: int) -> str:
    """Return the warning of a result that lacks fits."""
    return f"\nINCOMPLETE: fits missing: {missing}; these are the numbers of the others"


def subset(options: Mapping[str, str]) -> str:
    """Return which records of their source a run is of, if not all."""
    listed = f" listed in {PurePath(options['only']).name} (--only)" if "only" in options else ""
    return (" (random subset, --records)" if "records" in options else "") + listed


def resolved(description: Mapping[str, Any]) -> str:
    """Return the epoch that was asked for, and the values that "auto" has in this run."""
    shown = [
        _RESOLVED.get((name, value), f"{name} {value}")
        for name, value in description.get("settled", {}).items()
    ]
    if "epoch" in description:
        shown = [f"after epoch {description['epoch']}", *shown]
    return f"\n{', '.join(shown)}" if shown else ""


def call(name: str, arguments: Mapping[str, Any]) -> str:
    """Format a call with the arguments that are not None.

    Examples
    --------
    >>> call("KFold", {"folds": 10, "stratify": None, "noise": {"class": "some.Part"}})
    'KFold(folds=10, noise=Part)'
    """
    shown = {key: _value(value) for key, value in arguments.items() if value is not None}
    return f"{name}({', '.join(f'{key}={value}' for key, value in shown.items())})"


def _value(value: Any) -> Any:
    """Shorten an object to its class and parameters, one without any to its class."""
    if isinstance(value, Mapping):
        name = str(value.get("class", "…")).rpartition(".")[2]
        parts = {key: part for key, part in value.items() if key != "class"}
        return call(name, parts) if parts else name
    return [_value(item) for item in value] if isinstance(value, list) else value
