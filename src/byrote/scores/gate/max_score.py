"""max_score: the effect of training on the record that it raises most."""

import numpy as np
from numpy.typing import NDArray

from byrote.scores.gate.threshold import GatedRun, Measured, ThresholdKind
from byrote.scores.memorization.sensitivity import WIDER, held_out_spread

UNIT = "nats"


def measure(gated: GatedRun, asked: float) -> Measured:
    """Measure the largest effect of any record, by simultaneous confidence limits of all records.

    The interval begins where Simes' test of all records does, at the highest lower limit or above,
    and ends at the highest upper limit. So the threshold passes only if every record's upper limit
    is within it: if the run would have shown a record above it. The record measured has the highest
    lower limit, or where none is finite the highest one of its own.
    """
    if gated.run.has_canaries:
        return Measured.missing(UNIT, "canaries have exposures, no scores")
    discovery = gated.run.evaluation.discovery
    if discovery.control is None:
        return Measured.missing(UNIT, f"the moderated test cannot be had: {discovery.reason}")
    low, high = discovery.limits(gated.tail)
    above, highest = discovery.largest_is_above(gated.tail)
    limited = np.flatnonzero(np.isfinite(high))
    if not (above > 0 or len(limited)):
        return Measured.missing(UNIT, _no_limits(discovery.effect, gated.tail))
    if len(limited):
        most = low[limited].max()
        candidates, above = limited[low[limited] == most], max(above, float(most))
        highest = int(candidates[np.argmax(discovery.effect[candidates])])
    return Measured(
        found=float(discovery.effect[highest]),
        low=above,
        high=float(high[limited].max()) if len(limited) else np.inf,
        unit=UNIT,
        covers="largest effect of training, not score M, on one of"
        f" {gated.scored_records}; {_held(limited)}",
        doubts=tuple(_doubts(gated, len(limited))),
        detail={"tested": len(limited), "detectable": _detectable(gated)},
        records=_named(gated, low, asked),
    )


def _held(limited: NDArray[np.intp]) -> str:
    if len(limited):
        return "the limits of all records hold together"
    return "by all records together: which of them has it is not sure"


def _no_limits(effect: NDArray[np.float64], tail: float) -> str:
    largest = np.nanmax(effect)
    return (
        "too few fits for limits that hold for all records at once, with an error of"
        f" {tail:.3g} a side; the largest effect seen, {largest:.3g} {UNIT}, is partly chance"
    )


def _doubts(gated: GatedRun, limited: int) -> list[str]:
    doubts = []
    ratio = held_out_spread(gated.table)
    if ratio is not None and ratio > WIDER:
        doubts.append(
            f"values vary {ratio:.2g} times as much where records are held out, and limits take"
            " them to vary alike (--plan probes, which holds out half, hardly has this)"
        )
    scored, population = gated.sample
    if limited < scored:
        doubts.append(f"{scored - limited:,} of {scored:,} records have no limits")
    if scored < population:
        doubts.append(f"{population - scored:,} of {population:,} records were not scored")
    return doubts


def _named(gated: GatedRun, low: NDArray[np.float64], asked: float) -> tuple[str, ...]:
    above = np.flatnonzero(low > asked)
    above = above[np.argsort(-low[above], kind="stable")]
    return gated.ids(above)


def _detectable(gated: GatedRun) -> float:
    """Smallest effect that the limits show, with 80 % power, to be above 0."""
    return gated.run.evaluation.discovery.detectable(gated.tail / len(gated.table.rows))


MAX_SCORE = ThresholdKind("max_score", 0.0, np.inf, "nats, a number of at least 0", measure)
