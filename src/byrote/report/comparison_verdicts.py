"""Conclusions of a comparison that its intervals support, in sentences."""

import numpy as np

from byrote.errors import printable
from byrote.report.format import insertions, log_likelihood, signed, with_interval
from byrote.scores.compare.comparison import (
    Comparison,
    ExposureChange,
    ScoreChange,
)
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.stats.estimate import Estimate


def verdicts(comparison: Comparison) -> list[str]:
    """Return the conclusions on each run that its intervals support."""
    base = printable(comparison.baseline.name)
    value = log_likelihood(comparison.baseline.description)
    sentences = [*_notes(comparison), *_evidence(comparison)]
    for change in comparison.changes:
        name = printable(change.name)
        lines = _scores(change) if isinstance(change, ScoreChange) else _exposures(change)
        lines = [line.replace("log-likelihood", value) for line in lines]
        sentences += [f"{name}: {line.replace('BASELINE', base)}" for line in lines]
    return sentences


def _scores(change: ScoreChange) -> list[str]:
    return [
        _sentence(
            change.held_out,
            "held-out records are {} than under BASELINE, by {} nats per record",
            ("more likely", "less likely"),
            "held-out log-likelihood is not significantly different from BASELINE's: {} nats per"
            " record",
        ),
        _sentence(
            change.mean["mean_log"],
            "training on a record raises its log-likelihood {} than in BASELINE, by {} nats on"
            " average",
            ("more", "less"),
            "training on a record raises its log-likelihood by an amount not significantly"
            " different from BASELINE's: {} nats on average",
        ),
        *_records(change),
    ]


def _sentence(difference: Estimate, apart: str, words: tuple[str, str], alike: str) -> str:
    """Name a direction only if the interval excludes 0."""
    if np.isnan(difference.low):
        value = signed(difference.value)
        return f"the difference of {value} nats has no interval: {difference.reason}."
    if difference.sign == 0:
        return f"{alike.format(with_interval(difference, sign=True))}."
    low, high = sorted((abs(difference.low), abs(difference.high)))
    size = Estimate(abs(difference.value), low, high)
    return f"{apart.format(words[0 if difference.sign > 0 else 1], with_interval(size))}."


def _records(change: ScoreChange) -> list[str]:
    sentences = []
    if change.reason:
        sentences.append(f"single records cannot be tested for a change: {change.reason}.")
    else:
        sentences.append(
            f"{change.less:,} of {len(change.ids):,} records are memorized less and"
            f" {change.more:,} more, at a {SIGNIFICANCE:.0%} false discovery rate."
        )
    if not (change.crossing < 0).all():
        stop, start = change.count("no longer"), change.count("newly")
        sentences.append(
            f"{stop:,} no longer count as memorized (q ≤ {SIGNIFICANCE:g}), {start:,} newly do."
        )
    return sentences


def _exposures(change: ExposureChange) -> list[str]:
    loss = change.test_loss
    if np.isnan(loss.low):
        sentences = [f"the difference of test loss has no interval: {loss.reason}."]
    elif loss.sign == 0:
        difference = f"{with_interval(loss, sign=True)} nats per token"
        sentences = [f"test loss is not significantly different from BASELINE's: {difference}."]
    else:
        value, low, high = (float(np.exp(end)) for end in (loss.value, loss.low, loss.high))
        ratio = Estimate(value, low, high)
        sentences = [f"test perplexity is {with_interval(ratio)} times BASELINE's."]
    known = {level: mean for level, mean in change.levels.items() if level}
    for words, sign in (("less", -1), ("more", 1)):
        levels = [insertions(level) for level, mean in known.items() if mean.sign == sign]
        if levels:
            sentences.append(f"secrets {', '.join(levels)} are {words} exposed than in BASELINE.")
    alike = [
        f"{insertions(level)} ({with_interval(mean, sign=True)} bits)"
        for level, mean in known.items()
        if mean.sign == 0 and mean.low <= mean.high
    ]
    if alike:
        sentences.append(
            f"the exposure of secrets {', '.join(alike)} is not significantly different."
        )
    for level, mean in known.items():
        if np.isnan(mean.low):
            sentences.append(
                f"secrets {insertions(level)}: the difference has no interval: {mean.reason}."
            )
    return sentences


def _notes(comparison: Comparison) -> list[str]:
    sentences = []
    if len(comparison.changes) > 1:
        sentences.append(
            "Each interval and each false discovery rate compares one run with the baseline; of"
            f" {len(comparison.changes)} runs, one may differ by chance."
        )
    if any(isinstance(c, ScoreChange) and (c.crossing > 1).any() for c in comparison.changes):
        sentences.append(
            f"Crossing q = {SIGNIFICANCE:g} does not prove that a record changed: with other seeds"
            " some cross it too."
        )
    return sentences


def _evidence(comparison: Comparison) -> list[str]:
    sentences: list[str] = []
    reasons: dict[str, list[str]] = {}
    for run in comparison.runs:
        evidence, name = run.evidence, printable(run.name)
        if np.isnan(evidence.epsilon.value):
            reasons.setdefault(evidence.epsilon.reason or "no reason is given", []).append(name)
        elif evidence.contradicted:
            sentences.append(f"{name}: the proven epsilon exceeds the guarantee.")
    if any(run.evidence.epsilon.value == 0 for run in comparison.runs):
        sentences.append(
            "An epsilon of at least 0 is not a loss of zero: that audit could not prove any."
        )
    for reason, names in reasons.items():
        who = "any run" if len(names) == len(comparison.runs) else ", ".join(names)
        sentences.append(f"No epsilon is proven for {who}: {reason}.")
    return sentences
