"""What the figures of runs are drawn from, loaded when a figure needs it."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byrote.cli.output import standard_output_kept_clean
from byrote.cli.records import records_of
from byrote.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from byrote.report.figures.of_run import Source
    from byrote.scores.neighbors import NeighborResult
    from byrote.scores.result import MemorizationResult


def source(runs: dict[str, Path]) -> "Source":
    """The sources of runs by name, the one to draw first."""
    from byrote.report.figures.of_run import Source  # noqa: PLC0415 (slow to load)
    from byrote.scores.memorization import load_scores  # noqa: PLC0415
    from byrote.scores.trajectory import load_trajectory  # noqa: PLC0415

    results = {name: load_scores(path) for name, path in runs.items()}
    run, result = next(iter(runs.values())), next(iter(results.values()))
    compared = cache(lambda: _neighbors(run, result))
    return Source(
        results=results,
        records=cache(lambda: records_of(result.description["data"], run).x),
        trajectories=cache(lambda: {name: load_trajectory(path) for name, path in runs.items()}),
        neighbors=compared,
        samples=lambda: _samples(run, compared()),
    )


def _neighbors(run: Path, result: "MemorizationResult") -> "NeighborResult":
    from byrote.fits.paths import RunPaths  # noqa: PLC0415 (slow to load)
    from byrote.fits.reading import is_there  # noqa: PLC0415
    from byrote.scores.neighbors import NeighborResult  # noqa: PLC0415

    path = RunPaths(run).neighbors
    if not is_there(path):
        raise InvalidInput("byrote neighbors was not run")
    found = NeighborResult.load(path)
    if found.description.get("run_id") != result.description["run_id"]:
        raise InvalidInput(f"{path.name} belongs to another run")
    # More repeats change the scores, and not the release model that the ratios are of.
    return replace(found, score=result.score)


def _samples(run: Path, found: "NeighborResult") -> "NDArray[Any]":
    """The samples that were compared, drawn again from the model and the seed."""
    from byrote.fits.loading import draw_samples  # noqa: PLC0415 (slow to load)

    described = found.description
    with standard_output_kept_clean():
        return draw_samples(run, described["samples"], seed=described["seed"])
