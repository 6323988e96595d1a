"""Sentences on exposures: sizes of model and corpus, skew-normal fits, cautions."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.report.format import (
    byte_size,
    insertions,
    number,
    p_value,
    plural,
    with_interval,
)
from byrote.scores.exposure.curve import SkewNormalFit
from byrote.scores.exposure.exposure import Exposure
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.levels import (
    NULL_MEAN,
    Controls,
    Level,
    by_insertions,
    check_controls,
)
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.stats.estimate import Estimate
from byrote.stats.multiple_testing import q_values

FACTS = ("model", "corpus", "epochs", "test_loss")
_COUNTED = ("parameters", "characters")
_COUNTABLE = 40.0  # bits up to which a number of completions is written out
_FEW = 3  # fits that are described one by one


def headline(result: ExposureResult) -> list[str]:
    """Return the most exposed secret, and what training did to those inserted most often."""
    inserted = np.where(result.inserted > 0, result.exposure.bits, np.nan)
    if np.isnan(inserted).all():
        return ["No inserted secret has an exposure."]
    row = int(np.nanargmax(inserted))
    most = with_interval(estimate_of(result, row))
    sentences = [
        _standing_out(result),
        f"The most exposed of {plural(int((result.inserted > 0).sum()), 'inserted secret')} has"
        f" {most} of at most {number(result.exposure.maximum[row])} bits; a secret that training"
        f" has never seen has {NULL_MEAN:.2f} on average.",
    ]
    level = by_insertions(result.exposure, result.inserted)[-1]
    mean = with_interval(level_mean(level))
    sentences.append(
        f"Secrets {insertions(level.insertions)} have a mean exposure of {mean} bits; chance alone"
        f" gives so high exposures with p {p_value(level.p_value)}."
    )
    controls = check_controls(result.exposure, result.inserted)
    if controls.controls and not controls.calibrated:
        sentences.append("The controls fail their check: these exposures cannot be relied on.")
    return sentences


def conclusion(result: ExposureResult) -> list[str]:
    """Return the headline; where no secret stands out, with what could have been found."""
    tested = _tested(result)
    none_found = tested.any() and not _exposed(result, tested)
    return [*headline(result), *(reach(result) if none_found else [])]


def reach(result: ExposureResult) -> list[str]:
    """Return the exposure from which a single secret stands out of chance, in a sentence."""
    tested = _tested(result)
    count = int(tested.sum())
    if not count:
        return []
    needed = float(np.log2(count / SIGNIFICANCE))
    first = result.exposure.p_value[tested] / result.exposure.rank[tested]  # p-value of rank 1
    alone = "the secret" if count == 1 else f"a single one of {count:,} inserted secrets"
    if (first > SIGNIFICANCE / count).all():  # NaN, an unknown rank, is not
        return [
            f"No single secret could have stood out: {alone} would need an exposure of"
            f" {number(needed)} bits, more than this measure can show. Use more references"
            " (--references) or a search."
        ]
    return [
        f"{alone.capitalize()} stands out of chance from an exposure of {number(needed)} bits on;"
        " less exposed secrets, other secrets and the text's own content are not cleared."
    ]


def _tested(result: ExposureResult) -> NDArray[np.bool_]:
    """(n,) whether each secret was inserted and has a p-value."""
    return (result.inserted > 0) & ~np.isnan(result.exposure.p_value)


def _exposed(result: ExposureResult, tested: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(q_values(result.exposure.p_value[tested]) <= SIGNIFICANCE))


def _standing_out(result: ExposureResult) -> str:
    """Return how many inserted secrets are exposed beyond chance, and how many are first."""
    known = _tested(result)
    out = _exposed(result, known)
    first = int(np.count_nonzero(known & (result.exposure.rank == 1)))
    ranked = f"; {first:,} of them the model finds the likeliest of their format" if first else ""
    return (
        f"{out:,} of {plural(int((result.inserted > 0).sum()), 'inserted secret')} are more exposed"
        f" than chance explains, at a {SIGNIFICANCE:.0%} false discovery rate{ranked}."
    )


def estimate_of(result: ExposureResult, row: int) -> Estimate:
    """Return the exposure of one row with its interval, bits."""
    exposure = result.exposure
    low, high = exposure.interval[row].tolist()
    bound: Literal["at least", ""] = "at least" if exposure.saturated[row] else ""
    return Estimate(float(exposure.bits[row]), low, high, exposure.level, bound)


def ceiling(bits: float) -> str:
    """Return the largest possible exposure, with the number of completions that sets it.

    Examples
    --------
    >>> ceiling(29.897352853986263)
    '29.9 bits: the first of 1,000,000,000 completions'
    """
    completions = f"{2**bits:,.0f}" if bits < _COUNTABLE else f"2^{bits:.0f}"
    return f"{number(bits)} bits: the first of {completions} completions"


def level_mean(level: Level) -> Estimate:
    """Return the mean exposure of a level with its interval, bits; a bound if one of them is."""
    bound: Literal["at least", ""] = "at least" if level.saturated else ""
    return Estimate(level.mean, level.low, level.high, bound=bound)


def check_facts(facts: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the facts that are known, in their order.

    Raises
    ------
    InvalidInput
        If one has an unknown name.
    """
    facts = facts or {}
    for name in facts:
        checks.choice("a fact", name, FACTS)
    return {name: facts[name] for name in FACTS if facts.get(name) is not None}


def facts(facts: Mapping[str, Any] | None) -> list[str]:
    """Describe sizes of model and corpus, and the training, in one line.

    Examples
    --------
    >>> facts({"model": {"bytes": 2_400_000, "compressed": 2_200_000}, "corpus": {"bytes": 512},
    ...        "epochs": 10})
    ['Model 2.40 MB (2.20 MB compressed), corpus 512 bytes; 10 epochs.']
    """
    known = check_facts(facts)
    sizes = [f"{name} {_size(known[name])}" for name in ("model", "corpus") if name in known]
    parts = [", ".join(sizes)] if sizes else []
    if "epochs" in known:
        parts.append(plural(known["epochs"], "epoch"))
    if "test_loss" in known and not np.isnan(known["test_loss"]):
        parts.append(f"test loss {number(known['test_loss'])} nats per token")
    line = "; ".join(parts)
    return [f"{line[0].upper()}{line[1:]}."] if line else []


def _size(sizes: Mapping[str, int]) -> str:
    counts = [f"{count:,} {name}" for name, count in sizes.items() if name in _COUNTED]
    small = f" ({byte_size(sizes['compressed'])} compressed)" if "compressed" in sizes else ""
    return f"{byte_size(sizes['bytes'])}{small}{''.join(f' of {count}' for count in counts)}"


def fits(exposure: Exposure) -> list[str]:
    """Describe the quality of the skew-normal fits."""
    curves = exposure.fits
    if len(curves) <= _FEW:
        return [_fit(fit) for fit in curves]
    accepted = sum(fit.accepted for fit in curves)
    worst = max(curves, key=lambda fit: (not fit.accepted, fit.ks))
    return [f"{accepted:,} of {len(curves):,} skew-normal fits accepted. The worst: {_fit(worst)}"]


def _fit(fit: SkewNormalFit) -> str:
    tails = [
        f"{error:+.2f} bits at 1 in {round(1 / float(tail)):,}"
        for tail, error in fit.quantile_errors.items()
    ]
    errors = f"; lower tail off by {', '.join(tails)}" if tails else ""
    verdict = "accepted" if fit.accepted else f"rejected: {fit.reason}"
    return (
        f"Skew-normal fit of {fit.n:,} references: Kolmogorov-Smirnov distance {number(fit.ks)}"
        f" (p {number(fit.ks_p_value)}){errors}; {verdict}."
    )


def cautions(exposure: Exposure, levels: tuple[Level, ...], controls: Controls) -> list[str]:
    """Warn of bounds, missing numbers, extrapolations and failed controls."""
    return [
        *_saturated(exposure),
        *_reasons(exposure),
        *_beyond(exposure),
        *_calibration(levels, controls),
    ]


def _saturated(exposure: Exposure) -> list[str]:
    ended = exposure.saturated & (exposure.method == "search")
    beyond, sentences = int((exposure.saturated & ~ended).sum()), []
    if beyond:
        sentences.append(
            f"{_canaries(beyond, len(exposure))} more likely than every reference: the number shown"
            " (≥) is the largest that the references can show, a lower bound. Use more references,"
            " or a search."
        )
    if ended.any():
        sentences.append(
            f"{_canaries(int(ended.sum()), len(exposure))} less likely than all that the search"
            " reached: the exposure is at least the number shown (≥). Use a larger budget."
        )
    return sentences


def _reasons(exposure: Exposure) -> list[str]:
    undefined, sentences = np.isnan(exposure.bits), []
    elsewhere = exposure.saturated | _above(exposure)  # counted in sentences of their own
    for without, label in ((True, "without an exposure"), (False, "with a caution")):
        reasons = exposure.reason[(undefined == without) & ~elsewhere].tolist()
        for reason, count in Counter(reasons).items():
            if reason or without:
                cause = str(reason).rstrip(".") or "no reason is given"
                sentences.append(f"{_canaries(count, len(exposure))} {label}: {cause}.")
    return sentences


def _beyond(exposure: Exposure) -> list[str]:
    count = int(_above(exposure).sum())
    if not count:
        return []
    return [
        f"{_canaries(count, len(exposure))} above the maximum, log2 of the number of candidates: a"
        " fitted curve does not know that the space is finite."
    ]


def _above(exposure: Exposure) -> NDArray[np.bool_]:
    return exposure.bits > exposure.maximum + 1e-9


def control(checked: Controls) -> str:
    """State what secrets never inserted show of the measure, and that this is all they show.

    Examples
    --------
    >>> control(Controls(20, 1.5, 0.8, 0.1, 0.9)).split(": ")[-1]
    'as it should be for secrets that a model never saw. Of inserted secrets this says nothing.'
    """
    head = (
        f"Negative control: {plural(checked.controls, 'secret')} never inserted, mean exposure"
        f" {number(checked.mean)} bits"
    )
    if np.isnan(checked.mean_p_value):
        return f"{head}; some are only lower bounds, so the measure itself is not checked."
    text = (
        f"{head} ({NULL_MEAN:.2f} expected, p {p_value(checked.mean_p_value)}), p-values"
        f" {number(checked.ks)} from uniform (Kolmogorov-Smirnov, p {p_value(checked.ks_p_value)})"
    )
    if checked.calibrated:
        return (
            f"{text}: as it should be for secrets that a model never saw. Of inserted secrets this"
            " says nothing."
        )
    return (
        f"{text}: the measure is WRONG for secrets that a model never saw, and not to be relied on."
    )


def _calibration(levels: tuple[Level, ...], controls: Controls) -> list[str]:
    if levels and levels[0].insertions > 0:
        return ["No controls: the exposure of secrets that were never inserted is not checked."]
    if controls.controls and not controls.calibrated:
        return [
            "The controls fail their check: canaries and references are sampled or scored"
            " differently. Do not rely on these exposures before the cause is found."
        ]
    return []


def _canaries(count: int, of: int) -> str:
    return f"{count:,} of {of:,} {'is' if count == 1 else 'are'}"
