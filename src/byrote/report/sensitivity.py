"""Which records a run found, by which test, and what it could have found, in sentences."""

import numpy as np
from rich.text import Text
from scipy.special import ndtri

from byrote.errors import printable
from byrote.report.format import interval, log_likelihood, number, plural
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.scores.memorization.sensitivity import Sensitivity
from byrote.scores.memorization.summary import Summary
from byrote.stats.multiple_testing import false_hypotheses

_TAIL = 0.025  # error of the lower end of a 95 % interval
_SCORE = float(ndtri(1 - _TAIL))  # beyond it, Wilson's 95 % interval of a share excludes the level
SURE = f"{1 - _TAIL:.1%}"
_ELSEWHERE = "in another folder, with another --seed"  # which would else make the same fits
_ANSWERS = {
    "": "{} is open",
    "found": "{} is reached",
    "out of reach": "{} is hardly to be reached, even by all fits",
    "above": "{} is exceeded",
    "within": "{} is exceeded by no scored record",
}


def significance(result: MemorizationResult) -> Text:
    """Return what was found, and what could have been found."""
    text, summary = Text(), result.summary()
    if summary.standard_error_reason:
        text.append(f"No standard errors: {summary.standard_error_reason}.\n")
    text.append("\n".join(headline(result)), style="bold")
    if summary.significant is not None:
        text.append("\n")
        text.append("\n".join([*reach(result), *_method(summary)]))
    return text


def headline(result: MemorizationResult) -> list[str]:
    """Return which records were found, and the one that is not cleared, in a sentence each."""
    summary = result.summary()
    if summary.significant is None:
        reason = summary.p_value_method.removeprefix("none: ")
        return [f"No record was tested, for there are no p-values: {reason}."]
    sentences = [_found(result), *_certain(result), *_looked(result)]
    if (row := summary.sensitivity.unexplained) >= 0:
        sentences.append(
            f"Record {printable(result.ids[row])} is not cleared: training on it raises its"
            f" {log_likelihood(result.description)} by {number(result.mean_log[row])} nats"
            f" {interval(*result.interval[row])}, but this test cannot tell that from chance."
        )
    return sentences


def conclusion(result: MemorizationResult) -> list[str]:
    """Return the headline; where no record was found, with what could have been found."""
    none_found = result.summary().significant == 0
    return [*headline(result), *(reach(result)[:1] if none_found else [])]


def _certain(result: MemorizationResult) -> list[str]:
    """Return how many of the records found truly are memorized, whichever discoveries are false."""
    found = result.summary().significant
    if not found:
        return []
    certain = truly_memorized(result)
    if not certain:
        which = "it" if found == 1 else "any of them"
        return [f"With {SURE} confidence it cannot be said that {which} truly is."]
    which = "it" if found == 1 else f"at least {certain:,} of them"
    return [f"With {SURE} confidence {which} truly {'is' if certain == 1 else 'are'}."]


def _looked(result: MemorizationResult) -> list[str]:
    """Return, of a run that may stop early, which look this is, and why it stopped."""
    look = result.summary().look
    if look is None:
        return []
    complete = look.fits == look.most_fits
    state = "complete" if complete else "stopped" if look.answer else "the same command goes on"
    answer = f"; {_ANSWERS[look.answer].format(look.question)}" if look.question else ""
    return [
        f"Look {look.number} of {look.of}, after {look.fits:,} of at most {look.most_fits:,} fits:"
        f" {state}{answer}. Each look's level is {look.level:.1%}; p-values, q-values and intervals"
        f" count all {look.of} looks."
    ]


def truly_memorized(result: MemorizationResult) -> int:
    """Return a number that those truly memorized reach, with the confidence ``SURE``."""
    return false_hypotheses(result.p_value[~np.isnan(result.p_value)], _TAIL)


def undetected(summary: Summary) -> str:
    """Return briefly what a run that found no record may have missed."""
    sensitivity = summary.sensitivity
    if np.isinf(sensitivity.detectable):
        return "this plan can find no single record"
    if np.isnan(sensitivity.detectable) or sensitivity.far_from_normal:
        return "what may go undetected is unknown"
    return f"effects below {number(sensitivity.detectable)} nats may go undetected"


def _found(result: MemorizationResult) -> str:
    summary = result.summary()
    level = f"at a {SIGNIFICANCE:.0%} false discovery rate"
    if not summary.significant:
        return f"No record is found to be memorized {level}."
    verb, whose = ("is", "its") if summary.significant == 1 else ("are", "their")
    return (
        f"{plural(summary.significant, 'record')} ({summary.share_significant:.1%}) {verb}"
        f" memorized {level}{_rise(result, whose)}."
    )


def _rise(result: MemorizationResult, whose: str) -> str:
    """Return how much training on the records found raises their log-likelihood."""
    rise = result.mean_log[result.q_value <= SIGNIFICANCE]
    rise = rise[~np.isnan(rise)]
    if not len(rise):
        return ""
    low, high = number(rise.min()), number(rise.max())
    span = f"an estimated {low if low == high else f'{low} to {high}'}"
    if rise.min() <= 0:  # found by the weighted difference, which noisy fits move less
        span = f"up to an estimated {high}"
    raised = log_likelihood(result.description)
    return f": training raises {whose} {raised} by {span} nats"


def _method(summary: Summary) -> list[str]:
    """Return the test, and what its control showed."""
    sensitivity = summary.sensitivity
    if sensitivity.control is None:
        reason = f" ({sensitivity.reason})" if sensitivity.reason else ""
        return [f"p-values: {summary.p_value_method}{reason}."]
    below = ", ".join(
        f"{100 * share:.2g}% are below {100 * float(level):g}%"
        for level, share in sensitivity.control_below.items()
    )
    exactly = ""
    if count := sensitivity.tested_exactly:
        exactly = f", exact for {plural(count, 'record')} with too few or infinite values"
    return [
        f"p-values: {summary.p_value_method}{exactly}.",
        f"Negative control ({sensitivity.control}): of {sensitivity.control_values:,} p-values"
        f" by chance alone {below}. {control(sensitivity)}",
    ]


def control(sensitivity: Sensitivity) -> str:
    """Return what the control shows of the test, and that it shows nothing of the records."""
    total, often = sensitivity.control_values, []
    for name, share in sensitivity.control_below.items():
        level = float(name)
        if share - level > _SCORE * np.sqrt(level * (1 - level) / total):
            often.append(f"{100 * level:.3g}%")
    if not often:
        return (
            "That is no more than there should be: the test raises no false alarms beyond its"
            " level. Of the records themselves this says nothing."
        )
    return (
        f"That is more than there should be below {' and '.join(often)}, so each record's p-value"
        " is raised to at least the share of the control's that are as small. That keeps false"
        " discoveries at their rate, and may miss records."
    )


def reach(result: MemorizationResult) -> list[str]:
    """Return what the run could have found."""
    summary, sentences = result.summary(), []
    sensitivity, needed = summary.sensitivity, summary.needed or 0
    if sensitivity.control is None:
        sentences.append(f"The smallest p-value possible is {summary.smallest_p:.2g}")
        if needed > summary.scored:
            sentences[-1] += f": no record can reach significance; {larger_plan(result)}."
        elif needed > 1:
            sentences[-1] += f"; at least {needed:,} records must reach it for any to be found."
        else:
            sentences[-1] += "."
    elif np.isinf(sensitivity.detectable):
        alone = ", only several together" if summary.significant else ""
        sentences.append(f"No single record can be found{alone}: {larger_plan(result)}.")
    elif sensitivity.far_from_normal:
        sentences.append(
            "Retraining noise is far from normal, as the control shows: which effect this run would"
            f" find in a single record cannot be said; {new_run(result)}."
        )
    else:
        sentences.append(
            "With 80% power this run finds a single record whose"
            f" {log_likelihood(result.description)} training raises by"
            f" {number(sensitivity.detectable)} nats, a noisy record from"
            f" {number(sensitivity.detectable_noisy)} nats on, if it is the only one memorized;"
            " where many are, smaller effects can be found too."
        )
    if np.isfinite(sensitivity.upper_limit):
        sentences.append(
            "By a one-sided limit for all records together, with 95% confidence, training raises no"
            f" scored record's {log_likelihood(result.description)} by more than"
            f" {number(sensitivity.upper_limit)} nats."
        )
    return sentences


def upper_alone(result: MemorizationResult) -> str:
    """Return the upper limit that can be had where lower ones cannot; "" if neither can."""
    upper = result.summary().sensitivity.upper_limit
    if not np.isfinite(upper):
        return ""
    return f"; by a one-sided 95% limit for all records, none is above {number(upper)} nats"


def new_run(result: MemorizationResult) -> str:
    """Return what to do where a run could have found something, so that growing is a look."""
    more = larger_plan(result)
    return more if result.description["plan"].get("looks") else f"{more} {_ELSEWHERE}"


def larger_plan(result: MemorizationResult) -> str:
    """Return what gives a run more fits, as an instruction."""
    plan = result.description["plan"]
    kind = plan["spec"]["kind"]
    if plan.get("looks"):
        if plan["fits"] < plan["looks"][-1]:
            return "let the run go on (the same command without --stop-when)"
        return f"start a larger run {_ELSEWHERE} (its looks are all spent)"
    if kind in ("kfold", "leave-one-out"):
        return "use more repeats (--repeats)"
    return f"use more fits{' (--fits)' if kind in ('probes', 'subset') else ''}"
