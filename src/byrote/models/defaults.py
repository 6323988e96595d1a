"""What was set of a model: the parameters that differ from the defaults of its class."""

from collections.abc import Mapping
from typing import Any

from byrote.errors import ByroteError
from byrote.models import identity, registry


def changed_parameters(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a model that differ from the defaults of its class.

    All of them where the class is not one that byrote names: no file chooses what is imported.

    Parameters
    ----------
    name, parameters
        The model's class and its parameters as plain data, as in run.json.

    Examples
    --------
    >>> from byrote.models.identity import class_path, parameters
    >>> from byrote.models.registry import build
    >>> model = build("gmm", {"n_components": 3})
    >>> changed_parameters(class_path(model), parameters(model))
    {'n_components': 3}
    """
    defaults, missing = _defaults(name), object()
    return {key: v for key, v in parameters.items() if defaults.get(key, missing) != v}


def _defaults(path: str) -> dict[str, Any]:
    """Return the parameters of a class that the command line builds without settings, if any."""
    short = registry.short_name(path)
    try:
        return dict(identity.parameters(registry.build(short, {}))) if short else {}
    except (ByroteError, ImportError):  # a class that is not installed here
        return {}
