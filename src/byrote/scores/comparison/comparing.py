"""Did the mitigation work, and at what cost? Runs beside a baseline."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from byrote import checks
from byrote.fits.manifest import ModelPart
from byrote.scores.comparison import exposed, scored, scored_change
from byrote.scores.comparison.evidence import evidence_of
from byrote.scores.comparison.opening import opened
from byrote.scores.comparison.result import Comparison, ExposedSide, ScoredSide
from byrote.scores.comparison.scored import Scored
from byrote.scores.memorization.summary import SIGNIFICANCE
from byrote.scores.run import Run


def compare(
    runs: Sequence[Run | str | Path],
    *,
    names: Sequence[str] | None = None,
    match: str = "same",
    partial: bool = False,
) -> Comparison:
    """Did the mitigation work, and at what cost? Each run against the first, the baseline.

    Parameters
    ----------
    runs
        Two runs or more, or their folders: all with memorization scores, or all with exposures.
    names
        What to call them; their folders' names if not given.
    match
        "same": data, plan and seed must be the same, so that fit f of one run pairs with fit f of
        the other (the same records in and out, the same seeds). "ids": records, or canaries, that
        all runs have under one id, whatever else differs; the others count nowhere. Where fits do
        not pair, variances add.
    partial
        Accept runs with missing fits; under "same" a fit that one run lacks counts in none.

    Returns
    -------
    Per record the difference of each estimator with standard error and, for ``mean_log``, interval;
    which records start and stop being memorized; held-out log-likelihood, or test perplexity, with
    the difference; exposure by level with the difference; membership inference and epsilon of each.

    Raises
    ------
    InvalidInput
        If there are fewer than two runs, one comes twice, kinds differ, data or plans differ
        without ``match="ids"`` (the message says in what), or nothing is in all runs.
    IncompleteRun
        If fits are missing and ``partial`` is false.

    Examples
    --------
    >>> import byrote, numpy as np, tempfile
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(40, 2))
    >>> x[3] = 4.0
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stores = [f"{folder}/{name}" for name in ("narrow", "wide")]
    ...     for store, width in zip(stores, (0.3, 1.0)):
    ...         run = byrote.score_memorization(KernelDensity(bandwidth=width), x,
    ...                                         plan=byrote.KFold(4, repeats=4), out=store)
    ...     found = byrote.compare(stores)
    >>> change = found.changes[0]
    >>> change.name, change.paired, int(change.ids[change.order()[0]]), change.held_out.sign
    ('wide', True, 3, 1)
    """
    partial = checks.flag("partial", partial)
    named = opened(runs, names, match)
    if next(iter(named.values())).has_canaries:
        return _exposures(named, match, partial=partial)
    return _scores(named, match, partial=partial)


def _scores(runs: dict[str, Run], match: str, *, partial: bool) -> Comparison:
    loaded = scored.load(runs, match, partial=partial)
    (_, base), *others = loaded.items()
    return Comparison(
        kind="scores",
        match=match,
        runs=tuple(
            _scored(_described(name, one.run, base.run, partial=partial), one)
            for name, one in loaded.items()
        ),
        changes=tuple(scored_change.change_of(name, base, one) for name, one in others),
        matched=len(base.ids),
        of=tuple(one.of for one in loaded.values()),
        missing={name: one.table.missing for name, one in loaded.items() if one.table.missing},
    )


def _exposures(runs: dict[str, Run], match: str, *, partial: bool) -> Comparison:
    loaded = exposed.load(runs, partial=partial)
    (_, base), *others = loaded.items()
    return Comparison(
        kind="exposure",
        match=match,
        runs=tuple(
            ExposedSide(
                **_described(name, one.run, base.run, partial=partial),
                test_loss=exposed.test_loss(one),
                levels=exposed.levels(one),
                maximum=one.maximum,
            )
            for name, one in loaded.items()
        ),
        changes=tuple(exposed.change_of(name, base, one) for name, one in others),
        matched=len(base.rows),
        of=tuple(len(one.found) for one in loaded.values()),
        missing={name: one.found.missing for name, one in loaded.items() if one.found.missing},
    )


def _scored(described: dict[str, Any], one: Scored) -> ScoredSide:
    tested = ~np.isnan(one.q_value)
    return ScoredSide(
        **described,
        held_out=scored_change.mean_log_prob(one.table, "out"),
        in_training=scored_change.mean_log_prob(one.table, "in"),
        quantiles=scored_change.quantiles(one),
        mean=scored_change.means(one),
        scored=int(np.count_nonzero(~np.isnan(one.evaluation.estimate["score"]))),
        significant=int((one.q_value <= SIGNIFICANCE).sum()) if tested.any() else None,
    )


def _described(name: str, run: Run, base: Run, *, partial: bool) -> dict[str, Any]:
    """What is the same of both kinds of runs."""
    return {
        "name": name,
        "store": str(run.path),
        "description": run.manifest.model_dump(mode="json"),
        "differs": _differs(base.manifest.model, run.manifest.model),
        "evidence": evidence_of(run, partial=partial),
    }


def _differs(base: ModelPart, own: ModelPart) -> Mapping[str, tuple[Any, Any]]:
    """What tells two models apart, by parameter; class and code of a class of the user's too."""
    mine, theirs = ({**part.parameters, **part.files} for part in (base, own))
    if (base.name, base.code) != (own.name, own.code):
        mine["class"], theirs["class"] = (p.name.rpartition(".")[2] for p in (base, own))
    return {
        name: (mine.get(name), theirs.get(name))
        for name in sorted({*mine, *theirs})
        if mine.get(name) != theirs.get(name) or name == "class"
    }
