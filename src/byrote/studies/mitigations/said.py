"""What a study of mitigations says in words: as far as its intervals reach."""

from collections.abc import Sequence

import numpy as np

from byrote.scores.memorization.summary import Summary
from byrote.studies.mitigations.against import Against, told
from byrote.studies.mitigations.carried import Carried
from byrote.studies.mitigations.measures import LEVEL


def remarks(
    carried: Sequence[Carried], pairs: Sequence[Against], members: Sequence[Against]
) -> list[str]:
    """What must be known to read the numbers, and what the intervals support."""
    said = [_significant(carried), _at_all(carried), _of_quantiles(carried)]
    if pairs:
        said += [_intervals(pairs), *_controls(pairs), *_verdicts(pairs), _free(pairs)]
        said.append(_on_frontier(members))
    return [*said, *_spoken(carried)]


def _significant(carried: Sequence[Carried]) -> str:
    found = {one.title: one.result.summary().significant for one in carried}
    some = [f"{title} ({count})" for title, count in found.items() if count]
    least = _least(carried[0].result.summary())
    if not some:
        return (
            "In no audit can a single record be called memorized at a false discovery rate of 5 %"
            f"{least}. Means over all probes can be told apart all the same."
        )
    return f"Audits with records memorized at a false discovery rate of 5 %: {'; '.join(some)}."


def _least(summary: Summary) -> str:
    if summary.needed is None:
        return ""
    if summary.needed > summary.scored:
        return ": with so few fits no p-value can be small enough"
    return f"; {summary.needed:,} must reach the smallest p-value for any to count"


def _at_all(carried: Sequence[Carried]) -> str:
    """Whose memorization is told from none: what is not there cannot be seen to fall."""
    above = [one.title for one in carried if told(one.audit.memorization.interval()) > 0]
    others = [one.title for one in carried if one.title not in above]
    if not others:
        return "In every audit memorization, on average over the probes, is told from 0."
    return (
        "On average over the probes, memorization is told from 0 (each interval for itself) in:"
        f" {'; '.join(above) or 'none'}. Not in: {'; '.join(others)}. Where there is none to see,"
        " none can be seen to fall."
    )


def _of_quantiles(carried: Sequence[Carried]) -> str:
    same = all(
        np.allclose(one.scores["score"], one.scores["matched"], equal_nan=True) for one in carried
    )
    which = "M and matched are the same here, with as many values in as out" if same else "M"
    return (
        f"Quantiles ({which}) are of scores with their noise, and have no valid interval. By"
        " chance, in brackets: the same with each record's values dealt out anew, in training or"
        " held out. What is beyond that is memorization; what is not, is noise."
    )


def _intervals(pairs: Sequence[Against]) -> str:
    return (
        f"Differences: intervals hold for all {len(pairs)} together (each has level"
        f" {1 - (1 - LEVEL) / len(pairs):.1%}). They speak of other seeds and halves of the probes,"
        " for these probes. Fits are compared one by one where they train on the same records with"
        f" the same seeds ({sum(pair.paired for pair in pairs)} of {len(pairs)})."
    ).replace("%)", " %)")


def _controls(pairs: Sequence[Against]) -> list[str]:
    """Of the same training again, which should not be told apart."""
    said = []
    for pair in pairs:
        one, base = pair.one.configuration, pair.base.configuration
        if one.pruned is None and (one.model, one.epochs) == (base.model, base.epochs):
            apart = [
                name
                for name, found in (
                    ("memorization", pair.memorization),
                    ("held-out log p", pair.held_out),
                )
                if told(found)
            ]
            verdict = f"TOLD APART in {' and '.join(apart)}" if apart else "not told apart"
            said.append(f"{pair.one.title}: the same training again, and {verdict}.")
    return said


def _verdicts(pairs: Sequence[Against]) -> list[str]:
    def titles(name: str, side: int) -> str:
        return "; ".join(p.one.title for p in pairs if told(getattr(p, name)) == side) or "none"

    return [
        f"Memorizes less than what it is compared with: {titles('memorization', -1)}. More:"
        f" {titles('memorization', 1)}. Not told apart: {titles('memorization', 0)}.",
        f"Predicts held-out records worse: {titles('held_out', -1)}. Better:"
        f" {titles('held_out', 1)}. Not told apart: {titles('held_out', 0)}.",
    ]


def _free(pairs: Sequence[Against]) -> str:
    free = [
        pair.one.title for pair in pairs if told(pair.memorization) < 0 and told(pair.held_out) >= 0
    ]
    if not any(told(pair.memorization) < 0 for pair in pairs):
        return "Nothing is told to memorize less, as far as these intervals reach."
    if not free:
        return "What memorizes less predicts worse, as far as these intervals reach."
    return f"Memorizes less and is not told to predict worse: {'; '.join(free)}."


def _on_frontier(members: Sequence[Against]) -> str:
    others = "; ".join(pair.one.title for pair in members) or "none of those compared"
    return (
        f"On the Pareto frontier of the differences: {others}. Membership goes by the means; the"
        " intervals say how far they can be told apart."
    )


def _spoken(carried: Sequence[Carried]) -> list[str]:
    """What models say of their training."""
    said = []
    for one in carried:
        stopped = sorted({int(each["epoch"]) for each in one.said("stopped")})
        if stopped:
            best = " to ".join(map(str, dict.fromkeys([stopped[0], stopped[-1]])))
            said.append(
                f"{one.title}: the best epoch of a fit was {best} of {one.configuration.epochs}."
            )
        shares = [float(each["share"]) for each in one.said("outlier")]
        if shares:
            share = f"{np.mean(shares):.2%}".replace("%", " %")
            said.append(f"{one.title}: it takes {share} of the training records.")
        labels = sorted({each.get("label", "") for each in one.said("privacy")} - {""})
        said += [f"{one.title}: {label}." for label in labels[-1:]]  # fits differ by a little
    return said
