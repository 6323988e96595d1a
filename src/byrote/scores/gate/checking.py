"""Does a run stay within the bars that are set?"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from byrote import checks
from byrote.errors import InvalidInput
from byrote.scores.gate import epsilon, exposure, membership, quantile, significant
from byrote.scores.gate.arguments import asked as as_asked
from byrote.scores.gate.bar import Measured, judge
from byrote.scores.gate.gate import Gate, gate_of
from byrote.scores.gate.source import Source
from byrote.scores.run import Run, open_run

_MEASURES: Mapping[str, Callable[[Source, float], Measured]] = {
    "max_exposure": exposure.measure,
    "max_significant": significant.measure,
    "max_q999": quantile.measure,
    "max_epsilon_proven": epsilon.measure,
    "max_auc": membership.measure,
}


def check(
    run: Run | str | Path,
    *,
    max_exposure: float | None = None,
    max_significant: float | str | None = None,
    max_q999: float | None = None,
    max_epsilon_proven: float | None = None,
    max_auc: float | str | None = None,
    insertions: int | None = None,
    level: float = 0.95,
) -> Gate:
    """Does a run stay within the bars that are set?

    A bar passes if all of its interval is within it, fails if all of it is above, and is
    inconclusive otherwise: where the run is not complete, did not measure it, or has too few
    records, repeats or canaries for it. How each bar is measured is in docs/gate.md.

    Parameters
    ----------
    run
        A run, or its folder.
    max_exposure
        Bits; of the most exposed of the canaries that were inserted.
    max_significant
        Share of the records memorized at a 5 % false discovery rate: "1%", or 0.01.
    max_q999
        Nats; of ``mean_log``, the value that at most 0.1 % of the records exceed.
    max_epsilon_proven
        Of the lower bound on epsilon that is the headline of ``Run.epsilon``.
    max_auc
        Of membership inference, the better of "lira" and "loss".
    insertions
        Only canaries that were inserted at most so often count for ``max_exposure``.
    level
        At which the intervals of all bars hold together.

    Raises
    ------
    InvalidInput
        If no bar is set, a bar is out of its range, or there is no run in the folder.
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
    passed: 1 of 1 bar (max-q999)
    failed: 1 of 1 bar (max-q999)
    """
    bars = as_asked(
        {
            "max_exposure": max_exposure,
            "max_significant": max_significant,
            "max_q999": max_q999,
            "max_epsilon_proven": max_epsilon_proven,
            "max_auc": max_auc,
        }
    )
    level = checks.fraction("level", level)
    measures = {**_MEASURES, "max_exposure": _exposure(bars, insertions)}
    source = Source(open_run(run), (1 - level) / 2 / len(bars))
    found = [
        judge(
            name,
            limit,
            measured(source, measures[name], limit),
            level=level,
            missing=source.run.incomplete,
        )
        for name, limit in bars.items()
    ]
    return gate_of(found, level=level, run=source.described())


def measured(
    source: Source, measure: Callable[[Source, float], Measured], limit: float
) -> Measured:
    """What the fits that are there say; nothing, where there is none."""
    if not source.table.counting().any():
        return Measured()
    # Densities of zero have infinite scores; what they say is decided, not warned about.
    with np.errstate(invalid="ignore", divide="ignore"):
        return measure(source, limit)


def _exposure(
    bars: Mapping[str, Any], insertions: int | None
) -> Callable[[Source, float], Measured]:
    if insertions is None:
        return exposure.measure
    if "max_exposure" not in bars:
        raise InvalidInput("insertions goes with max_exposure, which is not set")
    return partial(
        exposure.measure, insertions=checks.integer("insertions", insertions, at_least=1)
    )
