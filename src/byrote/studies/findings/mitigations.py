"""Changes of training against memorization, and their cost in held-out log-likelihood."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from byrote import figures
from byrote.report.figures.pareto import difference_labels
from byrote.report.format import duration, number, with_interval
from byrote.stats.estimate import LEVEL, Estimate
from byrote.stats.pareto_frontier import pareto_frontier
from byrote.studies.execute import StudyRun
from byrote.studies.findings import audits
from byrote.studies.findings.audits import LEVELS, Contrast, Quantiles
from byrote.studies.findings.finding import Findings, Rows, numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ATTACKS = ("loss", "lira")


def compare_mitigations(runs: Sequence[StudyRun]) -> Findings:
    """Compare runs that audit the same probes with their baselines."""
    pairs = audits.contrasts(runs)
    frontier = _frontier(pairs)
    chance = {run.name: audits.by_chance(run, LEVELS) for run in runs}
    return Findings(
        tables=(
            ("Memorization and usefulness", _audits(runs)),
            ("M by quantiles, nats", _quantiles(runs, chance)),
            ("What changes", _changes(pairs, frontier)),
        ),
        remarks=tuple(_conclusions(runs, pairs, frontier)),
        figures=_figures(runs, chance, pairs),
        data={
            "audits": [_audit_as_data(run, chance[run.name]) for run in runs],
            "differences": [_contrast_as_data(pair, pair in frontier) for pair in pairs],
        },
    )


def _audits(runs: Sequence[StudyRun]) -> Rows:
    head = ("", "probes", "held-out log p [95 %]", "mean of mean_log [95 %]",
            "significant (q ≤ 0.05)", "AUC, loss [95 %]", "AUC, LiRA [95 %]", "epsilon guaranteed",
            "a fit")  # fmt: skip
    return [head, *map(_audit, runs)]


def _audit(run: StudyRun) -> tuple[str, ...]:
    seconds, promised = run.median_seconds(), audits.epsilon(run)
    attacks = [audits.membership(run, attack) for attack in ATTACKS]
    return (
        run.title,
        f"{len(run.probe_rows()):,}",
        with_interval(audits.held_out(run)),
        with_interval(audits.memorization(run)),
        "–" if run.significant is None else f"{run.significant:,}",
        *(with_interval(Estimate(attack.auc, *attack.interval)) for attack in attacks),
        "" if promised is None else f"{number(promised[0])} (delta {promised[1]:g})",
        "–" if np.isnan(seconds) else duration(seconds),
    )


def _quantiles(runs: Sequence[StudyRun], chance: Mapping[str, Quantiles]) -> Rows:
    head = ("", "median (by chance)", "95 % (by chance)", "99.9 % (by chance)", "split-half corr.")
    rows = []
    for run in runs:
        values, permuted = audits.quantiles_of(run), chance[run.name]
        cells = [f"{number(values[level])} ({number(permuted[level])})" for level in LEVELS]
        rows.append((run.title, *cells, number(run.memorization.summary().reliability.score)))
    return [head, *rows]


def _changes(pairs: Sequence[Contrast], frontier: Sequence[Contrast]) -> Rows:
    head = ("", "baseline", "probes of both", "memorization, mean of mean_log [95 % together]",
            "95 % quantile of M, of the baseline", "held-out log p [95 % together]",
            "frontier")  # fmt: skip
    rows = [
        (
            pair.run.title,
            pair.baseline.title,
            f"{len(pair.change.ids):,}",
            with_interval(pair.memorization),
            ", ".join(number(value) for value in pair.high),
            with_interval(pair.held_out),
            "yes" if pair in frontier else "",
        )
        for pair in pairs
    ]
    return [head, *rows]


def _frontier(pairs: Sequence[Contrast]) -> list[Contrast]:
    """Return the Pareto frontier by the means; the baseline is at 0, 0."""
    x = np.array([0.0, *(-pair.held_out.value for pair in pairs)])
    y = np.array([0.0, *(pair.memorization.value for pair in pairs)])
    return [pairs[place - 1] for place in pareto_frontier(x, y).tolist() if place]


def _figures(
    runs: Sequence[StudyRun], chance: Mapping[str, Quantiles], pairs: Sequence[Contrast]
) -> "dict[str, Figure]":
    rows = [
        figures.Quantiles(run.title, values, chance[run.name])
        for run in runs
        for values in [audits.quantiles_of(run)]
        if np.isfinite(list(values.values())).all()
    ]
    drawn: dict[str, Figure] = {}
    if rows:
        drawn["memorization-quantiles"] = figures.quantiles_by_configuration(rows)
    known = [p for p in pairs if np.isfinite([p.held_out.value, p.memorization.value]).all()]
    if known:
        base = known[0].baseline.title
        points, labels = [_point(pair, base) for pair in known], difference_labels(base)
        drawn["mitigations-pareto"] = figures.pareto(points, *labels, baseline=base)
    return drawn


def _point(pair: Contrast, base: str) -> figures.ParetoPoint:
    name, cost, more = pair.run.title, pair.held_out, pair.memorization
    if pair.baseline.title != base:
        name = f"{name} (baseline: {pair.baseline.title})"
    return figures.ParetoPoint(
        name=name,
        x=-cost.value,
        y=more.value,
        x_interval=(-cost.high, -cost.low),
        y_interval=(more.low, more.high),
    )


def _audit_as_data(run: StudyRun, chance: Quantiles) -> dict[str, Any]:
    promised = audits.epsilon(run) or (None, None)
    return {
        "name": run.name,
        "probes": len(run.probe_rows()),
        "held_out": numbers(audits.held_out(run)),
        "mean_log": numbers(audits.memorization(run)),
        "significant": run.significant,
        "quantiles": {
            name: audits.quantiles_of(run, name) for name in ("score", "matched", "mean_log")
        },
        "by_chance": chance,
        "membership": {attack: audits.membership(run, attack).to_dict() for attack in ATTACKS},
        "epsilon": promised[0],
        "delta": promised[1],
    }


def _contrast_as_data(pair: Contrast, frontier: bool) -> dict[str, Any]:
    return {
        "name": pair.run.name,
        "baseline": pair.baseline.name,
        "probes": len(pair.change.ids),
        "paired": pair.change.paired,
        "memorization": numbers(pair.memorization),
        "held_out": numbers(pair.held_out),
        "frontier": frontier,
    }


# -- conclusions ------------------------------------- --------------------------------------------


def _conclusions(
    runs: Sequence[StudyRun], pairs: Sequence[Contrast], frontier: Sequence[Contrast]
) -> list[str]:
    sentences = [_significant(runs), _memorizing(runs), _of_quantiles(runs)]
    if pairs:
        sentences += [_intervals(pairs), *_repetitions(pairs), *_verdicts(pairs), _free(pairs)]
        sentences.append(_on_frontier(frontier))
    return [*sentences, *(sentence for run in runs for sentence in _facts(run))]


def _significant(runs: Sequence[StudyRun]) -> str:
    some = [f"{run.title} ({run.significant})" for run in runs if run.significant]
    if some:
        return f"Audits with records memorized at a false discovery rate of 5 %: {'; '.join(some)}."
    return (
        f"No audit finds a record at a false discovery rate of 5 %; in {runs[0].title},"
        f" {audits.detectable(runs[0])}. Means over all probes can differ significantly"
        " nevertheless."
    )


def _memorizing(runs: Sequence[StudyRun]) -> str:
    above = [run.title for run in runs if audits.memorization(run).sign > 0]
    others = [run.title for run in runs if run.title not in above]
    if not others:
        return "Mean memorization over the probes is significantly above 0 in every audit."
    return (
        "Mean memorization over the probes is significantly above 0 (each interval alone) in:"
        f" {_titles(above)}. Not in: {'; '.join(others)}; there no reduction can be detected."
    )


def _of_quantiles(runs: Sequence[StudyRun]) -> str:
    same = all(
        np.allclose(run.probe_scores("score"), run.probe_scores("matched"), equal_nan=True)
        for run in runs
    )
    which = "M equals matched here, with as many values in training as held out" if same else "M"
    return (
        f"Quantiles ({which}) include the noise of the scores and have no valid interval. By"
        " chance, in brackets: quantiles after permuting each record's values between training and"
        " held out. Only what exceeds them is memorization."
    )


def _intervals(pairs: Sequence[Contrast]) -> str:
    level = f"{1 - (1 - LEVEL) / len(pairs):.1%}".replace("%", " %")
    paired = sum(pair.change.paired for pair in pairs)
    return (
        f"Differences: intervals hold for all {len(pairs)} together (each has level {level}), over"
        " seeds and halves of the probes, for these probes. Fits are compared one by one where they"
        f" train on the same records with the same seeds ({paired} of {len(pairs)})."
    )


def _repetitions(pairs: Sequence[Contrast]) -> list[str]:
    """Compare runs that repeat the same training: they should not differ."""
    sentences = []
    for pair in pairs:
        run, baseline = pair.run.declared, pair.baseline.declared
        if run.pruned is None and (run.model, run.epochs) == (baseline.model, baseline.epochs):
            differences = {"memorization": pair.memorization, "held-out log p": pair.held_out}
            apart = " and ".join(name for name, change in differences.items() if change.sign)
            verdict = (
                f"significantly DIFFERENT in {apart}" if apart else "no significant difference"
            )
            sentences.append(f"{pair.run.title}: the same training again, {verdict}.")
    return sentences


def _verdicts(pairs: Sequence[Contrast]) -> list[str]:
    (less, same, more), (worse, level, better) = (
        [
            _titles([pair.run.title for pair in pairs if getattr(pair, name).sign == sign])
            for sign in (-1, 0, 1)
        ]
        for name in ("memorization", "held_out")
    )
    return [
        f"Memorizes significantly less than its baseline: {less}. More: {more}. Neither: {same}.",
        f"Predicts held-out records significantly worse: {worse}. Better: {better}. Neither:"
        f" {level}.",
    ]


def _free(pairs: Sequence[Contrast]) -> str:
    less = [pair for pair in pairs if pair.memorization.sign < 0]
    free = [pair.run.title for pair in less if pair.held_out.sign >= 0]
    if not less:
        return "No run memorizes significantly less."
    if not free:
        return "Every run that memorizes significantly less predicts significantly worse."
    return (
        f"Memorizes significantly less without predicting significantly worse: {'; '.join(free)}."
    )


def _on_frontier(frontier: Sequence[Contrast]) -> str:
    members = "; ".join(pair.run.title for pair in frontier) or "none of those compared"
    return (
        f"On the Pareto frontier of the differences: {members}. The frontier ignores intervals; it"
        " compares means."
    )


def _titles(titles: Sequence[str]) -> str:
    return "; ".join(titles) or "none"


def _facts(run: StudyRun) -> list[str]:
    sentences = []
    stopped = sorted({int(each["epoch"]) for each in run.facts("stopped")})
    if stopped:
        best = " to ".join(map(str, dict.fromkeys([stopped[0], stopped[-1]])))
        sentences.append(f"the best epoch of a fit was {best} of {run.declared.epochs}")
    shares = [float(each["share"]) for each in run.facts("outlier")]
    if shares:
        share = f"{np.mean(shares):.2%}".replace("%", " %")
        sentences.append(f"the component takes {share} of the training records")
    # Labels differ slightly between fits; one is enough.
    labels = sorted({each.get("label", "") for each in run.facts("privacy")} - {""})
    return [f"{run.title}: {sentence}." for sentence in [*sentences, *labels[-1:]]]
