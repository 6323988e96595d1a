"""Methods whose results are computed once for each set of arguments."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

Owner = TypeVar("Owner")
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Method = Callable[Concatenate[Owner, Arguments], Result]


def once(method: Method[Owner, Arguments, Result]) -> Method[Owner, Arguments, Result]:
    """Keep the results of a method on its object.

    What a run without missing fits gives with ``partial`` is what it gives without: it is computed
    once for both.

    Examples
    --------
    >>> class Dice:
    ...     @once
    ...     def roll(self, faces=6):
    ...         print("rolling")
    ...         return faces
    >>> dice = Dice()
    >>> dice.roll(), dice.roll(6), dice.roll(faces=6)
    rolling
    (6, 6, 6)
    """
    signature = inspect.signature(method)

    @wraps(method)
    def kept(owner: Owner, *args: Arguments.args, **options: Arguments.kwargs) -> Result:
        bound = signature.bind(owner, *args, **options)
        bound.apply_defaults()
        if bound.arguments.get("partial") is False and getattr(owner, "incomplete", None) == "":
            bound.arguments["partial"] = True
        values = list(bound.arguments.values())[1:]
        key = (*values, *map(type, values))  # True is not 1
        results: dict[Any, Result] = vars(owner).setdefault(f"_{method.__name__}", {})
        try:
            known = key in results
        except TypeError:  # an argument that is not hashable, which the method refuses
            return method(*bound.args, **bound.kwargs)
        if not known:
            results[key] = method(*bound.args, **bound.kwargs)
        return results[key]

    return cast("Method[Owner, Arguments, Result]", kept)
