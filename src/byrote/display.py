"""Display of results: ``print`` and notebooks show a readable table, ``repr`` a single line."""

from importlib import import_module
from typing import Any


class Displayed:
    """Base of public results. Secrets are masked in their tables, and records never shown.

    Examples
    --------
    >>> import byrote
    >>> references = [31.0, 29.5, 30.2, 33.1, 28.7, 30.9, 32.4]
    >>> exposure = byrote.exposure.estimate_exposure([29.0, 12.0], references, space_size=10**9)
    >>> exposure
    Exposure(2 canaries, mean 2.31 bits, 1 saturated)
    >>> print(exposure)
    2 canaries · mean exposure at least 2.31 bits · by method: 2 sampled
    canary       exposure        [95 %]     p  method   rank
    0                1.81  [0.79, 8.11]  0.25  sampled     2
    1       at least 2.81  [1.29, 29.9]  0.12  sampled     1
    """

    def __rich__(self) -> Any:
        return _tables().renderable(self)

    def __str__(self) -> str:
        return str(_tables().as_text(self))

    def _repr_html_(self) -> str:
        return str(_tables().as_html(self))


def _tables() -> Any:
    """The tables belong to a later stage, which is loaded when the first one is shown."""
    return import_module("byrote.report.display")
