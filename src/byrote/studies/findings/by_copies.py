"""Recitation by number of copies in training, and by size of the model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import figures
from byrote.report.format import plural, with_interval
from byrote.report.recitation import percent
from byrote.scores.recitation.counterfactual import CounterfactualRecitation
from byrote.stats.clustered_proportion import clustered_proportion
from byrote.stats.estimate import Estimate, mean
from byrote.stats.trend import slope
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import Findings, Rows, as_data, numbers

Array = NDArray[np.float64]


def recitation_by_copies(runs: Sequence[StudyRun]) -> Findings:
    """Tabulate what models recite by number of copies, and estimate the change per doubling."""
    models = [_Model(run) for run in runs]
    growth = _by_weights(models)
    return Findings(
        tables=(
            ("Recitation by number of copies", _level_table(models)),
            ("Change per doubling of the copies", _slope_table(models)),
        ),
        remarks=tuple(_remarks(models, growth)),
        figures={"recitation-by-copies": figures.recitation_by_copies([m.curve for m in models])},
        data={
            "recitation": {m.title: [as_data(level) for level in m.levels] for m in models},
            "per_doubling": {
                m.title: {"memorized": numbers(m.memorized), "bits_saved": numbers(m.saved)}
                for m in models
            },
            "per_doubling_of_weights": numbers(growth),
        },
    )


class _Level:
    """What a model recites of the texts with one number of copies."""

    def __init__(self, run: StudyRun, copies: int) -> None:
        rows = run.planted_rows[run.copies == copies]
        whole = run.recitation
        result = whole.take(np.isin(whole.ids, run.memorization.ids[rows]))
        self.copies, self.texts, suffix = copies, len(rows), result.settings.suffix
        self.effect = mean(run.memorization.mean_log[rows], units="texts")
        self.memorized, self.predictable, self.sampled = (
            clustered_proportion(shares, result.ids, units="texts")
            for shares in (result.memorized, result.predictable, _sampled(result))
        )
        self.bits_in, self.bits_out = (
            mean(bits / suffix, result.ids, units="texts")
            for bits in (result.bits_in, result.bits_out)
        )


def _sampled(result: CounterfactualRecitation) -> Array:
    """Return the windows memorized by plain sampling with most samples, (w,) shares."""
    place = len(result.settings.n)
    return np.asarray(result.recited_in[:, place] * (1 - result.recited_out[:, place]))


class _Model:
    """What one model recites, by number of copies, and the change per doubling over texts."""

    def __init__(self, run: StudyRun) -> None:
        self.title, self.weights = run.title, run.weights
        self.levels = [_Level(run, copies) for copies in run.declared.copies]
        result = run.recitation
        texts, suffix = result.texts(), result.settings.suffix
        copies = dict(zip(run.memorization.ids[run.planted_rows], run.copies, strict=True))
        doublings = np.log2([copies[name] for name in texts["id"]])
        shares = texts["memorized"] / texts["windows"]
        saved = texts["bits_saved"] / (texts["windows"] * suffix)
        self.share_of: Mapping[Any, float] = dict(zip(texts["id"], shares, strict=True))
        self.memorized = slope(doublings, shares, units="texts")
        self.saved = slope(doublings, saved, units="texts")
        self.samples = f"{max(result.settings.n):,} samples"

    @property
    def curve(self) -> figures.RecitationCurve:
        """The levels, to be drawn."""
        names = ("copies", "memorized", "bits_in", "bits_out")
        columns = {name: [getattr(level, name) for level in self.levels] for name in names}
        return figures.RecitationCurve(self.title, **columns)


def _by_weights(models: Sequence[_Model]) -> Estimate:
    """Estimate by how much the share of windows memorized changes per doubling of the weights.

    One least-squares slope over the models for each text, and their mean.
    """
    size = np.log2([model.weights for model in models])
    if np.ptp(size) == 0:
        return Estimate(np.nan, reason="the models have the same number of weights")
    texts = [name for name in models[0].share_of if all(name in m.share_of for m in models)]
    shares = np.array([[model.share_of[name] for name in texts] for model in models])
    centred = size - size.mean()
    return mean(centred @ shares / (centred @ centred), units="texts")


def _level_table(models: Sequence[_Model]) -> Rows:
    head = ("", "copies", "texts", "effect, nats [95 %]", "bits per token, without", "with",
            "memorized, greedy [95 %]", f"memorized, {models[0].samples} [95 %]",
            "predictable [95 %]")  # fmt: skip
    return [head, *(_level(model, level) for model in models for level in model.levels)]


def _level(model: _Model, level: _Level) -> tuple[str, ...]:
    return (
        model.title,
        f"{level.copies}",
        f"{level.texts}",
        *(with_interval(value) for value in (level.effect, level.bits_out, level.bits_in)),
        *(percent(share) for share in (level.memorized, level.sampled, level.predictable)),
    )


def _slope_table(models: Sequence[_Model]) -> Rows:
    head = ("", "weights", "windows memorized [95 %]", "bits per token saved [95 %]")
    rows = [
        (model.title, f"{model.weights:,}", percent(model.memorized), with_interval(model.saved))
        for model in models
    ]
    return [head, *rows]


def _remarks(models: Sequence[_Model], growth: Estimate) -> list[str]:
    return [
        "All copies of a text are in the same random half of the fits, so that none stands in for"
        " another. Memorized: recited with the text in training and not without, a mean over pairs"
        " of fits; intervals are over texts, and other fits would differ by their seeds too.",
        *map(_law, models),
        *([] if np.isnan(growth.value) else [_law_of_size(growth)]),
    ]


def _law(model: _Model) -> str:
    first, last = model.levels[0], model.levels[-1]
    ends = (
        f"from {percent(first.memorized)} with {plural(first.copies, 'copy')} to"
        f" {percent(last.memorized)} with {plural(last.copies, 'copy')}"
    )
    if model.memorized.sign > 0:
        change = f"each doubling of the copies adds {percent(model.memorized)} of the windows"
    else:
        change = f"no significant change per doubling of the copies ({percent(model.memorized)})"
    begin = next((level for level in model.levels if level.memorized.value > 0), None)
    if begin is None:
        where = "no window is memorized"
    else:
        where = f"the first are memorized with {plural(begin.copies, 'copy')}"
    return f"{model.title}: {change}, {ends}; {where}."


def _law_of_size(growth: Estimate) -> str:
    verdict = {1: "more", 0: "neither significantly more nor fewer", -1: "fewer"}[growth.sign]
    return (
        f"Size of the model: of the same texts, models with twice the weights memorize {verdict}"
        f" windows ({percent(growth)} per doubling of the weights)."
    )
