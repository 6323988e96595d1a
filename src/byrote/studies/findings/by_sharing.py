"""Recitation of boilerplate and of singular text: predictable, or memorized."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from byrote import figures
from byrote.report.format import plural, with_interval
from byrote.report.recitation import percent
from byrote.scores.recitation.counterfactual import CounterfactualRecitation
from byrote.stats.clustered_proportion import clustered_proportion
from byrote.stats.estimate import mean
from byrote.stats.shared_passages import others_with_passage
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import Findings, Rows, as_data

Index = NDArray[np.intp]


def memorized_or_predictable(runs: Sequence[StudyRun]) -> Findings:
    """Tabulate what is recited of boilerplate and of singular text, in training and held out."""
    run = runs[0]
    result, others = run.recitation, others_with_suffix(run)
    kinds = by_kind(result, others, run.declared.boilerplate)
    levels = by_number(result, others)
    return Findings(
        tables=(
            ("Boilerplate and singular text", _table("windows", kinds)),
            ("By number of other texts with the suffix", _table("other texts", levels)),
        ),
        remarks=tuple(_remarks(run, kinds)),
        figures={
            "memorized-or-predictable": figures.recitation_by_sharing([g.drawn for g in levels])
        },
        data={
            "kinds": [as_data(group) for group in kinds],
            "others": [as_data(group) for group in levels],
        },
    )


def others_with_suffix(run: StudyRun) -> Index:
    """Count the other texts that hold the suffix of each window of a run's recitation, (w,).

    Copies of a text are not other texts.
    """
    result, encode = run.recitation, run.models[0].encode
    texts = run.texts.take(run.text_rows)
    tokens = [np.asarray(encode(text), dtype=np.int64) for text in texts.texts]
    counts = others_with_passage(tokens, result.settings.suffix)
    of_text = dict(zip(texts.ids.astype(str), counts, strict=True))
    begins = result.start + result.settings.prefix
    return np.array(
        [of_text[name][begin] for name, begin in zip(result.ids, begins, strict=True)],
        dtype=np.intp,
    )


class Windows:
    """Windows of one kind, and what is recited of them: shares with intervals over texts.

    added: by how much training on a text raises the share recited. without: what fits without the
    text recite of the windows that some fit with the text recites.
    """

    def __init__(self, name: str, result: CounterfactualRecitation) -> None:
        inside, outside = result.recited_in[:, 0], result.recited_out[:, 0]
        ids, suffix, table = result.ids, result.settings.suffix, result.tables()[0]
        self.name, self.windows, self.texts = name, len(result), len(set(ids.tolist()))
        self.recited_in, self.recited_out = (
            clustered_proportion(shares, ids, units="texts") for shares in (inside, outside)
        )
        self.memorized, self.predictable = table.memorized, table.predictable
        self.only_without, self.neither = table.only_without, table.neither
        self.added = result.added()
        recited = inside > 0
        self.without = clustered_proportion(outside[recited], ids[recited], units="texts")
        self.bits_in, self.bits_out = (
            mean(bits / suffix, ids, units="texts") for bits in (result.bits_in, result.bits_out)
        )

    @property
    def drawn(self) -> figures.SharedRecitation:
        """The windows, to be drawn."""
        names = ("memorized", "predictable", "bits_in", "bits_out")
        estimates = {name: getattr(self, name) for name in names}
        return figures.SharedRecitation(self.name, self.windows, **estimates)


def by_kind(result: CounterfactualRecitation, others: Index, boilerplate: int) -> list[Windows]:
    """Return the windows of each kind."""
    return [Windows(name, result.take(w)) for name, w in kinds_of(others, boilerplate).items()]


def kinds_of(others: Index, boilerplate: int) -> dict[str, NDArray[np.bool_]]:
    """Return which windows are of boilerplate, which are singular, and which are in between.

    others: (w,) number of other texts with the suffix; of boilerplate at least ``boilerplate``.
    """
    return {
        "boilerplate": others >= boilerplate,
        "in between": (others > 0) & (others < boilerplate),
        "singular": others == 0,
    }


def by_number(result: CounterfactualRecitation, others: Index) -> list[Windows]:
    """Return the windows by number of other texts with the suffix: 0, 1, 2 to 3, 4 to 7 …"""
    _, doublings = np.frexp(others)
    return [
        Windows(_range(2**doubling // 2, 2**doubling - 1), result.take(doublings == doubling))
        for doubling in np.unique(doublings).tolist()
    ]


def _range(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}–{last}"


_SHARES = {
    "recited with the text": "recited_in",
    "recited without": "recited_out",
    "memorized": "memorized",
    "predictable": "predictable",
    "only without": "only_without",
    "neither": "neither",
}


def _table(first: str, groups: Sequence[Windows]) -> Rows:
    shares = [f"{title} [95 %]" for title in _SHARES]
    head = (first, "number", "texts", *shares, "bits per token, with", "without")
    return [head, *map(_row, groups)]


def _row(group: Windows) -> tuple[str, ...]:
    return (
        group.name,
        f"{group.windows:,}",
        f"{group.texts:,}",
        *(percent(getattr(group, name)) for name in _SHARES.values()),
        with_interval(group.bits_in),
        with_interval(group.bits_out),
    )


def _remarks(run: StudyRun, kinds: Sequence[Windows]) -> list[str]:
    least = plural(run.declared.boilerplate, "other text")
    return [
        f"The suffix of boilerplate stands in {least} or more, that of singular windows in none,"
        " token by token. Memorized: recited by greedy decoding with the text in training and not"
        " without it; predictable: both ways. Shares are means over pairs of fits; intervals are"
        " over texts, and other fits would differ by their seeds too. As much of memorized as there"
        " is of only without may be chance.",
        *map(_verdict, kinds),
    ]


def _verdict(group: Windows) -> str:
    name = group.name.capitalize()
    if not group.windows:
        return f"{name}: there is no such window."
    costs = (
        f"A token of the suffix costs {with_interval(group.bits_in)} bits with the text in training"
        f" and {with_interval(group.bits_out)} without it."
    )
    if group.recited_in.value == 0:
        return f"{name}: no window is recited with its text in training. {costs}"
    verdict = "it is not told whether what is recited is memorized or predictable"
    if group.without.low > 0.5:
        verdict = "what is recited is predictable rather than memorized"
    elif group.without.high < 0.5:
        verdict = "what is recited is memorized rather than predictable"
    return (
        f"{name}: {verdict}. {percent(group.predictable)} of the windows are predictable,"
        f" {percent(group.memorized)} memorized and {percent(group.neither)} recited neither way;"
        f" training on a text adds {percent(group.added)} to those recited. Of what fits with the"
        f" text recite, fits without it recite {percent(group.without)}. {costs}"
    )
