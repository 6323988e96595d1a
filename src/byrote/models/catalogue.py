"""Models by name, for the command line: built-in ones, ``hf:PATH``, ``module:Class``."""

import importlib
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from byrote.errors import InvalidInput, did_you_mean
from byrote.models.privacy import DP

_HUGGING_FACE = "hf:"

_BUILT_IN = {
    "vae": "byrote.models:VAE",
    "kde": "sklearn.neighbors:KernelDensity",
    "gmm": "sklearn.mixture:GaussianMixture",
    "char-lstm": "byrote.models:CharLSTM",
    "laplace-histogram": "byrote.models:LaplaceHistogram",
}
_ONE_LEAF = 1_000_000_000  # records: a tree that is not split sums over all of them, exactly
_DEFAULTS: dict[str, dict[str, Any]] = {"kde": {"leaf_size": _ONE_LEAF}}


def build(name: str, settings: Mapping[str, Any]) -> Any:
    """A model from its name and settings.

    ``kde`` is scikit-learn's, but for the default of ``leaf_size``: a tree of several leaves loses
    small densities (see ``approximations``).

    Raises
    ------
    InvalidInput
        If the name or a setting is unknown; the message suggests the nearest right one.

    Examples
    --------
    >>> build("kde", {"bandwidth": 0.5})
    KernelDensity(bandwidth=0.5, leaf_size=1000000000)
    """
    with redirect_stdout(sys.stderr):  # a stranger's module and class may print
        return _built(name, settings)


def _built(name: str, settings: Mapping[str, Any]) -> Any:
    constructor = _hugging_face(name) if name.startswith(_HUGGING_FACE) else _find(name)
    allowed = _parameters(name, constructor)
    for setting in settings:
        if setting not in allowed:
            raise InvalidInput(
                f"--set {setting} is no parameter of {name}"
                f"{did_you_mean(setting, allowed)} (it has {', '.join(allowed)})"
            )
    settings = {**_DEFAULTS.get(name, {}), **_with_parts(settings)}
    try:
        return constructor(**settings)
    except (Exception, SystemExit) as error:  # of a stranger's constructor, which sees no record
        raise InvalidInput(f"--model: {name} cannot be made: {_told(error)}") from None


def _parameters(name: str, constructor: Callable[..., Any]) -> list[str]:
    """What can be set; of what is written in C, or says so wrongly, nothing is known."""
    try:
        parameters = inspect.signature(constructor).parameters.values()
    except Exception:  # a stranger's signature may raise anything
        raise InvalidInput(
            f"--model: {name} must be a class whose parameters Python can tell, as those of"
            " scikit-learn's estimators; this one's it cannot"
        ) from None
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [parameter.name for parameter in parameters if parameter.kind in named]


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _with_parts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, with an object under ``dp`` made what the models take there."""
    dp = settings.get("dp")
    return dict(settings) if not isinstance(dp, dict) else {**settings, "dp": _dp(dp)}


def _dp(settings: Mapping[str, Any]) -> DP:
    allowed = [field.name for field in fields(DP)]
    for setting in settings:
        if setting not in allowed:
            raise InvalidInput(
                f"--set dp: {setting} is no parameter of dp{did_you_mean(setting, allowed)}"
                f" (it has {', '.join(allowed)})"
            )
    return DP(**settings)


def parse_settings(assignments: Iterable[str]) -> dict[str, Any]:
    """Settings from ``name=value`` words; values are read as JSON, or else as text.

    Examples
    --------
    >>> parse_settings(["epochs=3", "hidden=[64, 32]", "kernel=tophat"])
    {'epochs': 3, 'hidden': [64, 32], 'kernel': 'tophat'}
    """
    settings: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise InvalidInput(f"--set must be name=value; got {assignment!r}")
        if name in settings:
            raise InvalidInput(f"--set {name} is given twice")
        settings[name] = _value(value)
    return settings


def _value(text: str) -> Any:
    spelled = {"True": True, "False": False, "None": None}
    if text in spelled:
        return spelled[text]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _find(name: str) -> Callable[..., Any]:
    path = _BUILT_IN.get(name, name)
    module_name, colon, attribute = path.partition(":")
    if not (colon and module_name and attribute) or module_name.startswith("."):
        raise InvalidInput(
            f"--model must be one of {', '.join(_BUILT_IN)}, hf:PATH or module:Class; got {name!r}"
            f"{did_you_mean(name, _BUILT_IN)}"
        )
    if name not in _BUILT_IN:
        _look_here()
    try:
        module = importlib.import_module(module_name)
        found = getattr(module, attribute, None)
    except (Exception, SystemExit) as error:  # a module runs when imported, and may raise anything
        raise InvalidInput(f"--model: cannot import {module_name}: {_told(error)}") from None
    if not callable(found):
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise InvalidInput(
            f"--model: {module_name} has no class {attribute}{did_you_mean(attribute, classes)}"
        )
    return found


def _hugging_face(name: str) -> Callable[..., Any]:
    """The constructor of ``hf:PATH``, the fine-tuning of a model of this machine."""
    path = name.removeprefix(_HUGGING_FACE)
    if not path:
        raise InvalidInput("--model hf: needs the folder of a model, hf:PATH")
    return partial(importlib.import_module("byrote.models").CausalLM, path)


def _look_here() -> None:
    """Let ``module:Class`` find modules in the current folder, after all that is installed."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
