"""Stopping early: the question that a run is to answer, and whether it has been answered.

A run that may stop is looked at after given numbers of fits (a group-sequential design). Each look
spends an equal part of every error probability. The false discovery proportion at whichever look
the run stops is at most the sum of those at all looks, so its mean, the false discovery rate, is at
most the sum of the levels spent, whatever the dependence between looks and the reason to stop.
"""

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from byrote.columnar import PlainData
from byrote.plans import Plan
from byrote.runs.manifest import Manifest
from byrote.scores.memorization.evaluation import Evaluation
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.scores.named_number import parse_named_number
from byrote.stats.multiple_testing import q_values
from byrote.stats.planning import conditional_power

LOOKS = 3  # if a question is asked, and no number of looks
Name = Literal["discover", "max-score"]
Answer = Literal["", "found", "out of reach", "above", "within"]
_FORMS = {"discover": "N (records)", "max-score": "X (nats)"}
_CHANCE = 0.2  # of being found at the end, below which a record is out of reach


@dataclass(frozen=True)
class Question:
    """What a run is to answer before it may stop.

    "discover": are this number of records memorized, or so few that even the complete run will
    hardly find that number? "max-score": does training raise the log-likelihood of some record by
    more than this number of nats, or of no scored one?
    """

    name: Name
    value: float

    @classmethod
    def parse(cls, text: str) -> "Question":
        """Parse a question such as "discover=5".

        Examples
        --------
        >>> str(Question.parse("max-score=20"))
        'max-score=20'
        """
        name, value = parse_named_number("stop_when", text, _FORMS)
        return cls(cast("Name", name), value)

    def __str__(self) -> str:
        return f"{self.name}={self.value:g}"

    def answer(self, evaluation: Evaluation, share: float) -> Answer:
        """Return the answer of a run with this share of its fits; empty while it is open."""
        return (self._discovered if self.name == "discover" else self._bounded)(evaluation, share)

    def _discovered(self, evaluation: Evaluation, share: float) -> Answer:
        q_value = q_values(evaluation.p_value)
        if np.count_nonzero(q_value <= SIGNIFICANCE) >= self.value:
            return "found"
        discovery, tested = evaluation.discovery, np.count_nonzero(~np.isnan(q_value))
        if discovery.control is None or share == 1:
            return ""
        level = self.value * evaluation.table.design.per_look(SIGNIFICANCE) / tested
        t = discovery.effect / discovery.standard_error  # NaN: perhaps with more fits
        within_reach = np.isnan(t) | (conditional_power(t, share, level) >= _CHANCE)
        return "" if np.count_nonzero(within_reach) >= self.value else "out of reach"

    def _bounded(self, evaluation: Evaluation, share: float) -> Answer:  # noqa: ARG002
        discovery, tail = evaluation.discovery, evaluation.table.design.per_look(SIGNIFICANCE) / 2
        low, high = discovery.limits(tail)
        if (low > self.value).any() or discovery.largest_is_above(tail)[0] > self.value:
            return "above"
        return "within" if (high <= self.value).all() else ""


@dataclass(frozen=True)
class Look(PlainData):
    """The latest look at a run that may stop early.

    Attributes
    ----------
    number, of
        This look, from 1, and how many were planned.
    fits, most_fits
        Fits of the run so far, and of its complete plan.
    level
        False discovery rate that each look spends; p-values, q-values and intervals are those of
        all looks together.
    question
        What the run was to answer; empty if nothing ends it early.
    answer
        "found": so many records are; "out of reach": no longer to be expected; "above": some
        record's effect; "within": every scored record's effect; empty while the question is open.
    """

    number: int
    of: int
    fits: int
    most_fits: int
    level: float
    question: str
    answer: Answer


def look_of(manifest: Manifest, evaluation: Evaluation) -> Look | None:
    """Return the look at a run that its evaluated table is; None if the run has no looks."""
    plan, design = manifest.plan, evaluation.table.design
    if not plan.looks:
        return None
    answer: Answer = ""
    if manifest.stop_when and not evaluation.table.missing:
        question = Question.parse(manifest.stop_when)
        answer = question.answer(evaluation, plan.fits / plan.looks[-1])
    return Look(
        number=plan.looks.index(plan.fits) + 1,
        of=len(plan.looks),
        fits=plan.fits,
        most_fits=plan.looks[-1],
        level=design.per_look(SIGNIFICANCE),
        question=manifest.stop_when,
        answer=answer,
    )


def planned_looks(plan: Plan, looks: int | None, stop_when: str | None) -> tuple[int, ...]:
    """Return the sizes of a plan at its looks; none if neither looks nor a question are given.

    Raises
    ------
    InvalidInput
        If the question is not one, the plan cannot grow, or there are more looks than steps.

    Examples
    --------
    >>> from byrote import KFold, Probes
    >>> planned_looks(Probes(100, fits=20), None, "discover=5")
    (6, 12, 20)
    >>> planned_looks(KFold(3, repeats=6), 2, None)
    (3, 6)
    """
    if stop_when:
        Question.parse(stop_when)
    if looks is None and not stop_when:
        return ()
    return plan.sizes(LOOKS if looks is None else looks)
