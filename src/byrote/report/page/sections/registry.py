"""Registry of the sections of a page, in the order of reading.

To add a section, add a file to this folder, with a function under ``@section`` that returns what
the section shows of a run, or None where the run has nothing of the kind. What it contributes to
the rest of the page (numbers at the top, what was not tested, attacks that were run) goes with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from byrote.report.page.audit import Audit
from byrote.report.page.content import Section

Make = Callable[[Audit], Section | None]


@dataclass(frozen=True)
class _Registered:
    order: int
    make: Make


_REGISTERED: list[_Registered] = []


def section(*, order: int) -> Callable[[Make], Make]:
    """Register a function that makes a section of a run, at a place among the others."""

    def register(make: Make) -> Make:
        _REGISTERED.append(_Registered(order, make))
        return make

    return register


def sections_of(audit: Audit) -> tuple[Section, ...]:
    """Return the sections that a run has, in their order."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        import_module(f"{__package__}.{path.stem}")
    ordered = sorted(_REGISTERED, key=lambda registered: registered.order)
    made = (registered.make(audit) for registered in ordered)
    return tuple(section for section in made if section is not None)
