"""The parameters of a model that are at the defaults of its class."""

from fnmatch import fnmatchcase
from typing import Any

from byrote.models import identity, registry


def default_parameters(model: Any) -> tuple[str, ...]:
    """Return the names of a model's parameters that have their default value.

    None of a class without a name on the command line, whose defaults are not known.

    Examples
    --------
    >>> default_parameters(registry.build("laplace-histogram", {"bins": 5}))
    ('epsilon', 'range')
    """
    path = identity.class_path(model)
    short, causal = registry.short_name(path), is_hugging_face(path)
    if not short and not causal:
        return ()
    defaults = identity.parameters(type(model)() if causal else registry.build(short, {}))
    return tuple(
        k for k, v in identity.parameters(model).items() if k in defaults and defaults[k] == v
    )


def is_hugging_face(path: str) -> bool:
    """Whether run.json names the class of ``hf:PATH``.

    Examples
    --------
    >>> is_hugging_face("byrote.models.language.causal.causal_lm.CausalLM")
    True
    """
    return fnmatchcase(path, "byrote.models.*.CausalLM")
