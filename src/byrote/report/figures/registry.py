"""Registry of the figures that ``byrote figures`` and ``byrote compare --figures`` draw.

To add a figure, add a file to this folder, with a function that draws it, and one under
``@figure`` that yields the name of its file, the figure, and a sentence on what it shows. Data,
model, records and fits are written below it. All files here are imported before drawing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from byrote.data.text_records import as_arrays
from byrote.errors import InvalidInput, printable
from byrote.report.figures import style
from byrote.report.format import call, plural
from byrote.scores.compare.comparison import Comparison
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.scores.run import Run

Source = Literal["records", "canaries", "compared records", "compared canaries"]
Drawings = Iterator[tuple[str, Figure, str]]
Signed = Iterator[tuple[str, Figure]]


@dataclass(frozen=True)
class Selection:
    """What to draw: runs by name, ids of single records, the number of clusters, toys.

    All figures are drawn of the first run; of the others only those that compare.
    """

    runs: Mapping[str, Run]
    records: Sequence[str] = ()
    clusters: int | None = None
    toys: bool = False  # the paper's examples, which show nothing of the runs

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
    of_run: bool
    draw: Callable[..., Drawings]


_REGISTERED: list[_Registered] = []


def figure(
    group: str,
    *,
    of: Source,
    order: int,
    needs: Sequence[Callable[[Any], Any]] = (),
    each: Callable[[Any], Iterable[Any]] | None = None,
    of_run: bool = True,
) -> Callable[[Callable[..., Drawings]], Callable[..., Drawings]]:
    """Register a function that yields names of files, figures, and what they show.

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
    of_run
        Whether figures show something of the run, and name it.
    """

    def register(draw: Callable[..., Drawings]) -> Callable[..., Drawings]:
        _REGISTERED.append(_Registered(group, of, order, tuple(needs), each, of_run, draw))
        return draw

    return register


def groups(selection: Selection | Comparison) -> Iterator[tuple[str, Signed]]:
    """Yield groups by name with names and figures, drawn when iterated.

    A group that cannot be drawn raises InvalidInput when iterated.
    """
    for path in sorted(Path(__file__).parent.glob("*.py")):
        import_module(f"{__package__}.{path.stem}")
    source = _source(selection)
    by_group: dict[str, list[Signed]] = {}
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
) -> Iterator[tuple[str, Signed]]:
    if registered.each is None:
        yield registered.group, _draw(registered, selection, ())
        return
    for number, item in enumerate(registered.each(selection), start=1):
        yield registered.group.format(number), _draw(registered, selection, (item,))


def _draw(
    registered: _Registered, selection: Selection | Comparison, items: tuple[Any, ...]
) -> Signed:
    arguments = [need(selection) for need in registered.needs]
    for name, drawing, shows in registered.draw(*arguments, *items):
        origin = f" {_origin(selection, arguments, items)}" if registered.of_run else ""
        style.sign(drawing, f"{shows}{origin}")
        yield name, drawing


# -- which run, in a line -------------------------------------------------------------------------


def _origin(selection: Selection | Comparison, *drawn: Sequence[Any]) -> str:
    """Return data, model, plan and sizes of the runs that a figure shows."""
    if isinstance(selection, Comparison):
        noun = "record" if selection.kind == "scores" else "canary"
        runs = [
            _sentence(run.name, run.description, len(selection.missing.get(run.name, ())))
            for run in selection.runs
        ]
        return f"{' '.join(runs)} {plural(selection.matched, noun)} compared."
    several = any(item is selection.runs for items in drawn for item in items)
    shown = selection.runs.items() if several else [next(iter(selection.runs.items()))]
    return " ".join(_of_run(name, run) for name, run in shown)


def _of_run(name: str, run: Run) -> str:
    if run.has_canaries:
        result = run.exposure()
        size = plural(len(np.unique(result.exposure.ids)), "canary")
        return _sentence(name, result.description, len(result.missing), size)
    scores = run.memorization()
    summary = scores.summary()
    size = f"{summary.scored:,} of {plural(summary.records, 'record')} scored"
    return _sentence(name, scores.description, len(scores.missing), size)


def _sentence(name: str, description: Mapping[str, Any], missing: int, size: str = "") -> str:
    plan, model = description["plan"], description["model"]["name"].rpartition(".")[2]
    spec = dict(plan["spec"])
    parts = [description["data"]["source"], model, call(spec.pop("kind"), spec), size]
    fits = plural(plan["fits"] - missing, "fit")
    return f"Run {printable(name)}: {', '.join(part for part in parts if part)}, {fits}."


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
    return as_arrays(selection.run.records).x


def neighbors(selection: Selection) -> NeighborResult:
    """Return the nearest-neighbour tests of the first run."""
    return selection.run.neighbors()


def exposures(selection: Selection) -> ExposureResult:
    """Return the exposures of the first run."""
    return selection.run.exposure()


def comparison(compared: Comparison) -> Comparison:
    """Return the comparison."""
    return compared
