"""Whether pruning the most memorized records brings others to light."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from byrote import figures
from byrote.report.format import number, plural
from byrote.stats.estimate import Estimate
from byrote.studies.execute import StudyRun
from byrote.studies.findings.audits import (
    chance_quantiles,
    held_out,
    memorization,
    score_quantile,
)
from byrote.studies.findings.finding import (
    Findings,
    Rows,
    mean_of,
    numbers,
    with_interval,
)
from byrote.studies.findings.onion_rounds import Replication, Round, replications

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HIGH = 0.95  # quantile of M that is shown
_MEASURES = (
    ("above", "newly above the first threshold"),
    ("significant", "newly significant"),
    ("memorization", "mean of mean_log, nats"),
)


def onion(runs: Sequence[StudyRun]) -> Findings:
    """Compare rounds of pruning with pruning at random, over replications."""
    complete = replications(runs)
    if not complete:
        return Findings(remarks=("No replication has a round of both ways of pruning.",))
    rounds = min(len(replication.rounds) for replication in complete)
    return Findings(
        tables=(
            ("Audits, means over replications", _audits(complete, rounds)),
            ("The records that both ways of pruning leave", _changes(complete, rounds)),
        ),
        remarks=tuple(_remarks(complete, rounds)),
        figures=_figures(complete, rounds),
        data={"replications": [_as_data(replication) for replication in complete]},
    )


def _compares(complete: Sequence[Replication], place: int) -> bool:
    """Return whether there are records to compare in some replication."""
    return any(replication.rounds[place].records for replication in complete)


def _mean(complete: Sequence[Replication], place: int, value: Callable[[Round], float]) -> Estimate:
    """Estimate the mean over replications of a number of a round."""
    return mean_of([value(replication.rounds[place]) for replication in complete])


def _side(complete: Sequence[Replication], place: int, name: str, side: int) -> Estimate:
    return _mean(complete, place, lambda of_round: getattr(of_round, name)[side])


def difference(complete: Sequence[Replication], place: int, name: str) -> Estimate:
    """Estimate pruned minus control, replication by replication."""
    return _mean(complete, place, lambda of_round: float(np.subtract(*getattr(of_round, name))))


def _audits(complete: Sequence[Replication], rounds: int) -> Rows:
    head = ("", "records", "probes", "significant (q ≤ 0.05)", "95 % quantile of M (by chance)",
            "mean of mean_log [95 %]", "held-out log p [95 %]")  # fmt: skip
    rows = [_audit("all records", [replication.first for replication in complete])]
    for way, word in (("pruned", "the most memorized pruned"), ("random", "pruned at random")):
        for place in range(rounds):
            runs = [getattr(replication, way)[place] for replication in complete]
            rows.append(_audit(f"{word}, round {place + 1}", runs))
    return [head, *rows]


def _audit(title: str, runs: Sequence[StudyRun]) -> tuple[str, ...]:
    high = float(np.mean([score_quantile(run, run.probe_ids(), _HIGH) for run in runs]))
    chance = float(np.mean([_high_by_chance(run) for run in runs]))
    return (
        title,
        f"{len(runs[0].memorization):,}",
        f"{len(runs[0].probe_rows()):,}",
        number(float(np.mean([_significant(run) for run in runs]))),
        f"{number(high)} ({number(chance)})",
        with_interval(mean_of([memorization(run).value for run in runs])),
        with_interval(mean_of([held_out(run).value for run in runs])),
    )


def _high_by_chance(run: StudyRun) -> float:
    table, seed = run.run.table(partial=True), run.run.manifest.seed
    return float(chance_quantiles(table, (_HIGH,), seed=seed)[0])


def _significant(run: StudyRun) -> int:
    return run.memorization.summary().significant or 0


def _changes(complete: Sequence[Replication], rounds: int) -> Rows:
    head = ("", "records", "after pruning [95 %]", "pruned at random [95 %]", "difference [95 %]")
    rows: list[tuple[str, ...]] = []
    for name, title in _MEASURES:
        mean, change = (
            (with_interval, with_interval) if name == "memorization" else (_share, _points)
        )
        for place in range(rounds):
            records = mean_of([each.rounds[place].records for each in complete]).value
            sides = [mean(_side(complete, place, name, side)) for side in (0, 1)]
            cells = [f"{records:,.0f}", *sides, change(difference(complete, place, name))]
            rows.append((f"{title}, round {place + 1}", *cells))
    return [head, *rows]


def _share(share: Estimate) -> str:
    """Return a share with its interval, in per cent; "none" if all are 0.

    Examples
    --------
    >>> _share(Estimate(0.05, -0.01, 0.11)), _share(Estimate(0.0, 0.0, 0.0))
    ('5.00 [0.00, 11.0] %', 'none')
    """
    if share.value == 0:
        return "none"
    return _points(replace(share, low=max(share.low, 0.0), high=min(share.high, 1.0)))


def _points(change: Estimate) -> str:
    """Return a difference of shares, in per cent; a dash if there is nothing to differ."""
    if numbers(change) == [0.0, 0.0, 0.0]:
        return "–"
    value, low, high = (100 * value for value in numbers(change))
    return f"{with_interval(Estimate(value, low, high))} %"


def _figures(complete: Sequence[Replication], rounds: int) -> "dict[str, Figure]":
    peeled = [_peeled(complete, place) for place in range(rounds) if _compares(complete, place)]
    if not peeled:
        return {}
    return {"onion": figures.onion(peeled, newly="newly above the first threshold of M")}


def _peeled(complete: Sequence[Replication], place: int) -> figures.Peeled:
    sides = [
        _side(complete, place, name, side) for name in ("above", "memorization") for side in (0, 1)
    ]
    return figures.Peeled(place + 1, *((side.value, side.low, side.high) for side in sides))


def _remarks(complete: Sequence[Replication], rounds: int) -> list[str]:
    return [
        _first(complete),
        f"Intervals are Student's over {plural(len(complete), 'replication')} with other seeds,"
        " halves and probes of the same data: one is one observation. Both ways of pruning are"
        " compared on the records that both leave and that the first audit had neither pruned nor"
        " found significant; q-values of both are taken over these records alone. Each interval is"
        f" for its row: of {len(_MEASURES) * rounds} differences that were all chance, one in"
        " twenty would leave out 0.",
        *(verdict(complete, rounds, name, title) for name, title in _MEASURES),
    ]


def _first(complete: Sequence[Replication]) -> str:
    """Return what there was to prune."""
    counts = [_significant(replication.first) for replication in complete]
    low, high = min(counts), max(counts)
    some = f"{low}" if low == high else f"{low} to {high}"
    nameless = "" if high else " No single record can be named, then."
    again = mean_of([replication.again for replication in complete])
    return (
        f"The first audits find {some if high else 'none'} of"
        f" {len(complete[0].first.probe_rows()):,} probes memorized at a false discovery rate of"
        f" 5 %.{nameless} Of those pruned first, {_share(again)} are above the threshold again in"
        " the control's next audit, which trains on them; of the others"
        f" {_share(_side(complete, 0, 'above', 1))}."
        " What is pruned is memorized as far as the first share exceeds the second."
    )


def verdict(complete: Sequence[Replication], rounds: int, name: str, title: str) -> str:
    """Return by round whether a measure differs after pruning from the control."""
    places: dict[str, list[str]] = {}
    for place in range(rounds):
        places.setdefault(_word(complete, place, name), []).append(str(place + 1))
    words = [
        f"{word} in {'round' if len(numbers) == 1 else 'rounds'} {', '.join(numbers)}"
        for word, numbers in places.items()
    ]
    return f"{title[0].upper()}{title[1:]}, after pruning against the control: {'; '.join(words)}."


def _word(complete: Sequence[Replication], place: int, name: str) -> str:
    if not _compares(complete, place):
        return "no records to compare"
    change = difference(complete, place, name)
    if np.isnan(change.low):
        return "no interval, of one replication,"
    if all(_side(complete, place, name, side).value == 0 for side in (0, 1)):
        return "none"
    less = "less" if name == "memorization" else "fewer"
    return ("not told apart", "more", less)[change.sign]


def _as_data(replication: Replication) -> dict[str, Any]:
    return {
        "first": replication.first.name,
        "significant": replication.first.memorization.summary().significant,
        "threshold": replication.threshold,
        "again": replication.again,
        "rounds": [asdict(of_round) for of_round in replication.rounds],
    }
