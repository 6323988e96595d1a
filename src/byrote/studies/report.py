"""What a study found, beside what the paper published."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.top_records import central_share, highly_memorized
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.scores.run import Run
from byrote.studies.chosen import ChosenStudy

FIGURES = {"median": "median", "minimum": "minimum", "maximum": "maximum", "q95": "q0.95"}


@dataclass(frozen=True, eq=False)
class StudyReport:
    """A finished study.

    Attributes
    ----------
    chosen
        The study, its scale and what was overridden.
    result
        The scores of its run.
    seconds
        (f,) what each finished fit took.
    central_share
        Of the highly memorized records (top 5 %), the share in the central 90 % of log P.
    command, score_command
        The command that was given, and the ``byrote score`` command for the same run.
    figures
        Names of the files drawn.
    neighbors
        Nearest-neighbour tests, where there were validation records.
    """

    chosen: ChosenStudy
    result: MemorizationResult
    seconds: NDArray[np.float64]
    central_share: float
    command: str
    score_command: str
    figures: tuple[str, ...] = ()
    neighbors: NeighborResult | None = None

    @property
    def description(self) -> Mapping[str, Any]:
        """What the run is, as in run.json."""
        return self.result.description

    @property
    def departures(self) -> dict[str, tuple[Any, Any]]:
        """What differs from the published setting: here, and in the paper."""
        return self.chosen.departures(self.description["data"]["records"])

    def found(self, figure: str, estimator: str) -> float:
        """What the run has for a published figure: a statistic of an estimator, nats."""
        return self.result.summary().distribution[estimator][FIGURES[figure]].value

    @property
    def bias(self) -> float:
        """By how much the median of M exceeds that of ``matched``, nats."""
        return self.found("median", "score") - self.found("median", "matched")

    def bits_per_dimension(self, side: str) -> tuple[float, float]:
        """-log2 p over the values of an image, and its standard error over retrainings."""
        found = self.result.summary().mean_log_prob[side]
        size = np.prod(self.description["data"]["shape"]) * np.log(2)
        return float(-found.value / size), float(found.standard_error / size)


def report_on(
    chosen: ChosenStudy,
    run: Run,
    result: MemorizationResult,
    *,
    command: str,
    score_command: str,
    figures: tuple[str, ...] = (),
    neighbors: NeighborResult | None = None,
) -> StudyReport:
    """The report on a run whose scores are known."""
    scored = np.where(np.isnan(result.score), np.nan, result.log_prob_in)
    return StudyReport(
        chosen=chosen,
        result=result,
        seconds=run.fact("seconds"),
        central_share=central_share(highly_memorized(result.score), scored),
        command=command,
        score_command=score_command,
        figures=figures,
        neighbors=neighbors,
    )
