"""What the figures of runs are drawn from, loaded when a figure needs it."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byrote.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from byrote.report.figures.of_run import Source
    from byrote.scores.result import MemorizationResult


def source(runs: dict[str, Path]) -> "Source":
    """The sources of runs by name, the one to draw first."""
    from byrote.report.figures.of_run import Source  # noqa: PLC0415 (slow to load)
    from byrote.scores.memorization import load_scores  # noqa: PLC0415
    from byrote.scores.trajectory import load_trajectory  # noqa: PLC0415

    results = {name: load_scores(path) for name, path in runs.items()}
    result = next(iter(results.values()))
    return Source(
        results=results,
        records=cache(lambda: _records(result)),
        trajectories=cache(lambda: {name: load_trajectory(path) for name, path in runs.items()}),
        neighbors=_no_neighbors,
        samples=_no_neighbors,
    )


def _records(result: "MemorizationResult") -> "NDArray[Any]":
    from byrote.data import load  # noqa: PLC0415 (slow to load)

    data = result.description["data"]
    records = load(data["location"], **data["options"])
    if records.fingerprint != data["fingerprint"]:
        raise InvalidInput(f"{data['source']} has changed since the run")
    return records.x


def _no_neighbors() -> Any:
    raise InvalidInput("byrote neighbors was not run")
