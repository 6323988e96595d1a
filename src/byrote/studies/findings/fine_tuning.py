"""Fine-tuning: which texts are found and recited, what was known before, and how long to train."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.report.format import number, plural, with_interval
from byrote.report.recitation import percent
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.scores.recitation.counterfactual import CounterfactualRecitation
from byrote.stats.clustered_proportion import clustered_proportion
from byrote.stats.estimate import Estimate, mean, proportion
from byrote.studies.execute import StudyRun
from byrote.studies.findings.by_sharing import kinds_of, others_with_suffix
from byrote.studies.findings.finding import Findings, Rows, as_data, numbers

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
_HALF = 0.5  # of the pairs of fits, with and without a text
_SHOWN = 20  # texts


def fine_tuning(runs: Sequence[StudyRun]) -> Findings:
    """Tabulate the planted texts found and recited, and windows before and after fine-tuning.

    The first run is compared with the pretrained model, and with the others.
    """
    first, *others = runs
    levels = [_Level(run, copies) for run in runs for copies in run.declared.copies]
    kinds = _before_and_after(first)
    changes = {other.title: _changes(first, other) for other in others}
    tables: list[tuple[str, Rows]] = [
        ("Texts found and texts recited", _level_table(levels)),
        (f"Planted texts with the largest effects, {first.title}", _text_table(first)),
        (f"Before and after fine-tuning, {first.title}", _kind_table(kinds)),
    ]
    if changes:
        tables.append(
            (
                "The same windows in a longer and a shorter fine-tuning",
                _change_table(first, changes),
            )
        )
    return Findings(
        tables=tuple(tables),
        remarks=tuple(_remarks(first, levels, kinds, changes)),
        data={
            "found_and_recited": [as_data(level) for level in levels],
            "before_and_after": [as_data(kind) for kind in kinds],
            "changes": {
                title: {name: numbers(value) for name, value in change.items()}
                for title, change in changes.items()
            },
        },
    )


# -- texts found by their scores, and recited ------------------------------------------------------


class _Level:
    """Planted texts with one number of copies, and how many are found and recited."""

    def __init__(self, run: StudyRun, copies: int) -> None:
        level = run.copies == copies
        found, recited = found_texts(run)[level], recited_texts(run)[level]
        gain = np.asarray(run.memorization.counterfactual)[run.planted_rows[level]]
        self.run, self.copies, self.texts = run.title, copies, int(level.sum())
        self.found, self.recited, self.both = (
            proportion(int(each.sum()), len(each)) for each in (found, recited, found & recited)
        )
        self.counterfactual = mean(gain, units="texts")


def found_texts(run: StudyRun) -> Flags:
    """Return which planted texts are memorized at a false discovery rate of 5 %, (t,)."""
    return np.asarray(run.planted_q_values <= SIGNIFICANCE)


def recited_texts(run: StudyRun) -> Flags:
    """Return which planted texts have a window that is memorized, (t,).

    In more than half of the pairs of fits, with the text in training and without it.
    """
    result = run.recitation
    recited = set(result.ids[result.memorized > _HALF].tolist())
    return np.array([str(name) in recited for name in run.texts.ids[run.planted_rows]], dtype=bool)


def _level_table(levels: Sequence[_Level]) -> Rows:
    head = ("", "copies", "texts", f"found, q ≤ {SIGNIFICANCE:g} [95 %]", "recited [95 %]",
            "both [95 %]", "counterfactual memorization [95 %]")  # fmt: skip
    rows = [
        (
            level.run,
            f"{level.copies}",
            f"{level.texts}",
            *(percent(share) for share in (level.found, level.recited, level.both)),
            with_interval(level.counterfactual),
        )
        for level in levels
    ]
    return [head, *rows]


def _text_table(run: StudyRun) -> Rows:
    """Tabulate the planted texts by decreasing effect; at most the first of them."""
    scores, rows = run.memorization, run.planted_rows
    columns = run.recitation.texts()
    names = ("windows", "memorized", "predictable")
    counts = {
        name: values
        for name, *values in zip(columns["id"], *(columns[n] for n in names), strict=True)
    }
    head = ("text", "copies", "effect, nats [95 %]", "q", "windows", "memorized", "predictable")
    body = [
        (
            str(scores.ids[row]),
            f"{copies}",
            with_interval(Estimate(scores.mean_log[row], *scores.interval[row])),
            number(q_value),
            *(f"{value:.3g}" for value in counts.get(str(scores.ids[row]), [0, 0, 0])),
        )
        for row, copies, q_value in zip(rows, run.copies, run.planted_q_values, strict=True)
    ]
    order = np.argsort(-scores.mean_log[rows], kind="stable")[:_SHOWN]
    return [head, *(body[place] for place in order)]


# -- windows before and after fine-tuning ----------------------------------------------------------


class _Kind:
    """Windows of one kind by the model before fine-tuning, and after it without and with a text.

    by_others, by_itself: what fine-tuning on other texts, and on the text itself, adds to the share
    recited.
    """

    def __init__(self, name: str, shares: Sequence[Array], bits: Sequence[Array], ids: Any) -> None:
        self.name, self.windows = name, len(ids)
        self.before, self.without, self.with_text = (
            clustered_proportion(share, ids, units="texts") for share in shares
        )
        self.by_others, self.by_itself = (
            mean(after - before, ids, units="texts").within(-1, 1)
            for before, after in pairwise(shares)
        )
        self.bits_before, self.bits_without, self.bits_with = (
            mean(values, ids, units="texts") for values in bits
        )


def _before_and_after(run: StudyRun) -> list[_Kind]:
    result, windows = run.recitation, run.recitation_before.windows
    suffix = result.settings.suffix
    rows = _rows_of(result, windows)
    shares = (
        (windows.matched == suffix)[rows].astype(float),
        result.recited_out[:, 0],
        result.recited_in[:, 0],
    )
    bits = [each / suffix for each in (windows.bits[rows], result.bits_out, result.bits_in)]
    kinds = kinds_of(others_with_suffix(run), run.declared.boilerplate)
    return [
        _Kind(name, [s[kind] for s in shares], [b[kind] for b in bits], result.ids[kind])
        for name, kind in kinds.items()
    ]


def _rows_of(result: CounterfactualRecitation, other: Any) -> NDArray[np.intp]:
    """Return the row of each window of a result in another, which has all of them."""
    rows = {place: row for row, place in enumerate(_places(other))}
    return np.array([rows[place] for place in _places(result)], dtype=np.intp)


def _places(windows: Any) -> list[tuple[str, int]]:
    return list(zip(windows.ids.tolist(), windows.start.tolist(), strict=True))


def _kind_table(kinds: Sequence[_Kind]) -> Rows:
    head = ("windows", "number", "recited before [95 %]", "after, without the text [95 %]",
            "after, with it [95 %]", "bits per token before", "without", "with")  # fmt: skip
    rows = [
        (
            kind.name,
            f"{kind.windows:,}",
            *(percent(share) for share in (kind.before, kind.without, kind.with_text)),
            *(
                with_interval(bits)
                for bits in (kind.bits_before, kind.bits_without, kind.bits_with)
            ),
        )
        for kind in kinds
    ]
    return [head, *rows]


# -- the first run beside another ------------------------------------------------------------------


_CHANGES = {  # columns of a recitation, with their titles
    "memorized": "windows memorized [95 %]",
    "predictable": "windows predictable [95 %]",
    "bits_in": "bits per token, with the text [95 %]",
    "bits_out": "without it [95 %]",
}


def _changes(first: StudyRun, other: StudyRun) -> dict[str, Estimate]:
    """Estimate by how much another run exceeds the first, over the same windows of texts."""
    here, there = first.recitation, other.recitation
    known = set(_places(there))
    shared = [place in known for place in _places(here)]
    here = here.take(np.flatnonzero(shared))
    rows = _rows_of(here, there)
    unit = {"bits_in": here.settings.suffix, "bits_out": here.settings.suffix}
    return {
        name: mean(
            (getattr(there, name)[rows] - getattr(here, name)) / unit.get(name, 1),
            here.ids,
            units="texts",
        )
        for name in _CHANGES
    }


def _change_table(first: StudyRun, changes: Mapping[str, Mapping[str, Estimate]]) -> Rows:
    head = (f"less {first.title}", *_CHANGES.values())
    rows = [
        (
            title,
            *(percent(change[name]) for name in ("memorized", "predictable")),
            *(with_interval(change[name]) for name in ("bits_in", "bits_out")),
        )
        for title, change in changes.items()
    ]
    return [head, *rows]


# -- in words --------------------------------------------------------------------------------------


def _remarks(
    first: StudyRun,
    levels: Sequence[_Level],
    kinds: Sequence[_Kind],
    changes: Mapping[str, Mapping[str, Estimate]],
) -> list[str]:
    return [
        "Found: training on all copies of a text together raises its log p, at a false discovery"
        " rate of 5 % over the texts. Recited: greedy decoding completes a window of the text in"
        " more than half of the pairs of fits with it in training and not in those without it."
        " Intervals are over texts, and other fits would differ by their seeds too.",
        *(_found(level) for level in levels if level.run == first.title),
        *(_before(kind) for kind in kinds if kind.windows),
        *(_change(first, title, change) for title, change in changes.items()),
    ]


def _found(level: _Level) -> str:
    return (
        f"{level.run}, {plural(level.copies, 'copy')}: {percent(level.found)} of the texts are"
        f" found, {percent(level.recited)} are recited, {percent(level.both)} both."
    )


def _before(kind: _Kind) -> str:
    return (
        f"{kind.name.capitalize()}: {percent(kind.before)} of the windows are recited before"
        f" fine-tuning; fine-tuning on other texts adds {percent(kind.by_others)}, and on the text"
        f" itself {percent(kind.by_itself)} more."
    )


def _change(first: StudyRun, title: str, change: Mapping[str, Estimate]) -> str:
    words = {1: "more", 0: "neither significantly more nor fewer", -1: "fewer"}
    memorized, costs = change["memorized"], change["bits_out"]
    held_out = {1: "more", 0: "not significantly more or fewer", -1: "fewer"}[costs.sign]
    return (
        f"{title} in place of {first.title}: {words[memorized.sign]} windows are memorized"
        f" ({percent(memorized)}), and a token of a text held out costs {held_out} bits"
        f" ({with_interval(costs)})."
    )
