"""Checks of a run against thresholds."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from byrote import checks
from byrote.errors import InvalidInput
from byrote.scores.elsewhere import accidents_of
from byrote.scores.gate.max_auc import MAX_AUC
from byrote.scores.gate.max_epsilon_proven import MAX_EPSILON_PROVEN
from byrote.scores.gate.max_exposure import MAX_EXPOSURE
from byrote.scores.gate.max_q999 import MAX_Q999
from byrote.scores.gate.max_score import MAX_SCORE
from byrote.scores.gate.max_significant import MAX_SIGNIFICANT
from byrote.scores.gate.threshold import Gate, GatedRun, Measured, ThresholdKind, gate_of, judge
from byrote.scores.memorization.between_fits import NO_DIFFERENCE
from byrote.scores.run import Run, open_run

KINDS = {
    kind.name: kind
    for kind in (MAX_EXPOSURE, MAX_SCORE, MAX_SIGNIFICANT, MAX_Q999, MAX_EPSILON_PROVEN, MAX_AUC)
}


def check(
    run: Run | str | Path,
    *,
    max_exposure: float | None = None,
    max_score: float | None = None,
    max_significant: float | str | None = None,
    max_q999: float | None = None,
    max_epsilon_proven: float | None = None,
    max_auc: float | str | None = None,
    insertions: int | None = None,
    level: float = 0.95,
    redact: bool = False,
) -> Gate:
    """Check a run against thresholds.

    A threshold passes if its whole interval is within it, fails if the whole interval is above it,
    and is inconclusive otherwise: if the run is incomplete, did not measure it, or has too few
    records, repeats or canaries. docs/gate.md describes each measurement.

    Parameters
    ----------
    run
        A run, or its folder.
    max_exposure
        Bits; exposure of the most exposed of the canaries inserted.
    max_score
        Nats; effect of training on any single record, by limits that hold for all records together.
        Of the thresholds for records, the only one about each of them.
    max_significant
        Share of the records memorized at a 5 % false discovery rate: "1%", or 0.01.
    max_q999
        Nats; of ``mean_log``, the value that at most 0.1 % of the records exceed.
    max_epsilon_proven
        Epsilon; the lower bound that is the headline of ``Run.epsilon``.
    max_auc
        Area under the curve of membership inference, the better of "lira" and "loss".
    insertions
        For ``max_exposure``, use only canaries inserted at most N times.
    level
        Level at which the intervals of all thresholds hold together.
    redact
        Whether to leave out the ids of records and canaries above a threshold.

    Raises
    ------
    InvalidInput
        If no threshold is set, one is out of range, or the folder holds no run.
    CorruptFile
        If a file of the run is damaged or belongs to another run.

    Examples
    --------
    >>> import byrote, numpy as np, tempfile
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for width in (2.0, 0.01):  # a kernel that narrow copies
    ...         run = f"{folder}/{width}"
    ...         model = KernelDensity(bandwidth=width, leaf_size=100)  # one leaf is exact
    ...         plan = byrote.KFold(2, repeats=12)
    ...         _ = byrote.score_memorization(model, x, plan=plan, out=run)
    ...         print(byrote.check(run, max_q999=5).headline)
    passed: 1 of 1 threshold (max-q999)
    failed: 1 of 1 threshold (max-q999)
    """
    limits = as_limits(
        {
            "max_exposure": max_exposure,
            "max_score": max_score,
            "max_significant": max_significant,
            "max_q999": max_q999,
            "max_epsilon_proven": max_epsilon_proven,
            "max_auc": max_auc,
        }
    )
    level = checks.fraction("level", level)
    options: dict[str, dict[str, Any]] = {}
    if insertions is not None:
        if max_exposure is None:
            raise InvalidInput("insertions applies to max_exposure only, which is not set")
        most = checks.integer("insertions", insertions, at_least=1)
        options["max_exposure"] = {"insertions": most}
    gated = GatedRun(open_run(run), (1 - level) / 2 / len(limits))
    doubts = tuple(
        accident.text for accident in accidents_of(gated.run) if accident.kind != NO_DIFFERENCE
    )
    thresholds = [
        judge(
            name,
            limit,
            _measured(gated, KINDS[name], limit, options.get(name, {}), doubts),
            level=level,
            missing=gated.run.incomplete,
        )
        for name, limit in limits.items()
    ]
    if checks.flag("redact", redact):
        thresholds = [replace(threshold, records=()) for threshold in thresholds]
    return gate_of(thresholds, level=level, run=gated.described())


def as_limits(values: Mapping[str, Any]) -> dict[str, float]:
    """Check the thresholds that are set, and return their limits."""
    limits = {name: KINDS[name].limit(v) for name, v in values.items() if v is not None}
    if not limits:
        raise InvalidInput(f"at least one threshold must be set, of {', '.join(KINDS)}; got none")
    return limits


def _measured(
    run: GatedRun,
    kind: ThresholdKind,
    limit: float,
    options: Mapping[str, Any],
    doubts: tuple[str, ...],
) -> Measured:
    """Measure from the finished fits, nothing if there are none; add doubts about the run."""
    if not run.table.counting().any():
        return Measured()
    # Densities of zero have infinite scores, which thresholds judge without warnings.
    with np.errstate(invalid="ignore", divide="ignore"):
        measured = kind.measure(run, limit, **options)
    return replace(measured, doubts=(*measured.doubts, *doubts))
