"""What each method says of the exposure of the canaries of one format, and the best of it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.ranks import Ranks
from byrote.scores.exposure.curve import SkewNormalFit
from byrote.scores.exposure.result import Exposure

Array = NDArray[np.float64]

UNFINISHED = "at least: the search ended before it came to the canary"
UNSUPPORTED = "too few samples of the model are as likely as the canary"


@dataclass(frozen=True)
class Answers:
    """One method's answers for n canaries: columns of an ``Exposure``, (n,) each."""

    bits: Array
    low: Array
    high: Array
    method: NDArray[np.object_]
    p_value: Array
    saturated: NDArray[np.bool_]
    rank: Array
    reason: NDArray[np.object_]

    def within(self, ranks: Ranks) -> "Answers":
        """The same, with intervals and estimates held to what is certain of the ranks."""
        low, high = (log2(ranks.size) - np.log2(rank) for rank in (ranks.most, ranks.least))
        bits = np.clip(self.bits, low, high)
        return Answers(
            **{name: getattr(self, name) for name in ("method", "p_value", "saturated", "rank")},
            reason=self.reason,
            bits=bits,
            low=np.minimum(np.clip(self.low, low, high), bits),
            high=np.maximum(np.clip(self.high, low, high), bits),
        )

    def exposure(
        self,
        ids: NDArray[Any],
        log_perplexity: Array,
        maximum: Array,
        *,
        level: float,
        fits: tuple[SkewNormalFit, ...] = (),
    ) -> Exposure:
        """The result that these answers are."""
        columns = {field.name: getattr(self, field.name) for field in fields(Answers)}
        return Exposure(
            ids=ids,
            **{**columns, "method": self.method.astype(str), "reason": self.reason.astype(str)},
            log_perplexity=log_perplexity,
            maximum=maximum,
            level=level,
            fits=fits,
        )


def answers_of(found: Exposure) -> Answers:
    """The columns of an exposure."""
    columns = {field.name: getattr(found, field.name) for field in fields(Answers)}
    columns["method"], columns["reason"] = (
        columns[name].astype(object) for name in ("method", "reason")
    )
    return Answers(**columns)


def by_rank(ranks: Ranks) -> Answers:
    """Exposures of ranks; "at least" where only bounds are known."""
    known, whole = ~np.isnan(ranks.rank), log2(ranks.size)
    rank = np.where(known, ranks.rank, ranks.high)
    method = np.where(known, ranks.method, "search").astype(object)
    method[method == "enumeration"] = "exact"
    return Answers(
        bits=whole - np.log2(rank),
        low=whole - np.log2(ranks.high),
        high=whole - np.log2(ranks.low),
        method=method,
        p_value=rank / ranks.size,
        saturated=~known,
        rank=ranks.rank,
        reason=np.where(known, "", UNFINISHED).astype(object),
    )


def unsupported(answers: Answers) -> Answers:
    """Answers without those for which samples of the model say nothing."""
    bare = answers.saturated
    empty = {
        name: np.where(bare, np.nan, getattr(answers, name))
        for name in ("bits", "low", "high", "p_value")
    }
    return Answers(
        **empty,
        method=np.where(bare, "model_sampled", answers.method),
        saturated=np.zeros_like(bare),
        rank=answers.rank,
        reason=np.where(bare, UNSUPPORTED, answers.reason),
    )


def best_of(ranked: Answers, sampled: Answers, curve: Answers | None) -> Answers:
    """Ranks where they are certain; else the narrowest interval that rests on no curve.

    A curve's interval takes the curve for the truth, and would always be the narrowest: it answers
    where samples of either kind say only "at least".
    """
    everyone = np.arange(len(ranked.bits))
    others = [ranked, sampled]
    width = np.array([_width(answers) for answers in others])
    chosen = np.where(width[1] < width[0], 1, 0)
    chosen[np.isin(ranked.method, ("search", "exact")) & ~ranked.saturated] = 0
    if curve is not None:
        others.append(curve)
        weak = np.stack([ranked.saturated, sampled.saturated])[chosen, everyone]
        chosen[weak & ~np.isnan(curve.bits)] = 2
    return _pick(others, chosen)


def _width(answers: Answers) -> Array:
    """Of the intervals; "at least" is worse than any estimate."""
    width = np.where(np.isnan(answers.bits), np.inf, answers.high - answers.low)
    return width + 1e6 * answers.saturated


def _pick(answers: Sequence[Answers], chosen: NDArray[np.intp]) -> Answers:
    """For each canary the columns of one of the answers."""
    everyone = np.arange(len(chosen))
    return Answers(
        **{
            field.name: np.stack([getattr(each, field.name) for each in answers])[chosen, everyone]
            for field in fields(Answers)
        }
    )


def joined(parts: Sequence[Answers], places: Sequence[NDArray[np.intp]]) -> Answers:
    """Answers of several formats, each canary in its own place."""
    order = np.argsort(np.concatenate(places))
    return Answers(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])[order]
            for field in fields(Answers)
        }
    )


Found = tuple[Answers, Array, tuple[SkewNormalFit, ...]]
