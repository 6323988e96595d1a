"""Memorization, exposure, membership and epsilon of the records that a plan scores."""

from math import lgamma
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from byrote.fits.table import Table
from byrote.plans import IN, OUT
from byrote.scores.evidence.coins import centred
from byrote.scores.evidence.result import Bound, Side
from byrote.scores.membership import MembershipInference
from byrote.scores.memorization.evaluation import Evaluation, evaluate
from byrote.scores.memorization.summary import SIGNIFICANCE, distributions
from byrote.stats.discovery import q_values
from byrote.stats.roc import clustered_error

Array = NDArray[np.float64]
Ids = NDArray[np.intp]

LEVEL = 0.95
ONE_SIDED = "no fit counts both records that it trained on and records that it did not"
NO_MEAN = "some log-likelihoods are those of a density of zero"
NO_RECORD = "no record was both in and out"


def score_sides(
    table: Table, attacks: tuple[MembershipInference, ...], bound: Bound
) -> tuple[Side, ...]:
    """One row of four: all scored records together."""
    noun = "record" if len(table.rows) == table.design.n else "probe"
    group = f"{len(table.rows):,} {noun}{'' if len(table.rows) == 1 else 's'}"
    attack = next((found for found in attacks if not found.reason), attacks[0])
    known = not np.isnan(bound.epsilon)
    ends = (bound.epsilon, np.inf if known else np.nan)
    return (
        _memorization(group, table),
        _exposure(group, table),
        Side(
            group,
            "membership",
            attack.auc,
            *attack.interval,
            attack.level,
            0.5,
            attack.reason,
            {"attack": attack.attack},
        ),
        Side(
            group,
            "epsilon",
            bound.epsilon,
            *ends,
            1 - bound.significance,
            0.0,
            bound.reason,
            {"method": bound.method},
        ),
    )


def _memorization(group: str, table: Table) -> Side:
    """The mean of mean_log over records, with its jackknife error over retrainings."""
    found = evaluate(table)
    mean = distributions(found)["mean_log"]["mean"]
    units = len(found.change_sums["mean_log"])
    half = float(student.ppf((1 + LEVEL) / 2, units - 1)) * mean.standard_error
    q = q_values(found.p_value)
    detail = {
        "estimator": "mean_log",
        "significant": int((q <= SIGNIFICANCE).sum()),
        "tested": int((~np.isnan(q)).sum()),
    }
    ends = (mean.value - half, mean.value + half)
    if np.isfinite(mean.value):
        return Side(group, "memorization", mean.value, *ends, LEVEL, 0.0, "", detail)
    none = (np.nan, np.nan, np.nan)
    return Side(group, "memorization", *none, LEVEL, 0.0, _no_mean(found), detail)


def _no_mean(found: Evaluation) -> str:
    return NO_MEAN if ((found.n_in > 0) & (found.n_out > 0)).any() else NO_RECORD


def _exposure(group: str, table: Table) -> Side:
    """Mean exposure of records that a fit trained on, each ranked among those it did not.

    Scores are log-likelihoods less the record's mean over all fits, no matter which trained on it:
    without memorization they say nothing of the membership, and every rank is equally likely.
    """
    bits, record, fit, references = exposures(table)
    if not len(bits):
        return Side(group, "exposure", np.nan, np.nan, np.nan, LEVEL, np.nan, ONE_SIDED)
    mean = float(bits.mean())
    unit = table.design.leader[table.counting()]  # fits with the same seeds are no two samples
    error, clusters = clustered_error((bits - mean) / len(bits), record, unit[fit])
    half = float(student.ppf((1 + LEVEL) / 2, clusters - 1)) * error
    sizes, count = np.unique(references, return_counts=True)
    null = float(np.average([null_mean(int(n)) for n in sizes], weights=count))
    detail = {"references": float(references.mean()), "maximum": float(np.log2(sizes.max()))}
    return Side(group, "exposure", mean, mean - half, mean + half, LEVEL, null, "", detail)


def exposures(table: Table) -> tuple[Array, Ids, Ids, Ids]:
    """Sampled exposure of each record in each fit that trained on it, bits.

    With its record, its fit, and the number of records that it is ranked among.
    """
    there, roles = np.flatnonzero(table.counting()), table.roles()
    values = table.log_prob[there]
    scores = centred(values) if len(there) > 1 else values
    found: list[tuple[Any, ...]] = []
    for row, role in zip(scores, roles[there], strict=True):
        inside, outside = np.flatnonzero(role == IN), np.sort(row[role == OUT])
        if len(inside) and len(outside):
            above = len(outside) - np.searchsorted(outside, row[inside], side="left")
            bits = np.log2(len(outside)) - np.log2(above + 1)
            same = np.full(len(inside), len(found)), np.full(len(inside), len(outside))
            found.append((bits, inside, *same))
    bits = [np.empty(0), *(part[0] for part in found)]
    counts = [np.empty((3, 0), dtype=np.intp), *(np.stack(part[1:]) for part in found)]
    record, fit, references = np.concatenate(counts, axis=1)
    return np.concatenate(bits), record, fit, references


def null_mean(references: int) -> float:
    """Mean sampled exposure without memorization, beside so many references without ties, bits.

    Examples
    --------
    >>> round(null_mean(16), 7), round(null_mean(1000), 4)
    (1.1566116, 1.4349)
    """
    ranks = references + 1
    return float(np.log2(references) - lgamma(ranks + 1) / np.log(2) / ranks)
