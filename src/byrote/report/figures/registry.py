"""Registry of the figures that ``byrote figures`` and ``byrote compare --figures`` draw.

To add a figure, add a file to this folder, with a function that draws it, and one under
``@figure`` that yields it with the name of its file. All files here are imported before drawing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from matplotlib.figure import Figure
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.scores.compare.comparison import Comparison
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.scores.run import Run

Source = Literal["records", "canaries", "compared records", "compared canaries"]
Drawings = Iterator[tuple[str, Figure]]


@dataclass(frozen=True)
class Selection:
    """What to draw: runs by name, ids of single records, and the number of clusters.

    All figures are drawn of the first run; of the others only those that compare.
    """

    runs: Mapping[str, Run]
    records: Sequence[str] = ()
    clusters: int | None = None

    @property
    def run(self) -> Run:
        """Return the first run."""
        return next(iter(self.runs.values()))


@dataclass(frozen=True)
class _Registered:
    group: str
    source: Source
    order: int
    needs: tuple[Callable[[Any], Any], ...]
    each: Callable[[Any], Iterable[Any]] | None
    draw: Callable[..., Drawings]


_REGISTERED: list[_Registered] = []


def figure(
    group: str,
    *,
    of: Source,
    order: int,
    needs: Sequence[Callable[[Any], Any]] = (),
    each: Callable[[Any], Iterable[Any]] | None = None,
) -> Callable[[Callable[..., Drawings]], Callable[..., Drawings]]:
    """Register a function that yields figures, each with the name of its file.

    Parameters
    ----------
    group
        Name in the message "no NAME: reason"; figures of one group are drawn together or not at
        all. "{}" stands for the number of an item of ``each``.
    of
        Kind of run, or of runs compared.
    order
        Place among the figures of the same source.
    needs
        Functions of a ``Selection`` (or ``Comparison``) that return the arguments, or raise
        InvalidInput with the reason why there is nothing to draw.
    each
        A function of it that returns items. Each item makes a group, and is the last argument.
    """

    def register(draw: Callable[..., Drawings]) -> Callable[..., Drawings]:
        _REGISTERED.append(_Registered(group, of, order, tuple(needs), each, draw))
        return draw

    return register


def groups(selection: Selection | Comparison) -> Iterator[tuple[str, Drawings]]:
    """Yield groups by name with their figures, drawn when iterated.

    A group that cannot be drawn raises InvalidInput when iterated.
    """
    for path in sorted(Path(__file__).parent.glob("*.py")):
        import_module(f"{__package__}.{path.stem}")
    source = _source(selection)
    by_group: dict[str, list[Drawings]] = {}
    for registered in sorted(_REGISTERED, key=lambda registered: registered.order):
        if registered.source == source:
            for name, drawings in _expanded(registered, selection):
                by_group.setdefault(name, []).append(drawings)
    for name, parts in by_group.items():
        yield name, (drawing for part in parts for drawing in part)


def _source(selection: Selection | Comparison) -> Source:
    """Return the kind of runs; raise an error at once if one cannot be evaluated."""
    if isinstance(selection, Comparison):
        return "compared records" if selection.kind == "scores" else "compared canaries"
    if selection.run.has_canaries:
        selection.run.exposure()
        return "canaries"
    for run in selection.runs.values():
        run.memorization()
    return "records"


def _expanded(
    registered: _Registered, selection: Selection | Comparison
) -> Iterator[tuple[str, Drawings]]:
    if registered.each is None:
        yield registered.group, _draw(registered, selection, ())
        return
    for number, item in enumerate(registered.each(selection), start=1):
        yield registered.group.format(number), _draw(registered, selection, (item,))


def _draw(
    registered: _Registered, selection: Selection | Comparison, items: tuple[Any, ...]
) -> Drawings:
    arguments = [need(selection) for need in registered.needs]
    yield from registered.draw(*arguments, *items)


# -- what several figures need --------------------------------------------------------------------


def run(selection: Selection) -> Run:
    """Return the first run."""
    return selection.run


def runs(selection: Selection) -> Mapping[str, Run]:
    """Return all runs by name."""
    return selection.runs


def scores(selection: Selection) -> MemorizationResult:
    """Return the scores of the first run."""
    return selection.run.memorization()


def images(selection: Selection) -> NDArray[Any]:
    """Return the records of the first run, (n, h, w) or (n, h, w, c)."""
    if len(selection.run.manifest.data.shape) == 1:
        raise InvalidInput("the records are rows of numbers, not images")
    return selection.run.records.x


def neighbors(selection: Selection) -> NeighborResult:
    """Return the nearest-neighbour tests of the first run."""
    return selection.run.neighbors()


def exposures(selection: Selection) -> ExposureResult:
    """Return the exposures of the first run."""
    return selection.run.exposure()


def comparison(compared: Comparison) -> Comparison:
    """Return the comparison."""
    return compared
