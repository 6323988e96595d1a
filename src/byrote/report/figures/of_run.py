"""Every figure that a run supports, in groups that stand or fall together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures.classes import scores_by_label, thin_regions
from byrote.report.figures.distribution import score_distribution, score_distributions
from byrote.report.figures.examples import memorized_examples
from byrote.report.figures.gallery import gallery
from byrote.report.figures.log_prob import memorized_by_log_prob, memorized_share_by_log_prob
from byrote.report.figures.one_record import one_record
from byrote.report.figures.ratio import ratio_by_score, ratio_densities
from byrote.report.figures.reproduced import reproduced
from byrote.report.figures.style import figure_of
from byrote.report.figures.toy import toy_memorization, toy_overfitting
from byrote.report.figures.training import losses, quantiles_over_epochs
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.percentiles import record_percentiles
from byrote.scores.memorization.top_records import cluster_records
from byrote.scores.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Named = Iterator[tuple[str, "Figure"]]
GRID = 8  # images a side in each panel of the gallery's grid


def groups(
    runs: Mapping[str, Run], *, records: Sequence[str] = (), clusters: int | None = None
) -> Iterator[tuple[str, Named]]:
    """Names of groups with their figures, drawn one after another as they are asked for.

    A group that cannot be drawn raises InvalidInput when it is iterated.

    Parameters
    ----------
    runs
        By name, the one to draw first; the others are drawn beside it where a figure can.
    records
        Ids of records to draw, one figure each.
    clusters
        Look for thin regions among so many clusters of the records too.
    """
    results = {name: run.memorization() for name, run in runs.items()}
    run, result = next(iter(runs.values())), next(iter(results.values()))
    yield "toy densities", _toys()
    yield "score distribution", _scores(result)
    if len(results) > 1:
        yield "comparison", _comparison(results)
    yield "counts by log-likelihood", _by_log_prob(result)
    yield "class figures", _by_label(result)
    if clusters is not None:
        yield "thin regions of clusters", _by_cluster(run, result, clusters)
    yield "gallery", _galleries(run, result)
    yield "losses", _losses(runs)
    yield "quantiles over epochs", _quantiles(runs)
    yield "distance ratios", _ratios(run)
    yield "reproduced records", _reproduced(run)
    for place, id_ in enumerate(records, start=1):
        yield f"figure of record {place} of those asked for", _record(result, id_)


def _toys() -> Named:
    yield "toy-memorization", figure_of(toy_memorization())
    yield "toy-overfitting", figure_of(toy_overfitting())


def _scores(result: MemorizationResult) -> Named:
    yield "scores", figure_of(score_distribution(result))


def _comparison(results: Mapping[str, MemorizationResult]) -> Named:
    yield "scores-compared", figure_of(score_distributions(results))


def _by_log_prob(result: MemorizationResult) -> Named:
    yield "memorized-by-log-prob", figure_of(memorized_by_log_prob(result))
    yield "memorized-share-by-log-prob", figure_of(memorized_share_by_log_prob(result))


def _by_label(result: MemorizationResult) -> Named:
    if result.labels is None:
        raise InvalidInput("the records have no labels")
    yield "scores-by-label", figure_of(scores_by_label(result))
    yield "thin-labels", figure_of(thin_regions(result))


def _by_cluster(run: Run, result: MemorizationResult, clusters: int) -> Named:
    found = cluster_records(run.records.x, clusters)
    names = [f"cluster {number}" for number in found]
    yield "thin-clusters", figure_of(thin_regions(result, names))


def _galleries(run: Run, result: MemorizationResult) -> Named:
    images = _images(run)
    yield "gallery", gallery(result, images)
    yield "gallery-grid", gallery(result, images, GRID, rows=GRID)
    yield "memorized-examples", memorized_examples(result, images)


def _losses(runs: Mapping[str, Run]) -> Named:
    trajectories = {name: run.trajectory() for name, run in runs.items()}
    for name, trajectory in trajectories.items():
        if np.isnan(trajectory.train_loss).all() and np.isnan(trajectory.held_out_loss).all():
            raise InvalidInput(f"the fits of {_which(runs, name)} reported none")
    yield "losses", figure_of(losses(trajectories))


def _quantiles(runs: Mapping[str, Run]) -> Named:
    trajectories = {name: run.trajectory() for name, run in runs.items()}
    for name, trajectory in trajectories.items():
        if len(trajectory.epochs) < 2:
            raise InvalidInput(f"{_which(runs, name)} has scores of one epoch only (--track)")
    yield "quantiles-over-epochs", figure_of(quantiles_over_epochs(trajectories))


def _which(runs: Mapping[str, Run], name: str) -> str:
    return "the run" if len(runs) == 1 else f"run {name!r}"


def _ratios(run: Run) -> Named:
    neighbors = run.neighbors()
    yield "ratio-by-score", figure_of(ratio_by_score(neighbors))
    yield "ratio-densities", figure_of(ratio_densities(neighbors))


def _reproduced(run: Run) -> Named:
    neighbors = run.neighbors()
    described = neighbors.description
    samples = run.sample(described["samples"], seed=described["seed"])
    yield "reproduced", reproduced(neighbors, _images(run), samples)


def _images(run: Run) -> NDArray[Any]:
    if len(run.manifest.data.shape) == 1:
        raise InvalidInput("the records are rows of numbers, not images")
    return run.records.x


def _record(result: MemorizationResult, id_: str) -> Named:
    row = record_percentiles(result, id_).row  # ids may be private: files bear row numbers
    yield f"record-{row:06d}", figure_of(one_record(result, id_))
