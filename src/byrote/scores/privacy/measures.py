"""Memorization, exposure, membership and epsilon of groups of records or canaries."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.models.privacy.dp import ADD_REMOVE
from byrote.plans import IN, OUT
from byrote.runs.table import Table
from byrote.scores.exposure.exposure import Exposure
from byrote.scores.exposure.levels import NULL_MEAN, by_insertions, mean_exposure
from byrote.scores.memorization.evaluation import Evaluation
from byrote.scores.privacy.canary_bounds import CanaryTable, attack_canaries
from byrote.scores.privacy.evidence import Bound, GroupMeasure
from byrote.scores.privacy.guarantee import allowed, exposure_bound
from byrote.scores.privacy.membership import MembershipInference
from byrote.scores.privacy.record_bounds import centred
from byrote.stats.estimate import Estimate, from_clusters, from_error, mean
from byrote.stats.exposure import null_mean
from byrote.stats.standard_errors import Moments, error_of_sums

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

ONE_SIDED = "no fit counts both records that it trained on and records that it did not"
NO_MEAN = "some log-likelihoods are those of a density of zero"
NO_RECORD = "no record was both in and out"
ZERO = "some candidates have a probability of zero"


def record_measures(
    table: Table, evaluation: Evaluation, attacks: tuple[MembershipInference, ...], bound: Bound
) -> tuple[GroupMeasure, ...]:
    """Measure all scored records together, in four ways."""
    noun = "record" if len(table.rows) == table.design.n else "probe"
    group = f"{len(table.rows):,} {noun}{'' if len(table.rows) == 1 else 's'}"
    attack = next((attack for attack in attacks if not attack.reason), attacks[0])
    return (
        _memorization(group, table, evaluation),
        exposure_measure(group, table),
        GroupMeasure(group, "membership", attack.estimate, 0.5, {"attack": attack.attack}),
        GroupMeasure(group, "epsilon", bound.estimate, 0.0, {"method": bound.method}),
    )


def _memorization(group: str, table: Table, evaluation: Evaluation) -> GroupMeasure:
    """Average mean_log over records, with its jackknife error over retrainings."""
    values = evaluation.estimate["mean_log"]
    known = values[~np.isnan(values)]
    if not (len(known) and np.isfinite(known).all()):
        in_and_out = (evaluation.n_in > 0) & (evaluation.n_out > 0)
        estimate = Estimate(np.nan, reason=NO_MEAN if in_and_out.any() else NO_RECORD)
    else:
        error = evaluation.mean_error("mean_log")
        degrees = len(evaluation.change_sums["mean_log"]) - 1
        estimate = from_error(float(known.mean()), error, degrees, units=table.design.units)
    return GroupMeasure(group, "memorization", estimate, 0.0, {"estimator": "mean_log"})


def exposure_measure(group: str, table: Table) -> GroupMeasure:
    """Average the exposure of records that a fit trained on, ranked among those it did not.

    Scores are log-likelihoods less the record's mean over all fits, whichever trained on it:
    without memorization they do not depend on membership, and every rank is equally likely.
    """
    fits = _with_both_sides(table)
    if not len(fits):
        return GroupMeasure(group, "exposure", Estimate(np.nan, reason=ONE_SIDED), np.nan)
    roles = table.roles()[fits]
    inside, references = ((roles == side).sum(axis=1) for side in (IN, OUT))
    nulls = [null_mean(int(n), from_references=True) for n in references]
    null = float(np.average(nulls, weights=inside))
    mean_references = float(np.average(references, weights=inside))
    detail = {"references": mean_references, "maximum": float(np.log2(references.max()))}
    return GroupMeasure(group, "exposure", _mean_exposure(table, roles == IN, fits), null, detail)


def _mean_exposure(table: Table, inside: Flags, fits: Indices) -> Estimate:
    """Average exposures, with an error over records and over units of fits.

    inside: (F, r) whether each of ``fits``, (F,), trained on each record. Fits with the same seeds
    are not two samples.
    """
    unit = table.design.leader[fits]
    moments, by_record, by_unit = Moments(), np.zeros(inside.shape[1]), np.zeros(unit.max() + 1)
    for (record, bits), place in zip(exposures(table), unit.tolist(), strict=True):
        moments.add(bits)
        by_record[record] += bits
        by_unit[place] += bits.sum()
    counts = (
        inside.sum(axis=0),
        np.bincount(unit, inside.sum(axis=1), minlength=len(by_unit)).astype(np.intp),
    )
    value, size = moments.total / moments.size, moments.size
    influences = (by_record - value * counts[0]) / size, (by_unit - value * counts[1]) / size
    error, clusters = error_of_sums(influences, moments.about(value) / size**2, [counts])
    return from_clusters(value, error, clusters, units="records or fits")


def exposures(table: Table) -> Iterator[tuple[Indices, Array]]:
    """Compute sampled exposures, in bits, of each fit that counts both sides.

    Yields the records that the fit trained on, and their exposures.
    """
    fits, roles = np.flatnonzero(table.counting()), table.roles()
    values = [table.log_prob[fit] for fit in fits]
    ranked = {*_with_both_sides(table).tolist()}
    for fit, row in zip(fits.tolist(), centred(values) if len(fits) > 1 else values, strict=True):
        if fit in ranked:
            inside, outside = np.flatnonzero(roles[fit] == IN), np.sort(row[roles[fit] == OUT])
            order = np.argsort(row[inside])
            above = len(outside) - np.searchsorted(outside, row[inside[order]], side="left")
            yield inside[order], np.log2(len(outside)) - np.log2(above + 1)


def _with_both_sides(table: Table) -> Indices:
    """Fits that count records that they trained on, and records that they did not."""
    roles = table.roles()
    sides = [(roles == side).any(axis=1) for side in (IN, OUT)]
    return np.flatnonzero(table.counting() & sides[0] & sides[1])


# -- canaries --------------------------------------------------------------------------------------


def canary_measures(
    canaries: CanaryTable, exposure: Exposure, bound: Bound, guarantee: Mapping[str, Any] | None
) -> tuple[GroupMeasure, ...]:
    """Measure each level of insertion in four ways; controls, which have no epsilon, first.

    ``exposure`` has the canaries of every fit, fit by fit. The mean exposure is compared with what
    the guarantee allows (``max_mean_bits``), counting every copy once for each training window
    that it may touch.
    """
    proven = {row["insertions"]: row for row in bound.detail.get("levels", ())}
    windows = bound.detail.get("windows", 1)
    guarantee = None if bound.reason else guarantee  # the number of windows changed is unknown
    measures = []
    for level in [0, *canaries.levels]:
        cells = canaries.drawn(level)
        if not cells.any():
            continue
        group = _canaries_inserted(int(cells.sum()), level)
        allowed_bits = _allowed_mean_bits(canaries, guarantee, level * windows)
        measures += [
            _gain_of_canaries(group, canaries, cells),
            _exposure_of_canaries(group, exposure, cells, level, allowed_bits),
        ]
        if level:
            measures += [
                _membership(group, canaries, level),
                _epsilon(group, bound, proven.get(level)),
            ]
    return tuple(measures)


def _canaries_inserted(count: int, level: int) -> str:
    if not level:
        return f"{count} {'control' if count == 1 else 'controls'}"
    times = "once" if level == 1 else f"{level} times"
    return f"{count} {'canary' if count == 1 else 'canaries'} inserted {times}"


def _gain_of_canaries(group: str, canaries: CanaryTable, cells: NDArray[np.bool_]) -> GroupMeasure:
    """Average the log-likelihood of secrets less that of the references of the same fit.

    References are drawn as the secrets are and never inserted: their mean is what the secrets' own
    would be, had they been left out.
    """
    gain = np.empty((len(canaries.fits), canaries.canaries))
    for _, secrets, references in canaries.patterns():
        outside = canaries.log_prob[:, references].mean(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            gain[:, secrets] = canaries.log_prob[:, secrets] - outside
    values, names = gain[cells], canaries.names[cells]
    if not np.isfinite(values).all():
        return GroupMeasure(group, "memorization", Estimate(np.nan, reason=ZERO), 0.0)
    return GroupMeasure(group, "memorization", mean(values, names, units="secrets"), 0.0)


def _exposure_of_canaries(
    group: str, exposure: Exposure, cells: NDArray[np.bool_], insertions: int, allowed_bits: float
) -> GroupMeasure:
    rows = np.flatnonzero(cells.ravel())
    drawn = exposure.take(rows)
    (level,) = by_insertions(drawn, np.full(len(rows), insertions))
    average = mean_exposure(drawn.bits, drawn.ids, drawn.saturated, maximum=drawn.maximum)
    detail = {**level.to_dict(), "max_mean_bits": allowed_bits}
    return GroupMeasure(group, "exposure", average, NULL_MEAN, detail)


def _allowed_mean_bits(
    canaries: CanaryTable, guarantee: Mapping[str, Any] | None, units: int
) -> float:
    """Bound the mean exposure in the largest space under the guarantee; NaN if there is none."""
    epsilon = allowed(guarantee, 1.0, ADD_REMOVE)
    if guarantee is None or not np.isfinite(epsilon) or not units:
        return float("nan")
    size = max(canaries.sizes)
    bound = exposure_bound(
        epsilon=epsilon, delta=guarantee["delta"], insertions=units, space_size=size
    )
    return bound.mean_bits


def _membership(group: str, canaries: CanaryTable, level: int) -> GroupMeasure:
    attack = attack_canaries(canaries, "loss", level)
    return GroupMeasure(group, "membership", attack.estimate, 0.5)


def _epsilon(group: str, bound: Bound, row: Mapping[str, Any] | None) -> GroupMeasure:
    if row is None:
        return GroupMeasure(group, "epsilon", bound.estimate, 0.0)
    of_level = replace(bound, epsilon=row["epsilon"], significance=row["significance"])
    return GroupMeasure(group, "epsilon", of_level.estimate, 0.0, row)
