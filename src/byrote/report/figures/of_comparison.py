"""Every figure of a comparison, in groups that stand or fall together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from byrote.errors import InvalidInput
from byrote.report.figures.exposure_pareto import Configuration, exposure_pareto
from byrote.report.figures.paired_scores import PairedScores, paired_scores
from byrote.report.figures.usefulness_pareto import Change, usefulness_pareto
from byrote.scores.compare.comparison import CROSSINGS, ComparedExposures, Comparison, ScoreChange

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Named = Iterator[tuple[str, "Figure"]]


def groups(found: Comparison) -> Iterator[tuple[str, Named]]:
    """Names of groups with their figures, drawn one after another as they are asked for.

    A group that cannot be drawn raises InvalidInput when it is iterated.
    """
    if found.kind == "scores":
        yield "paired scores", _paired(found)
        yield "usefulness against memorization", _usefulness(found)
    else:
        yield "perplexity against exposure", _exposure(found)


def _paired(found: Comparison) -> Named:
    drawn = [
        PairedScores(
            name=change.name,
            baseline=change.baseline["matched"],
            score=change.baseline["matched"] + change.difference["matched"],
            crossing=np.array(["", *CROSSINGS])[change.crossing + 1],
        )
        for change in found.changes
        if isinstance(change, ScoreChange)
    ]
    yield "paired-scores", paired_scores(drawn, found.baseline.name)


def _usefulness(found: Comparison) -> Named:
    changes = [
        Change(
            name=change.name,
            loss=-change.held_out.value,
            memorization=change.mean["mean_log"].value,
            loss_interval=(-change.held_out.high, -change.held_out.low),
            memorization_interval=(change.mean["mean_log"].low, change.mean["mean_log"].high),
        )
        for change in found.changes
        if isinstance(change, ScoreChange)
    ]
    yield "usefulness-pareto", usefulness_pareto(changes, base=found.baseline.name)


def _exposure(found: Comparison) -> Named:
    """At the highest level of insertion, where secrets are most in danger."""
    runs = [run for run in found.runs if isinstance(run, ComparedExposures)]
    level = runs[0].levels[-1]
    if level.insertions == 0:
        raise InvalidInput("no canary that is compared was inserted")
    drawn = []
    for run in runs:
        top, perplexity = run.levels[-1], run.perplexity
        drawn.append(
            Configuration(
                name=run.name,
                perplexity=perplexity.value,
                exposure=top.mean,
                perplexity_interval=(perplexity.low, perplexity.high),
                exposure_interval=(top.low, top.high),
                saturated=bool(top.saturated),
            )
        )
    yield "exposure-pareto", exposure_pareto(drawn, maximum=runs[0].maximum)
