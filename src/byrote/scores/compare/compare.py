"""Comparison of runs with a baseline: whether a mitigation worked, and its cost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from byrote import checks
from byrote.errors import InvalidInput
from byrote.plans import Design
from byrote.runs.manifest import DataPart, Manifest
from byrote.scores.compare import matched_canaries, matched_records
from byrote.scores.compare.comparison import Comparison, EvidenceSummary, ScoreChange
from byrote.scores.run import Run, open_run
from byrote.stats.estimate import LEVEL, Estimate

MATCHES = ("same", "ids")


def compare(
    runs: Sequence[Run | str | Path],
    *,
    names: Sequence[str] | None = None,
    match: str = "same",
    partial: bool = False,
) -> Comparison:
    """Compare runs with the first, the baseline: did a mitigation work, and at what cost?

    Parameters
    ----------
    runs
        Two or more runs, or their folders: all with memorization scores, or all with exposures.
    names
        Names of the runs (default: those of their folders).
    match
        "same": data, plan and seed must be the same, so that fit f of one run pairs with fit f of
        the other (the same records in and out, the same seeds). "ids": match records, or canaries,
        by id, whatever else differs; those that are not in all runs are left out. Where fits do not
        pair, variances add.
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
        If there are fewer than two runs, two are the same, kinds differ, data or plans differ
        without ``match="ids"`` (the message lists how), or they have no record in common.
    IncompleteRun
        If fits are missing and ``partial`` is false.

    Examples
    --------
    >>> import byrote, numpy as np, tempfile
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(40, 2))
    >>> x[3] = 4.0
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = [f"{folder}/{name}" for name in ("narrow", "wide")]
    ...     for path, width in zip(paths, (0.3, 1.0)):
    ...         run = byrote.score_memorization(KernelDensity(bandwidth=width), x,
    ...                                         plan=byrote.KFold(4, repeats=4), out=path)
    ...     comparison = byrote.compare(paths)
    >>> change = comparison.changes[0]
    >>> change.name, change.paired, int(change.ids[change.order()[0]]), change.held_out.sign
    ('wide', True, 3, 1)
    """
    partial = checks.flag("partial", partial)
    by_name = open_runs(runs, names, match)
    if next(iter(by_name.values())).has_canaries:
        return _exposures(by_name, match, partial=partial)
    return _scores(by_name, match, partial=partial)


def open_runs(
    runs: Sequence[Run | str | Path], names: Sequence[str] | None, match: str
) -> dict[str, Run]:
    """Open runs that can be compared, by name, the baseline first."""
    match = checks.choice("match", match, MATCHES)
    is_list = isinstance(runs, Sequence) and not isinstance(runs, str)
    if not is_list or len(runs) < 2:
        got = len(runs) if is_list else checks.brief(runs)
        raise InvalidInput(f"runs must be two runs or more, the baseline first; got {got}")
    folders = [run.path if isinstance(run, Run) else checks.path("runs", run) for run in runs]
    _check_folders(folders)
    by_name = dict(zip(_names(folders, names), map(open_run, runs), strict=True))
    _check_distinct(by_name)
    _check_kinds(by_name)
    if match == "same":
        _check_same(by_name)
    return by_name


def score_change(base: Run, run: Run, *, level: float = LEVEL) -> ScoreChange:
    """Compare the scores of a run with a baseline's, on the records with one id in both.

    As ``compare`` with ``match="ids"`` and ``partial=True``, for one pair of runs.

    Parameters
    ----------
    level
        Confidence level of the intervals of differences of means; single records keep 95 %.
    """
    matched = matched_records.match_records({"baseline": base, "run": run}, "ids", partial=True)
    return matched_records.score_change(run.path.name, matched["baseline"], matched["run"], level)


def _scores(runs: dict[str, Run], match: str, *, partial: bool) -> Comparison:
    matched = matched_records.match_records(runs, match, partial=partial)
    (_, base), *others = matched.items()
    return Comparison(
        kind="scores",
        match=match,
        runs=tuple(
            matched_records.compared_scores(
                _described(name, each.run, base.run, partial=partial), each
            )
            for name, each in matched.items()
        ),
        changes=tuple(matched_records.score_change(name, base, other) for name, other in others),
        matched=len(base.ids),
        of=tuple(each.of for each in matched.values()),
        missing={name: each.table.missing for name, each in matched.items() if each.table.missing},
    )


def _exposures(runs: dict[str, Run], match: str, *, partial: bool) -> Comparison:
    matched = matched_canaries.match_canaries(runs, partial=partial)
    (_, base), *others = matched.items()
    missing = {name: each.result.missing for name, each in matched.items()}
    return Comparison(
        kind="exposure",
        match=match,
        runs=tuple(
            matched_canaries.compared_exposures(
                _described(name, each.run, base.run, partial=partial), each
            )
            for name, each in matched.items()
        ),
        changes=tuple(
            matched_canaries.exposure_change(name, base, other) for name, other in others
        ),
        matched=len(base.rows),
        of=tuple(len(each.result) for each in matched.values()),
        missing={name: fits for name, fits in missing.items() if fits},
    )


def _described(name: str, run: Run, base: Run, *, partial: bool) -> dict[str, Any]:
    """What both kinds of runs have in common."""
    return {
        "name": name,
        "path": str(run.path),
        "description": run.manifest.model_dump(mode="json"),
        "differs": _differs(base.manifest, run.manifest),
        "evidence": _evidence(run, partial=partial),
    }


def _evidence(run: Run, *, partial: bool) -> EvidenceSummary:
    """Summarize the evidence of a run, or the reason why its plan gives none."""
    try:
        evidence = run.epsilon(partial=partial)
    except InvalidInput as error:
        return EvidenceSummary(epsilon=Estimate(float("nan"), reason=str(error)))
    bound = evidence.headline
    attacks = evidence.membership
    return EvidenceSummary(
        auc={attack.attack: attack.estimate for attack in attacks},
        epsilon=bound.estimate,
        method=bound.method,
        delta=bound.delta,
        significance=bound.significance,
        guarantee=evidence.guarantee,
        contradicted=evidence.contradicted,
    )


def _differs(*runs: Manifest) -> Mapping[str, tuple[Any, Any]]:
    """Parameters in which two models differ; class and code of a user's class, too."""
    first, second = ({**run.parameters, **run.model.files} for run in runs)
    if len({(run.model.name, run.model.code) for run in runs}) > 1:
        first["class"], second["class"] = (run.model.name.rpartition(".")[2] for run in runs)
    return {
        name: (first.get(name), second.get(name))
        for name in sorted({*first, *second})
        if first.get(name) != second.get(name) or name == "class"
    }


def _check_folders(folders: Sequence[Path]) -> None:
    seen = set()
    for folder in folders:
        if folder.resolve() in seen:
            raise InvalidInput(f"runs must differ; got {folder} twice")
        seen.add(folder.resolve())


def _names(folders: Sequence[Path], names: Sequence[str] | None) -> list[str]:
    texts = isinstance(names, Sequence) and all(isinstance(name, str) for name in names)
    if names is not None and (isinstance(names, str) or not texts):
        raise InvalidInput(
            f"names must be a list of strings, one per run; got {checks.brief(names)}"
        )
    labels = [folder.resolve().name for folder in folders] if names is None else list(names)
    if len(labels) != len(folders):
        raise InvalidInput(f"names must be {len(folders)}, one per run; got {len(labels)}")
    if names is None and len(set(labels)) < len(labels):
        labels = [str(folder) for folder in folders]
    if "" in labels or len(set(labels)) < len(labels):
        raise InvalidInput("names must all differ, and not be empty")
    return labels


def _check_distinct(runs: dict[str, Run]) -> None:
    seen: dict[str, str] = {}
    for name, run in runs.items():
        other = seen.setdefault(run.manifest.run_id, name)
        if other != name:
            raise InvalidInput(f"runs must differ; {run.path} is the run {other!r} again")


def _check_kinds(runs: dict[str, Run]) -> None:
    kinds = {True: "exposures of canaries", False: "memorization scores of records"}
    base, *others = runs.items()
    for name, run in others:
        if run.has_canaries != base[1].has_canaries:
            raise InvalidInput(
                f"runs must be of one kind; {base[0]!r} has"
                f" {kinds[base[1].has_canaries]}, {name!r} {kinds[run.has_canaries]}"
            )
        first, other = (each.manifest.model.statistic.name for each in (base[1], run))
        if first != other:
            raise InvalidInput(
                f"runs must hold values of one kind; {base[0]!r} has {first}, {name!r} {other}"
            )
        _check_noise(base, (name, run))


def _check_noise(base: tuple[str, Run], other: tuple[str, Run]) -> None:
    facts = [run.fact("sigma_min") for _, run in (base, other)]
    first, second = ({*levels[~np.isnan(levels)]} for levels in facts)
    if first and second and first != second:
        raise InvalidInput(
            f"runs must have one sigma_min, the noise of scored records; {base[0]!r} has"
            f" {min(first):g}, {other[0]!r} {min(second):g}"
        )


def _check_same(runs: dict[str, Run]) -> None:
    base, *others = runs.items()
    for name, run in others:
        differing = [*_data(base[1].manifest.data, run.manifest.data), *_plan(base[1], run)]
        if differing:
            raise InvalidInput(
                f"{name!r} cannot be compared with {base[0]!r} record by record:"
                f" {'; '.join(differing)}. match='ids' (--match-ids) pairs records by their ids"
            )


def _data(base: DataPart, run: DataPart) -> list[str]:
    phrases = []
    if base.records != run.records:
        phrases.append(f"{base.records:,} records against {run.records:,}")
    if base.shape != run.shape:
        phrases.append(f"records of shape {base.shape} against {run.shape}")
    if base.fingerprint != run.fingerprint and not phrases:
        phrases.append("the data differ (values, labels or ids)")
    return phrases


def _plan(base: Run, run: Run) -> list[str]:
    first, second = base.manifest.plan.spec, run.manifest.plan.spec
    phrases = [
        f"plan {name} {first.get(name)!r} against {second.get(name)!r}"
        for name in sorted({*first, *second})
        if first.get(name) != second.get(name)
    ]
    if base.manifest.seed != run.manifest.seed:
        phrases.append(f"seed {base.manifest.seed} against {run.manifest.seed}")
    if not phrases and base.design.n == run.design.n and not _same_design(base.design, run.design):
        phrases.append("the fits train on other records")
    return phrases


def _same_design(first: Design, second: Design) -> bool:
    """Whether each fit has the same seeds, trains on the same rows, and scores the same."""
    if first.n != second.n or not matched_records.same_fits(first, second):
        return False
    return all(
        np.array_equal(first.included(fit), second.included(fit))
        and np.array_equal(first.counted_rows(fit), second.counted_rows(fit))
        for fit in range(first.fits)
    )
