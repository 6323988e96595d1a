"""Memorization, exposure, membership and epsilon of the scored records side by side."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.plans import IN, OUT
from byrote.runs.table import Table
from byrote.scores.memorization.evaluation import Evaluation
from byrote.scores.memorization.summary import SIGNIFICANCE, distributions
from byrote.scores.privacy.evidence import Bound, GroupMeasure
from byrote.scores.privacy.membership import MembershipInference
from byrote.scores.privacy.record_bounds import centred
from byrote.stats.estimate import Estimate, from_error, mean
from byrote.stats.exposure import null_mean
from byrote.stats.multiple_testing import q_values

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

ONE_SIDED = "no fit counts both records that it trained on and records that it did not"
NO_MEAN = "some log-likelihoods are those of a density of zero"
NO_RECORD = "no record was both in and out"


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
    average = distributions(evaluation)["mean_log"]["mean"]
    degrees = len(evaluation.change_sums["mean_log"]) - 1
    q = q_values(evaluation.p_value)
    detail = {
        "estimator": "mean_log",
        "significant": int((q <= SIGNIFICANCE).sum()),
        "tested": int((~np.isnan(q)).sum()),
    }
    estimate = from_error(average.value, average.standard_error, degrees, units=table.design.units)
    if not np.isfinite(average.value):
        in_and_out = (evaluation.n_in > 0) & (evaluation.n_out > 0)
        estimate = Estimate(np.nan, reason=NO_MEAN if in_and_out.any() else NO_RECORD)
    return GroupMeasure(group, "memorization", estimate, 0.0, detail)


def exposure_measure(group: str, table: Table) -> GroupMeasure:
    """Average the exposure of records that a fit trained on, ranked among those it did not.

    Scores are log-likelihoods less the record's mean over all fits, whichever trained on it:
    without memorization they do not depend on membership, and every rank is equally likely.
    """
    bits, record, fit, references = exposures(table)
    if not len(bits):
        return GroupMeasure(group, "exposure", Estimate(np.nan, reason=ONE_SIDED), np.nan)
    unit = table.design.leader[table.counting()]  # fits with the same seeds are not two samples
    average = mean(bits, (record, unit[fit]), units="records or fits")
    sizes, count = np.unique(references, return_counts=True)
    nulls = [null_mean(int(n), from_references=True) for n in sizes]
    null = float(np.average(nulls, weights=count))
    detail = {"references": float(references.mean()), "maximum": float(np.log2(sizes.max()))}
    return GroupMeasure(group, "exposure", average, null, detail)


def exposures(table: Table) -> tuple[Array, Indices, Indices, Indices]:
    """Compute the sampled exposure of each record in each fit that trained on it, bits.

    Returns it with its record, its fit, and the number of records that it is ranked among.
    """
    fits, roles = np.flatnonzero(table.counting()), table.roles()
    values = table.log_prob[fits]
    scores = centred(values) if len(fits) > 1 else values
    parts: list[tuple[Any, ...]] = []
    for row, role in zip(scores, roles[fits], strict=True):
        inside, outside = np.flatnonzero(role == IN), np.sort(row[role == OUT])
        if len(inside) and len(outside):
            above = len(outside) - np.searchsorted(outside, row[inside], side="left")
            bits = np.log2(len(outside)) - np.log2(above + 1)
            fit = np.full(len(inside), len(parts))
            parts.append((bits, inside, fit, np.full(len(inside), len(outside))))
    all_bits = [np.empty(0), *(part[0] for part in parts)]
    counts = [np.empty((3, 0), dtype=np.intp), *(np.stack(part[1:]) for part in parts)]
    record, fit, references = np.concatenate(counts, axis=1)
    return np.concatenate(all_bits), record, fit, references
