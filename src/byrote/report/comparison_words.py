"""What a comparison supports, in sentences that go no further than its intervals."""

import numpy as np

from byrote.report.text import number, printable
from byrote.scores.compare.comparison import Comparison, ExposureChange, ScoreChange
from byrote.scores.memorization.summary import SIGNIFICANCE
from byrote.stats.estimate import Estimate


def signed(value: float) -> str:
    """A difference with its sign.

    Examples
    --------
    >>> signed(2.5), signed(-2.5), signed(0.0), signed(float("nan"))
    ('+2.50', '-2.50', '0.00', '–')
    """
    return f"+{number(value)}" if value > 0 else number(value)


def with_interval(found: Estimate, *, sign: bool = False) -> str:
    """A number with its interval, or that it is a bound.

    Examples
    --------
    >>> with_interval(Estimate(1.0, 0.5, 1.5)), with_interval(Estimate(2.0, bound="at least"))
    ('1.00 [0.50, 1.50]', '≥ 2.00')
    """
    text = signed(found.value) if sign else number(found.value)
    if found.bound:
        return f"{'≥' if found.bound == 'at least' else '≤'} {text}"
    return text if np.isnan(found.low) else f"{text} [{number(found.low)}, {number(found.high)}]"


def times(count: int) -> str:
    """How often a canary was inserted, in words."""
    return {0: "never inserted", 1: "inserted once"}.get(count, f"inserted {count:,} times")


def verdicts(found: Comparison) -> list[str]:
    """What each run's intervals support beside the baseline, a sentence each."""
    base = printable(found.baseline.name)
    said: list[str] = []
    for change in found.changes:
        name = printable(change.name)
        lines = _scores(change) if isinstance(change, ScoreChange) else _exposures(change)
        said += [f"{name}: {line}" for line in lines]
    return [
        *_notes(found),
        *_evidence(found),
        *(line.replace("BASELINE", base) for line in said),
    ]


def _scores(change: ScoreChange) -> list[str]:
    return [
        _told(
            change.held_out,
            "records held out are {} by {} nats a record than by BASELINE",
            ("likelier", "less likely"),
            "records held out are as likely as by BASELINE, as far as can be told: {}",
        ),
        _told(
            change.mean["mean_log"],
            "training on a record raises its log-likelihood {} than in BASELINE, by {} nats on"
            " average",
            ("more", "less"),
            "training on a record raises its log-likelihood as much as in BASELINE, as far as can"
            " be told: {} nats on average",
        ),
        *_records(change),
    ]


def _told(found: Estimate, apart: str, words: tuple[str, str], alike: str) -> str:
    """A sentence that says "more" or "less" only of an interval that leaves out 0."""
    if np.isnan(found.low):
        return f"no interval for {signed(found.value)} nats: {found.reason}."
    if found.sign == 0:
        return f"{alike.format(with_interval(found, sign=True))}."
    near, far = sorted((abs(found.low), abs(found.high)))
    size = Estimate(abs(found.value), near, far)
    return f"{apart.format(words[0 if found.sign > 0 else 1], with_interval(size))}."


def _records(change: ScoreChange) -> list[str]:
    said = []
    if change.reason:
        said.append(f"no record by itself can be told to change: {change.reason}.")
    else:
        said.append(
            f"{change.less:,} of {len(change.ids):,} records are memorized less and"
            f" {change.more:,} more, at a {SIGNIFICANCE:.0%} false discovery rate."
        )
    if not (change.crossing < 0).all():
        stop, start = change.count("no longer"), change.count("newly")
        said.append(
            f"{stop:,} count as memorized (q ≤ {SIGNIFICANCE:g}) no longer and {start:,} newly."
        )
    return said


def _exposures(change: ExposureChange) -> list[str]:
    loss = change.test_loss
    if np.isnan(loss.low):
        said = [f"test loss: no interval: {loss.reason}."]
    elif loss.sign == 0:
        said = ["test loss cannot be told from BASELINE's."]
    else:
        value, low, high = (float(np.exp(end)) for end in (loss.value, loss.low, loss.high))
        ratio = Estimate(value, low, high)
        said = [f"test perplexity is {with_interval(ratio)} times BASELINE's."]
    known = {level: one for level, one in change.levels.items() if level}
    for words, sign in (("less", -1), ("more", 1)):
        levels = [times(level) for level, one in known.items() if one.sign == sign]
        if levels:
            said.append(f"secrets {', '.join(levels)} are {words} exposed than in BASELINE.")
    alike = [times(level) for level, one in known.items() if one.sign == 0 and one.low <= one.high]
    if alike:
        said.append(f"secrets {', '.join(alike)} are as exposed, as far as can be told.")
    for level, one in known.items():
        if np.isnan(one.low):
            said.append(f"secrets {times(level)}: no interval: {one.reason}.")
    return said


def _notes(found: Comparison) -> list[str]:
    """What holds for all lines."""
    said = []
    if len(found.changes) > 1:
        said.append(
            "Each interval, and each false discovery rate, is for one run beside the baseline; of"
            f" {len(found.changes)} runs one may stand out by chance."
        )
    if any(isinstance(c, ScoreChange) and (c.crossing > 1).any() for c in found.changes):
        said.append(
            f"A record that crosses q = {SIGNIFICANCE:g} has not proven to change by that: with"
            " other seeds some cross too."
        )
    return said


def _evidence(found: Comparison) -> list[str]:
    """What the epsilons proven say, and where nothing is proven."""
    said: list[str] = []
    reasons: dict[str, list[str]] = {}
    for run in found.runs:
        one, name = run.evidence, printable(run.name)
        if np.isnan(one.epsilon.value):
            reasons.setdefault(one.epsilon.reason or "no reason is given", []).append(name)
        elif one.contradicted:
            said.append(f"{name} promises less privacy loss than is proven.")
    if any(run.evidence.epsilon.value == 0 for run in found.runs):
        said.append("An epsilon of at least 0 says nothing: this audit proved none.")
    for reason, names in reasons.items():
        who = "any run" if len(names) == len(found.runs) else ", ".join(names)
        said.append(f"No epsilon is proven of {who}: {reason}.")
    return said
