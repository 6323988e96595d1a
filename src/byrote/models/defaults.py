"""The parameters of a model that are at the defaults of its class."""

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
    short = registry.short_name(identity.class_path(model))
    if not short:
        return ()
    defaults = identity.parameters(registry.build(short, {}))
    return tuple(
        k for k, v in identity.parameters(model).items() if k in defaults and defaults[k] == v
    )
