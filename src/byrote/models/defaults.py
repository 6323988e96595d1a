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
    path = identity.class_path(model)
    short, is_hugging_face = registry.short_name(path), registry.is_hugging_face(path)
    if not short and not is_hugging_face:
        return ()
    defaults = identity.parameters(type(model)() if is_hugging_face else registry.build(short, {}))
    return tuple(
        k for k, v in identity.parameters(model).items() if k in defaults and defaults[k] == v
    )
