"""Onion effect: are other records memorized once the most memorized ones are pruned?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote import figures
from byrote.report.format import number, plural, with_interval
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.stats.estimate import Estimate
from byrote.stats.multiple_testing import q_values
from byrote.studies.execute import StudyRun
from byrote.studies.findings.audits import (
    by_chance,
    detectable,
    held_out,
    memorization,
    score_quantile,
)
from byrote.studies.findings.finding import Findings, Rows, mean_of, numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HIGH = 0.95  # quantile of M
_MEASURES = (
    ("above", "newly above the first threshold"),
    ("significant", "newly significant"),
    ("memorization", "mean of mean_log, nats"),
)


@dataclass(frozen=True)
class Round:
    """The records that both ways of pruning keep, neither pruned first nor significant at first.

    Pairs are of the pruned run and of its control, pruned at random.
    """

    records: int
    above: tuple[float, float]  # shares above the threshold of the first audit
    significant: tuple[float, float]  # shares with q <= 0.05, q-values over these records
    memorization: tuple[float, float]  # means of mean_log, nats


@dataclass(frozen=True)
class Replication:
    """All rounds with one choice of seeds and probes.

    again: of the records pruned first that the control keeps, the share above the threshold in its
    first round. It shows whether they were memorized, or chance had raised them.
    """

    first: StudyRun  # all records
    pruned: tuple[StudyRun, ...]  # by round
    random: tuple[StudyRun, ...]
    threshold: float  # lowest M of those pruned first, nats
    again: float
    rounds: tuple[Round, ...]  # as many as both ways of pruning have


def replications(runs: Sequence[StudyRun]) -> tuple[Replication, ...]:
    """Return the replications with a complete first audit and a round of both ways of pruning."""
    by_name = {run.name: run for run in runs if not run.run.missing}
    labels = [name.removesuffix("-all") for name in by_name if name.endswith("-all")]
    complete = (_replication(label, by_name) for label in labels)
    return tuple(replication for replication in complete if replication is not None)


def _replication(label: str, by_name: Mapping[str, StudyRun]) -> Replication | None:
    first = by_name[f"{label}-all"]
    pruned, random = (_in_order(f"{label}-{way}", by_name) for way in ("pruned", "random"))
    both = list(zip(pruned, random, strict=False))
    if not both:
        return None
    score, ids = first.probe_scores("score"), first.probe_ids()
    top = ~np.isnan(score) & ~np.isin(ids, pruned[0].probe_ids())
    threshold = float(score[top].min())
    named = ids[top | (first.probe_scores("q_value") <= SIGNIFICANCE)]
    return Replication(
        first=first,
        pruned=tuple(run for run, _ in both),
        random=tuple(control for _, control in both),
        threshold=threshold,
        again=_share_above(random[0], ids[top], threshold),
        rounds=tuple(_round(named, threshold, *pair) for pair in both),
    )


def _in_order(name: str, by_name: Mapping[str, StudyRun]) -> list[StudyRun]:
    """Return the rounds of one way of pruning, up to the first that is missing."""
    runs: list[StudyRun] = []
    while (key := f"{name}-{len(runs) + 1}") in by_name:
        runs.append(by_name[key])
    return runs


def _share_above(run: StudyRun, ids: NDArray[Any], threshold: float) -> float:
    score = run.probe_scores("score")[np.isin(run.probe_ids(), ids)]
    return float((score >= threshold).mean()) if len(score) else float("nan")


def _round(named: NDArray[Any], threshold: float, pruned: StudyRun, control: StudyRun) -> Round:
    both = np.intersect1d(pruned.probe_ids(), control.probe_ids())
    ids = np.setdiff1d(both, named)
    above, significant, memorization = zip(
        *(_measures(run, ids, threshold) for run in (pruned, control)), strict=True
    )
    return Round(len(ids), above, significant, memorization)


def _measures(run: StudyRun, ids: NDArray[Any], threshold: float) -> tuple[float, float, float]:
    rows = np.isin(run.probe_ids(), ids)
    if not rows.any():
        return float("nan"), float("nan"), float("nan")
    q_value = q_values(run.probe_scores("p_value")[rows])
    return (
        _share_above(run, ids, threshold),
        float((q_value <= SIGNIFICANCE).mean()),
        mean_of(run.probe_scores("mean_log")[rows]).value,
    )


# -- the finding ----------------------------------------------------------------------------------


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
    chance = float(np.mean([by_chance(run, (_HIGH,))[_HIGH] for run in runs]))
    return (
        title,
        f"{len(runs[0].memorization):,}",
        f"{len(runs[0].probe_rows()):,}",
        number(float(np.mean([run.significant or 0 for run in runs]))),
        f"{number(high)} ({number(chance)})",
        with_interval(mean_of([memorization(run).value for run in runs])),
        with_interval(mean_of([held_out(run).value for run in runs])),
    )


def _changes(complete: Sequence[Replication], rounds: int) -> Rows:
    head = ("", "records", "pruned [95 %]", "pruned at random [95 %]", "difference [95 %]")
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
    """Format a share with its interval, in per cent; "none" if it is 0.

    Examples
    --------
    >>> _share(Estimate(0.05, -0.01, 0.11)), _share(Estimate(0.0, 0.0, 0.0))
    ('5.00 [0.00, 11.0] %', 'none')
    """
    if share.value == 0:
        return "none"
    return _points(replace(share, low=max(share.low, 0.0), high=min(share.high, 1.0)))


def _points(change: Estimate) -> str:
    """Format a difference of shares, in per cent; a dash if all are 0."""
    if numbers(change) == [0.0, 0.0, 0.0]:
        return "–"
    value, low, high = (100 * value for value in numbers(change))
    return f"{with_interval(Estimate(value, low, high))} %"


def _figures(complete: Sequence[Replication], rounds: int) -> "dict[str, Figure]":
    shown = [_shown(complete, place) for place in range(rounds) if _compares(complete, place)]
    newly = "newly above the first threshold of M"
    return {"onion": figures.onion(shown, newly=newly)} if shown else {}


def _shown(complete: Sequence[Replication], place: int) -> figures.OnionRound:
    sides = [
        _side(complete, place, name, side) for name in ("above", "memorization") for side in (0, 1)
    ]
    return figures.OnionRound(place + 1, *((side.value, side.low, side.high) for side in sides))


def _remarks(complete: Sequence[Replication], rounds: int) -> list[str]:
    return [
        _first(complete),
        f"Intervals are Student's over {plural(len(complete), 'replication')} with other seeds,"
        " halves and probes of the same data. Both ways of pruning are compared on the records that"
        " both keep and that were neither pruned nor significant in the first audit; q-values are"
        f" over these records alone. Each interval holds alone: of {len(_MEASURES) * rounds}"
        " differences by chance, one in twenty would exclude 0.",
        *(verdict(complete, rounds, name, title) for name, title in _MEASURES),
    ]


def _first(complete: Sequence[Replication]) -> str:
    counts = [replication.first.significant or 0 for replication in complete]
    low, high = min(counts), max(counts)
    some = f"{low}" if low == high else f"{low} to {high}"
    limit = "" if high else f" ({detectable(complete[0].first)})"
    again = mean_of([replication.again for replication in complete])
    return (
        f"The first audits find {some if high else 'none'} of"
        f" {len(complete[0].first.probe_rows()):,} probes memorized at a false discovery rate of"
        f" 5 %{limit}. Of those pruned first, {_share(again)} are again above the threshold in"
        " the control's next audit, which trains on them; of the others"
        f" {_share(_side(complete, 0, 'above', 1))}. The excess of the first share is memorization."
    )


def verdict(complete: Sequence[Replication], rounds: int, name: str, title: str) -> str:
    """Compare a measure after pruning with the control, by round, in a sentence."""
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
    return ("not different", "more", less)[change.sign]


def _as_data(replication: Replication) -> dict[str, Any]:
    return {
        "first": replication.first.name,
        "significant": replication.first.significant,
        "threshold": replication.threshold,
        "again": replication.again,
        "rounds": [asdict(of_round) for of_round in replication.rounds],
    }
