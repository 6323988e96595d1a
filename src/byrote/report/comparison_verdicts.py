"""What the intervals of a comparison support, in sentences."""

import numpy as np

from byrote.errors import printable
from byrote.report.format import insertions, signed, with_interval
from byrote.scores.compare.comparison import (
    Comparison,
    ExposureChange,
    ScoreChange,
)
from byrote.scores.memorization.summary import SIGNIFICANCE
from byrote.stats.estimate import Estimate


def verdicts(comparison: Comparison) -> list[str]:
    """Return what the intervals of each run support compared with the baseline."""
    base = printable(comparison.baseline.name)
    sentences = [*_notes(comparison), *_evidence(comparison)]
    for change in comparison.changes:
        name = printable(change.name)
        lines = _scores(change) if isinstance(change, ScoreChange) else _exposures(change)
        sentences += [f"{name}: {line.replace('BASELINE', base)}" for line in lines]
    return sentences


def _scores(change: ScoreChange) -> list[str]:
    return [
        _sentence(
            change.held_out,
            "records held out are {} by {} nats a record than by BASELINE",
            ("likelier", "less likely"),
            "records held out are as likely as by BASELINE, as far as can be told: {}",
        ),
        _sentence(
            change.mean["mean_log"],
            "training on a record raises its log-likelihood {} than in BASELINE, by {} nats on"
            " average",
            ("more", "less"),
            "training on a record raises its log-likelihood as much as in BASELINE, as far as can"
            " be told: {} nats on average",
        ),
        *_records(change),
    ]


def _sentence(difference: Estimate, apart: str, words: tuple[str, str], alike: str) -> str:
    """Fill in "more" or "less", but only if the interval excludes 0."""
    if np.isnan(difference.low):
        return f"no interval for {signed(difference.value)} nats: {difference.reason}."
    if difference.sign == 0:
        return f"{alike.format(with_interval(difference, sign=True))}."
    low, high = sorted((abs(difference.low), abs(difference.high)))
    size = Estimate(abs(difference.value), low, high)
    return f"{apart.format(words[0 if difference.sign > 0 else 1], with_interval(size))}."


def _records(change: ScoreChange) -> list[str]:
    sentences = []
    if change.reason:
        sentences.append(f"no record by itself can be told to change: {change.reason}.")
    else:
        sentences.append(
            f"{change.less:,} of {len(change.ids):,} records are memorized less and"
            f" {change.more:,} more, at a {SIGNIFICANCE:.0%} false discovery rate."
        )
    if not (change.crossing < 0).all():
        stop, start = change.count("no longer"), change.count("newly")
        sentences.append(
            f"{stop:,} count as memorized (q ≤ {SIGNIFICANCE:g}) no longer and {start:,} newly."
        )
    return sentences


def _exposures(change: ExposureChange) -> list[str]:
    loss = change.test_loss
    if np.isnan(loss.low):
        sentences = [f"test loss: no interval: {loss.reason}."]
    elif loss.sign == 0:
        sentences = ["test loss cannot be told from BASELINE's."]
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
        insertions(level)
        for level, mean in known.items()
        if mean.sign == 0 and mean.low <= mean.high
    ]
    if alike:
        sentences.append(f"secrets {', '.join(alike)} are as exposed, as far as can be told.")
    for level, mean in known.items():
        if np.isnan(mean.low):
            sentences.append(f"secrets {insertions(level)}: no interval: {mean.reason}.")
    return sentences


def _notes(comparison: Comparison) -> list[str]:
    """Return what holds for all runs."""
    sentences = []
    if len(comparison.changes) > 1:
        sentences.append(
            "Each interval, and each false discovery rate, is for one run beside the baseline; of"
            f" {len(comparison.changes)} runs one may stand out by chance."
        )
    if any(isinstance(c, ScoreChange) and (c.crossing > 1).any() for c in comparison.changes):
        sentences.append(
            f"A record that crosses q = {SIGNIFICANCE:g} has not proven to change by that: with"
            " other seeds some cross too."
        )
    return sentences


def _evidence(comparison: Comparison) -> list[str]:
    """Return what the proven epsilons mean, and where nothing is proven."""
    sentences: list[str] = []
    reasons: dict[str, list[str]] = {}
    for run in comparison.runs:
        evidence, name = run.evidence, printable(run.name)
        if np.isnan(evidence.epsilon.value):
            reasons.setdefault(evidence.epsilon.reason or "no reason is given", []).append(name)
        elif evidence.contradicted:
            sentences.append(f"{name} promises less privacy loss than is proven.")
    if any(run.evidence.epsilon.value == 0 for run in comparison.runs):
        sentences.append("An epsilon of at least 0 says nothing: this audit proved none.")
    for reason, names in reasons.items():
        who = "any run" if len(names) == len(comparison.runs) else ", ".join(names)
        sentences.append(f"No epsilon is proven of {who}: {reason}.")
    return sentences
