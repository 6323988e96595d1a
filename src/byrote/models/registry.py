"""Models by name, for the command line: built-in, ``hf:PATH``, ``cmd:COMMAND``, ``module:Class``.

Also, which models of scikit-learn do not return exact log-densities.
"""

import importlib
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import fields
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from byrote.errors import InvalidInput, did_you_mean
from byrote.models.privacy import DP

_HUGGING_FACE, _COMMAND = "hf:", "cmd:"

_BUILT_IN = {
    "vae": "byrote.models:VAE",
    "flow": "byrote.models:Flow",
    "diffusion": "byrote.models:Diffusion",
    "kde": "sklearn.neighbors:KernelDensity",
    "gmm": "sklearn.mixture:GaussianMixture",
    "char-lstm": "byrote.models:CharLSTM",
    "laplace-histogram": "byrote.models:LaplaceHistogram",
}
_ONE_LEAF = 1_000_000_000  # records: a tree that is never split sums over all of them, exactly
_DEFAULTS: dict[str, dict[str, Any]] = {"kde": {"leaf_size": _ONE_LEAF}}


def build(name: str, settings: Mapping[str, Any]) -> Any:
    """Build a model from its name and settings.

    ``kde`` is scikit-learn's, except for the default of ``leaf_size``: a tree of several leaves
    loses small densities (see ``approximations``).

    Raises
    ------
    InvalidInput
        If the name or a setting is unknown; the message suggests the nearest known one.

    Examples
    --------
    >>> build("kde", {"bandwidth": 0.5})
    KernelDensity(bandwidth=0.5, leaf_size=1000000000)
    """
    with redirect_stdout(sys.stderr):  # a user's module and class may print
        return _build(name, settings)


def settable(name: str) -> list[str]:
    """Return the names of the parameters of a model that can be set.

    Raises
    ------
    InvalidInput
        If the name is unknown.

    Examples
    --------
    >>> settable("laplace-histogram")
    ['bins', 'range', 'epsilon', 'random_state']
    """
    with redirect_stdout(sys.stderr):
        return _settable(name, _constructor(name))


def short_name(path: str) -> str:
    """Return the name that the command line has for a class, as run.json names it; "" if none.

    Examples
    --------
    >>> short_name("sklearn.neighbors._kde.KernelDensity"), short_name("mine.Kernel")
    ('kde', '')
    """
    named = (s for s, t in _BUILT_IN.items() if fnmatchcase(path, t.replace(":", ".*.")))
    return next(named, "")


def _build(name: str, settings: Mapping[str, Any]) -> Any:
    constructor = _constructor(name)
    allowed = _settable(name, constructor)
    for setting in settings:
        if setting not in allowed:
            raise InvalidInput(
                f"--set {setting} is not a parameter of {name}"
                f"{did_you_mean(setting, allowed)} (it has {', '.join(allowed)})"
            )
    settings = {**_DEFAULTS.get(name, {}), **_with_dp(settings)}
    try:
        return constructor(**settings)
    except (Exception, SystemExit) as error:  # a user's constructor, which sees no record
        raise InvalidInput(f"--model: {name} cannot be made: {_describe(error)}") from None


def ready(name: str, settings: Mapping[str, Any]) -> Any:
    """Make a model that is used without training: ``hf:PATH``, or a class of your own.

    Raises
    ------
    InvalidInput
        If the name or a setting is unknown, or the model has yet to be trained.
    """
    if name.startswith(_HUGGING_FACE):
        model = build(name, settings)
        pretrained = importlib.import_module("byrote.models.language.causal.pretrained")
        network = pretrained.load_network(model.path).to(model.device)
        return type(model).of(network, model.tokenizer or model.path)
    if name in _BUILT_IN:
        raise InvalidInput(
            f"MODEL must be ready to use; {name} is trained by byrote score or byrote expose, and a"
            " run folder with --keep-models stands for it"
        )
    return build(name, settings)


def _settable(name: str, constructor: Callable[..., Any]) -> list[str]:
    """Return the names of parameters that can be set; a class written in C is refused."""
    try:
        parameters = inspect.signature(constructor).parameters.values()
    except Exception:  # a user's signature may raise anything
        raise InvalidInput(
            f"--model: {name} must be a class with a signature, as scikit-learn's estimators have;"
            " Python cannot read this one's"
        ) from None
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [parameter.name for parameter in parameters if parameter.kind in named]


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _with_dp(settings: Mapping[str, Any]) -> dict[str, Any]:
    dp = settings.get("dp")
    return dict(settings) if not isinstance(dp, dict) else {**settings, "dp": _dp(dp)}


def _dp(settings: Mapping[str, Any]) -> DP:
    allowed = [field.name for field in fields(DP)]
    for setting in settings:
        if setting not in allowed:
            raise InvalidInput(
                f"--set dp: {setting} is not a parameter of dp{did_you_mean(setting, allowed)}"
                f" (it has {', '.join(allowed)})"
            )
    return DP(**settings)


def parse_settings(assignments: Iterable[str]) -> dict[str, Any]:
    """Parse ``name=value`` assignments; a value is JSON, or else a string.

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
            raise InvalidInput(f"--set {name} must be given once; got it twice")
        settings[name] = _parse_value(value)
    return settings


def _parse_value(text: str) -> Any:
    literals = {"True": True, "False": False, "None": None}
    if text in literals:
        return literals[text]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _constructor(name: str) -> Callable[..., Any]:
    if name.startswith(_HUGGING_FACE):
        return _hugging_face(name)
    return _command(name) if name.startswith(_COMMAND) else _load(name)


def _load(name: str) -> Callable[..., Any]:
    path = _BUILT_IN.get(name, name)
    module_name, colon, attribute = path.partition(":")
    if not (colon and module_name and attribute) or module_name.startswith("."):
        raise InvalidInput(
            f"--model must be one of {', '.join(_BUILT_IN)}, hf:PATH, cmd:COMMAND or"
            f" module:Class; got {name!r}"
            f"{did_you_mean(name, _BUILT_IN)}"
        )
    if name not in _BUILT_IN:
        _import_from_current_folder()
    try:
        module = importlib.import_module(module_name)
        constructor = getattr(module, attribute, None)
    except (Exception, SystemExit) as error:  # a module runs when imported, and may raise anything
        raise InvalidInput(f"--model: cannot import {module_name}: {_describe(error)}") from None
    if not callable(constructor):
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise InvalidInput(
            f"--model: {module_name} has no class {attribute}{did_you_mean(attribute, classes)}"
        )
    return constructor


def _hugging_face(name: str) -> Callable[..., Any]:
    path = name.removeprefix(_HUGGING_FACE)
    if not path:
        raise InvalidInput("--model hf: needs the folder of a model, hf:PATH")
    return partial(importlib.import_module("byrote.models").CausalLM, path)


def _command(name: str) -> Callable[..., Any]:
    command = name.removeprefix(_COMMAND)
    if not command.strip():
        raise InvalidInput(
            "--model cmd: needs a command line, such as"
            " cmd:python train.py --rows {rows} --out {log_prob}"
        )
    return partial(importlib.import_module("byrote.models").Command, command)


def _import_from_current_folder() -> None:
    """Let ``module:Class`` import from the current folder, after installed packages."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)


_TREE_PARAMETERS = frozenset({"bandwidth", "kernel", "atol", "rtol", "leaf_size", "breadth_first"})
_VARIATIONAL_MIXTURE = "sklearn.mixture._bayesian_mixture.BayesianGaussianMixture"


def approximations(name: str, parameters: Mapping[str, Any], records: int) -> list[str]:
    """Describe, one sentence each, why log-densities of a model or of nested models are not exact.

    ``KernelDensity``, or any class with its parameters, sums over a tree by differences of bounds:
    rounding loses small densities unless the tree is a single leaf. ``BayesianGaussianMixture``
    returns a variational bound.

    Parameters
    ----------
    name, parameters
        The model's class and its parameters as plain data, as in run.json.
    records
        Number of records, at least as many as any fit trains on.

    Examples
    --------
    >>> from sklearn.neighbors import KernelDensity
    >>> approximations("its.Name", KernelDensity(leaf_size=100).get_params(), 100)
    []
    >>> len(approximations("its.Name", KernelDensity(leaf_size=40).get_params(), 100))
    1
    """
    model = {"class": name, **parameters}
    reasons = (text for part in _nested(model) for text in _reasons(part, records))
    return list(dict.fromkeys(reasons))


def _nested(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    if isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _nested(item)


def _reasons(model: Mapping[str, Any], records: int) -> Iterator[str]:
    name = str(model.get("class", "")).rpartition(".")[2]
    if model.get("class") == _VARIATIONAL_MIXTURE:
        yield (
            f"{name}: log p is a variational bound; its exponentials integrate to less than 1, the"
            " less the fewer records it trains on. GaussianMixture gives the log-density itself."
        )
    if not model.keys() >= _TREE_PARAMETERS:
        return
    leaf_size, atol, rtol = (model[key] for key in ("leaf_size", "atol", "rtol"))
    if not all(isinstance(value, int | float) for value in (leaf_size, atol, rtol)):
        return  # of some other class
    if leaf_size < records:
        yield (
            f"{name}: with leaf_size={leaf_size} scikit-learn's tree makes small densities too"
            " large, by any number of nats, and so M of what was learned by rote too small. Set"
            f" leaf_size={records} or more, which is exact."
        )
    if atol > 0 or rtol > 0:
        yield (
            f"{name}: densities may err by atol={atol:g} or rtol={rtol:g}, small ones by any number"
            " of nats. Set both to 0."
        )
