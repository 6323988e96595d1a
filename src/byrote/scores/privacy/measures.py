"""Memorization, exposure, membership and epsilon of groups of records or canaries."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.models.privacy.dp import ADD_REMOVE
from byrote.plans import IN, OUT
from byrote.plans.design import UNUSED
from byrote.runs.table import Table
from byrote.scores.exposure.exposure import Exposure
from byrote.scores.exposure.levels import NULL_MEAN, by_insertions, mean_exposure
from byrote.scores.memorization.held_out import mean_score
from byrote.scores.privacy.canary_bounds import CanaryTable, attack_canaries
from byrote.scores.privacy.centring import Centre
from byrote.scores.privacy.evidence import Bound, GroupMeasure
from byrote.scores.privacy.guarantee import allowed, exposure_bound
from byrote.scores.privacy.membership import MembershipInference
from byrote.stats.cell_order import CellOrder
from byrote.stats.estimate import Estimate, from_clusters, from_error, mean
from byrote.stats.exposure import null_mean
from byrote.stats.standard_errors import Moments, error_of_sums
from byrote.stats.threads import in_order

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

ONE_SIDED = "no fit counts both records that it trained on and records that it did not"
NO_MEAN = "some log-likelihoods are those of a density of zero"
NO_RECORD = "no record was both in and out"
ZERO = "some candidates have a probability of zero"


def record_measures(
    table: Table, attacks: tuple[MembershipInference, ...], bound: Bound
) -> tuple[GroupMeasure, ...]:
    """Measure all scored records together, in four ways: of many, some of them by a sample."""
    noun = "record" if len(table.rows) == table.design.n else "probe"
    group = f"{len(table.rows):,} {noun}{'' if len(table.rows) == 1 else 's'}"
    attack = next((attack for attack in attacks if not attack.reason), attacks[0])
    return (
        _memorization(group, table),
        exposure_measure(group, table.sampled()),
        GroupMeasure(group, "membership", attack.estimate, 0.5, {"attack": attack.attack}),
        GroupMeasure(group, "epsilon", bound.estimate, 0.0, {"method": bound.method}),
    )


def _memorization(group: str, table: Table) -> GroupMeasure:
    """Average mean_log over records, with its jackknife error over retrainings."""
    mean = mean_score(table)
    if not np.isfinite(mean.value):
        both = [(table.roles()[table.counting()] == side).any(axis=0) for side in (IN, OUT)]
        estimate = Estimate(np.nan, reason=NO_MEAN if (both[0] & both[1]).any() else NO_RECORD)
    else:
        estimate = from_error(mean.value, mean.error, mean.degrees, units=table.design.units)
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
    for place, (bits, of_records) in zip(unit.tolist(), exposures(table), strict=True):
        moments.add(bits)
        by_record += of_records
        by_unit[place] += bits.sum()
    counts = (
        inside.sum(axis=0),
        np.bincount(unit, inside.sum(axis=1), minlength=len(by_unit)).astype(np.intp),
    )
    value, size = moments.total / moments.size, moments.size
    influences = (by_record - value * counts[0]) / size, (by_unit - value * counts[1]) / size
    error, clusters = error_of_sums(influences, moments.about(value) / size**2, [counts])
    return from_clusters(value, error, clusters, units="records or fits")


def exposures(table: Table) -> Iterator[tuple[Array, Array]]:
    """Compute sampled exposures, in bits, of each fit that counts both sides.

    Yields those of the records that the fit trained on, (k,), and the same by record, 0 elsewhere.
    """
    fits = np.flatnonzero(table.counting())
    centre = Centre.of(table.log_prob[fit] for fit in fits) if len(fits) > 1 else None

    def of_fit(fit: int) -> tuple[Array, Array]:
        row, role = table.log_prob[fit], table.roles()[fit]
        row = row if centre is None else centre.subtract_from(row)
        record, bits = _exposures(np.where(role == UNUSED, np.nan, row), role == IN)
        of_records = np.zeros(len(row))
        of_records[record] = bits
        return bits, of_records

    return in_order(of_fit, _with_both_sides(table).tolist(), size=table.log_prob.size)


def _exposures(values: Array, inside: Flags) -> tuple[Indices, Array]:
    """Rank values, (r,), of records that a fit trained on among those of the others."""
    order = CellOrder(values[None], inside[None])
    cells, members = order.counts.sum(axis=0).tolist()
    outside = cells - members
    bits = np.log2(outside) - np.log2(np.arange(1, outside + 2))  # by number of others not below
    below, records, exposed = 0, [], []
    for number in range(len(order.counts)):
        for some in order.ascending(number):
            members = np.flatnonzero(some.flag)
            lower = members - np.arange(len(members))
            if some.starts is not None:
                lower = _at_starts(~some.flag, some.starts)[members]
            records.append(some.column[members])
            exposed.append(bits[outside - below - lower])
            below += len(some.flag) - len(members)
    return np.concatenate(records), np.concatenate(exposed)


def _at_starts(counted: Flags, starts: Indices) -> Indices:
    """Count, for each of (k,) values, those before it and its equals, which begin at ``starts``."""
    counts = np.cumsum(counted, dtype=np.intp)
    before = counts[starts] - counted[starts]
    return np.repeat(before, np.diff(starts, append=len(counts)))


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
