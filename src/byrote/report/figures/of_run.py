"""Every figure that a run supports, in groups that stand or fall together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures.classes import scores_by_label, thin_regions
from byrote.report.figures.distribution import score_distribution, score_distributions
from byrote.report.figures.examples import memorized_examples
from byrote.report.figures.gallery import gallery
from byrote.report.figures.log_prob import memorized_by_log_prob, memorized_share_by_log_prob
from byrote.report.figures.one_record import one_record
from byrote.report.figures.ratio import Compared, ratio_by_score, ratio_densities
from byrote.report.figures.reproduced import Nearest, reproduced
from byrote.report.figures.style import figure_of
from byrote.report.figures.toy import toy_memorization, toy_overfitting
from byrote.report.figures.training import Tracked, losses, quantiles_over_epochs
from byrote.scores.percentiles import record_percentiles
from byrote.scores.regions import cluster_records
from byrote.scores.result import MemorizationResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Named = Iterator[tuple[str, "Figure"]]
GRID = 8  # images a side in each panel of the gallery's grid


class Neighbors(Compared, Nearest, Protocol):
    """What all figures of nearest neighbours need."""


@dataclass(frozen=True)
class Source:
    """What a run and those beside it hold. Callables load late, or raise InvalidInput saying why.

    results: by name, the run itself first. records: its (n, …) values.
    trajectories: of the same runs. neighbors: distance ratios of the run's records; samples: those
    that they were made from.
    """

    results: Mapping[str, MemorizationResult]
    records: Callable[[], NDArray[Any]]
    trajectories: Callable[[], Mapping[str, Tracked]]
    neighbors: Callable[[], Neighbors]
    samples: Callable[[], NDArray[Any]]

    @property
    def result(self) -> MemorizationResult:
        """The run itself."""
        return next(iter(self.results.values()))


def groups(
    source: Source, *, records: Sequence[str] = (), clusters: int | None = None
) -> Iterator[tuple[str, Named]]:
    """Names of groups with their figures, drawn one after another as they are asked for.

    A group that cannot be drawn raises InvalidInput when it is iterated.

    Parameters
    ----------
    records
        Ids of records to draw, one figure each.
    clusters
        Look for thin regions among so many clusters of the records too.
    """
    yield "toy densities", _toys()
    yield "score distribution", _scores(source.result)
    if len(source.results) > 1:
        yield "comparison", _comparison(source.results)
    yield "counts by log-likelihood", _by_log_prob(source.result)
    yield "class figures", _by_label(source.result)
    if clusters is not None:
        yield "thin regions of clusters", _by_cluster(source, clusters)
    yield "gallery", _galleries(source)
    yield "losses", _losses(source)
    yield "quantiles over epochs", _quantiles(source)
    yield "distance ratios", _ratios(source)
    yield "reproduced records", _reproduced(source)
    for place, id_ in enumerate(records, start=1):
        yield f"figure of record {place} of those asked for", _record(source.result, id_)


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


def _by_cluster(source: Source, clusters: int) -> Named:
    found = cluster_records(source.records(), clusters)
    names = [f"cluster {number}" for number in found]
    yield "thin-clusters", figure_of(thin_regions(source.result, names))


def _galleries(source: Source) -> Named:
    images = _images(source)
    yield "gallery", gallery(source.result, images)
    yield "gallery-grid", gallery(source.result, images, GRID, rows=GRID)
    yield "memorized-examples", memorized_examples(source.result, images)


def _losses(source: Source) -> Named:
    found = source.trajectories()
    for name, run in found.items():
        if np.isnan(run.train_loss).all() and np.isnan(run.held_out_loss).all():
            raise InvalidInput(f"the fits of {_which(found, name)} reported none")
    yield "losses", figure_of(losses(found))


def _quantiles(source: Source) -> Named:
    found = source.trajectories()
    for name, run in found.items():
        if len(run.epochs) < 2:
            raise InvalidInput(f"{_which(found, name)} has scores of one epoch only (--track)")
    yield "quantiles-over-epochs", figure_of(quantiles_over_epochs(found))


def _which(runs: Mapping[str, Tracked], name: str) -> str:
    return "the run" if len(runs) == 1 else f"run {name!r}"


def _ratios(source: Source) -> Named:
    found = source.neighbors()
    yield "ratio-by-score", figure_of(ratio_by_score(found))
    yield "ratio-densities", figure_of(ratio_densities(found))


def _reproduced(source: Source) -> Named:
    found = source.neighbors()
    yield "reproduced", reproduced(found, _images(source), source.samples())


def _images(source: Source) -> NDArray[Any]:
    if len(source.result.description["data"]["shape"]) == 1:
        raise InvalidInput("the records are rows of numbers, not images")
    return source.records()


def _record(result: MemorizationResult, id_: str) -> Named:
    row = record_percentiles(result, id_).row  # ids may be private: files bear row numbers
    yield f"record-{row:06d}", figure_of(one_record(result, id_))
