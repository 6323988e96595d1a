"""Whether pruning the most memorized records brings others to light."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from byrote.report import figures
from byrote.report.format import number
from byrote.studies.findings import Findings, Rows, mean_of, plural, with_interval
from byrote.studies.mitigations.against import told
from byrote.studies.mitigations.carried import Carried
from byrote.studies.mitigations.measures import Mean, by_chance
from byrote.studies.mitigations.peeling import Replication, Round, replications

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TOP = 0.95  # quantile of M that is shown


def findings(carried: Sequence[Carried]) -> Findings:
    """Of replications of pruning and auditing again, each with its control."""
    found = replications(carried)
    if not found:
        return Findings((), ("No replication has a round of both ways of pruning.",))
    rounds = range(min(len(one.rounds) for one in found))
    peeled = [_peeled(found, place) for place in rounds if _compares(found, place)]
    return Findings(
        tables=(
            ("Audits, means over replications", _audits(found)),
            ("The records that both ways of pruning leave", _changes(found, len(rounds))),
        ),
        remarks=tuple(_remarks(found, len(rounds))),
        figures={"onion": _drawn(peeled)} if peeled else {},
        data={"replications": [_as_data(one) for one in found]},
    )


def _compares(found: Sequence[Replication], place: int) -> bool:
    """Whether there are records to compare in some replication."""
    return any(one.rounds[place].records for one in found)


def _drawn(peeled: Sequence[figures.Peeled]) -> "Figure":
    return figures.onion(peeled, newly="newly above the first threshold of M")


def over(found: Sequence[Replication], place: int, value: Callable[[Round], float]) -> Mean:
    """Mean over replications of a number of a round, with Student's 95 % interval."""
    return mean_of([value(one.rounds[place]) for one in found])


def _audits(found: Sequence[Replication]) -> Rows:
    head = (
        "",
        "records",
        "probes",
        "significant (q ≤ 0.05)",
        "95 % quantile of M (by chance)",
        "mean of mean_log [95 %]",
        "held-out log p [95 %]",
    )
    rows = [_audit("all records", [one.first for one in found])]
    for way, word in (("pruned", "the most memorized pruned"), ("random", "pruned at random")):
        for place in range(min(len(one.rounds) for one in found)):
            audits = [getattr(one, way)[place] for one in found]
            rows.append(_audit(f"{word}, round {place + 1}", audits))
    return [head, *rows]


def _audit(title: str, audits: Sequence[Carried]) -> tuple[str, ...]:
    high = [one.quantile(one.audit.ids, _TOP) for one in audits]
    chance = [by_chance(one.audit.table, (_TOP,), seed=one.run.manifest.seed)[0] for one in audits]
    return (
        title,
        f"{len(audits[0].result):,}",
        f"{len(audits[0].audit.ids):,}",
        number(float(np.mean([one.result.summary().significant or 0 for one in audits]))),
        f"{number(float(np.mean(high)))} ({number(float(np.mean(chance)))})",
        with_interval(mean_of([one.audit.memorization.value for one in audits])),
        with_interval(mean_of([one.audit.held_out.value for one in audits])),
    )


_MEASURES = (
    ("above", "newly above the first threshold"),
    ("significant", "newly significant"),
    ("memorization", "mean of mean_log, nats"),
)


def _changes(found: Sequence[Replication], rounds: int) -> Rows:
    head = ("", "records", "after pruning [95 %]", "pruned at random [95 %]", "difference [95 %]")
    rows: list[tuple[str, ...]] = []
    for name, title in _MEASURES:
        say, differ = (
            (with_interval, with_interval) if name == "memorization" else (_shares, _points)
        )
        for place in range(rounds):
            records = mean_of([one.rounds[place].records for one in found])[0]
            sides = [_side(found, place, name, side) for side in (0, 1)]
            cells = [*map(say, sides), differ(difference(found, place, name))]
            rows.append((f"{title}, round {place + 1}", f"{records:,.0f}", *cells))
    return [head, *rows]


def _shares(found: Mean) -> str:
    """Shares with their interval, in per cent; "none" where all are 0 and it had no width.

    Examples
    --------
    >>> _shares((0.05, -0.01, 0.11)), _shares((0.0, 0.0, 0.0))
    ('5.00 [0.00, 11.0] %', 'none')
    """
    if found[0] == 0:
        return "none"
    mean, low, high = (100 * value for value in found)
    return f"{with_interval((mean, max(low, 0.0), min(high, 100.0)))} %"


def _points(found: Mean) -> str:
    """Differences of shares, in per cent; a dash where there is nothing to differ."""
    if found == (0.0, 0.0, 0.0):
        return "–"
    mean, low, high = (100 * value for value in found)
    return f"{with_interval((mean, low, high))} %"


def _side(found: Sequence[Replication], place: int, name: str, side: int) -> Mean:
    return over(found, place, lambda one: getattr(one, name)[side])


def difference(found: Sequence[Replication], place: int, name: str) -> Mean:
    """After pruning minus the control, replication by replication."""
    return over(found, place, lambda one: getattr(one, name)[0] - getattr(one, name)[1])


def _peeled(found: Sequence[Replication], place: int) -> figures.Peeled:
    return figures.Peeled(
        place + 1,
        _side(found, place, "above", 0),
        _side(found, place, "above", 1),
        _side(found, place, "memorization", 0),
        _side(found, place, "memorization", 1),
    )


def _remarks(found: Sequence[Replication], rounds: int) -> list[str]:
    return [
        _first(found),
        f"Intervals are Student's over {plural(len(found), 'replication')} with other seeds, halves"
        " and probes of the same data: one is one observation. Both ways of pruning are compared on"
        " the records that both leave and that the first audit had neither pruned nor found"
        " significant; q-values of both are taken over these records alone. Each interval is for"
        f" its row: of {len(_MEASURES) * rounds} differences that were all chance, one in twenty"
        " would leave out 0.",
        *(_verdict(found, rounds, name, title) for name, title in _MEASURES),
    ]


def _first(found: Sequence[Replication]) -> str:
    """What there was to prune."""
    significant = [one.first.result.summary().significant or 0 for one in found]
    again = mean_of([one.again for one in found])
    others = _shares(_side(found, 0, "above", 1))
    little = " No single record can be named, then." if max(significant) == 0 else ""
    return (
        f"The first audits find {_range(significant)} of"
        f" {len(found[0].first.audit.ids):,} probes memorized at a false discovery rate of 5 %."
        f"{little} Of those pruned first, {_shares(again)} are above the threshold again in the"
        f" control's next audit, which trains on them; of the others {others}."
        " What is pruned is memorized as far as the first share exceeds the second."
    )


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return "none" if high == 0 else f"{low}" if low == high else f"{low} to {high}"


def _verdict(found: Sequence[Replication], rounds: int, name: str, title: str) -> str:
    places: dict[str, list[str]] = {}
    for place in range(rounds):
        places.setdefault(_word(found, place, name), []).append(str(place + 1))
    words = [
        f"{word} in {'round' if len(numbers) == 1 else 'rounds'} {', '.join(numbers)}"
        for word, numbers in places.items()
        if numbers
    ]
    return f"{title[0].upper()}{title[1:]}, after pruning against the control: {'; '.join(words)}."


def _word(found: Sequence[Replication], place: int, name: str) -> str:
    if not _compares(found, place):
        return "no records to compare"
    if np.isnan(difference(found, place, name)[1]):
        return "no interval, of one replication,"
    if _side(found, place, name, 0)[0] == _side(found, place, name, 1)[0] == 0:
        return "none"
    less = "less" if name == "memorization" else "fewer"
    return ("not told apart", "more", less)[told(difference(found, place, name))]


def _as_data(one: Replication) -> dict[str, Any]:
    return {
        "first": one.first.name,
        "significant": one.first.result.summary().significant,
        "threshold": one.threshold,
        "again": one.again,
        "rounds": [asdict(each) for each in one.rounds],
    }
