"""What a study of mitigations concludes: as far as its intervals reach."""

from collections.abc import Sequence

import numpy as np

from byrote.scores.memorization.summary import Summary
from byrote.stats.estimate import LEVEL
from byrote.studies.execute import StudyRun
from byrote.studies.findings.audits import Contrast, memorization


def conclusions(
    runs: Sequence[StudyRun], pairs: Sequence[Contrast], frontier: Sequence[Contrast]
) -> list[str]:
    """Return what must be known to read the numbers, and what the intervals support."""
    sentences = [_significant(runs), _memorizing(runs), _of_quantiles(runs)]
    if pairs:
        sentences += [_intervals(pairs), *_repetitions(pairs), *_verdicts(pairs), _free(pairs)]
        sentences.append(_on_frontier(frontier))
    return [*sentences, *(sentence for run in runs for sentence in _facts(run))]


def _significant(runs: Sequence[StudyRun]) -> str:
    counts = {run.title: run.memorization.summary().significant for run in runs}
    some = [f"{title} ({count})" for title, count in counts.items() if count]
    if some:
        return f"Audits with records memorized at a false discovery rate of 5 %: {'; '.join(some)}."
    return (
        "In no audit can a single record be called memorized at a false discovery rate of 5 %"
        f"{_needed(runs[0].memorization.summary())}. Means over all probes can be told apart all"
        " the same."
    )


def _needed(summary: Summary) -> str:
    if summary.needed is None:
        return ""
    if summary.needed > summary.scored:
        return ": with so few fits no p-value can be small enough"
    return f"; {summary.needed:,} must reach the smallest p-value for any to count"


def _memorizing(runs: Sequence[StudyRun]) -> str:
    """Return whose memorization differs from 0: what is not there cannot be seen to fall."""
    above = [run.title for run in runs if memorization(run).sign > 0]
    others = [run.title for run in runs if run.title not in above]
    if not others:
        return "In every audit memorization, on average over the probes, is told from 0."
    return (
        "On average over the probes, memorization is told from 0 (each interval for itself) in:"
        f" {_titles(above)}. Not in: {'; '.join(others)}. Where there is none to see,"
        " none can be seen to fall."
    )


def _of_quantiles(runs: Sequence[StudyRun]) -> str:
    same = all(
        np.allclose(run.probe_scores("score"), run.probe_scores("matched"), equal_nan=True)
        for run in runs
    )
    which = "M and matched are the same here, with as many values in as out" if same else "M"
    return (
        f"Quantiles ({which}) are of scores with their noise, and have no valid interval. By"
        " chance, in brackets: the same with each record's values dealt out anew, in training or"
        " held out. What is beyond that is memorization; what is not, is noise."
    )


def _intervals(pairs: Sequence[Contrast]) -> str:
    level = f"{1 - (1 - LEVEL) / len(pairs):.1%}".replace("%", " %")
    paired = sum(pair.change.paired for pair in pairs)
    return (
        f"Differences: intervals hold for all {len(pairs)} together (each has level {level})."
        " They speak of other seeds and halves of the probes, for these probes. Fits are compared"
        " one by one where they train on the same records with the same seeds"
        f" ({paired} of {len(pairs)})."
    )


def _repetitions(pairs: Sequence[Contrast]) -> list[str]:
    """Return whether runs that repeat the same training differ, which they should not."""
    sentences = []
    for pair in pairs:
        run, baseline = pair.run.declared, pair.baseline.declared
        if run.pruned is None and (run.model, run.epochs) == (baseline.model, baseline.epochs):
            differences = {"memorization": pair.memorization, "held-out log p": pair.held_out}
            apart = [name for name, estimate in differences.items() if estimate.sign]
            verdict = f"TOLD APART in {' and '.join(apart)}" if apart else "not told apart"
            sentences.append(f"{pair.run.title}: the same training again, and {verdict}.")
    return sentences


def _verdicts(pairs: Sequence[Contrast]) -> list[str]:
    less, same, more = (
        _titles([pair.run.title for pair in pairs if pair.memorization.sign == sign])
        for sign in (-1, 0, 1)
    )
    worse, level, better = (
        _titles([pair.run.title for pair in pairs if pair.held_out.sign == sign])
        for sign in (-1, 0, 1)
    )
    return [
        f"Memorizes less than what it is compared with: {less}. More: {more}. Not told apart:"
        f" {same}.",
        f"Predicts held-out records worse: {worse}. Better: {better}. Not told apart: {level}.",
    ]


def _free(pairs: Sequence[Contrast]) -> str:
    less = [pair for pair in pairs if pair.memorization.sign < 0]
    free = [pair.run.title for pair in less if pair.held_out.sign >= 0]
    if not less:
        return "Nothing is told to memorize less, as far as these intervals reach."
    if not free:
        return "What memorizes less predicts worse, as far as these intervals reach."
    return f"Memorizes less and is not told to predict worse: {'; '.join(free)}."


def _on_frontier(frontier: Sequence[Contrast]) -> str:
    members = "; ".join(pair.run.title for pair in frontier) or "none of those compared"
    return (
        f"On the Pareto frontier of the differences: {members}. Membership goes by the means; the"
        " intervals say how far they can be told apart."
    )


def _titles(titles: Sequence[str]) -> str:
    return "; ".join(titles) or "none"


def _facts(run: StudyRun) -> list[str]:
    """Return what models report of their training."""
    sentences = []
    stopped = sorted({int(each["epoch"]) for each in run.facts("stopped")})
    if stopped:
        best = " to ".join(map(str, dict.fromkeys([stopped[0], stopped[-1]])))
        sentences.append(f"the best epoch of a fit was {best} of {run.declared.epochs}")
    shares = [float(each["share"]) for each in run.facts("outlier")]
    if shares:
        share = f"{np.mean(shares):.2%}".replace("%", " %")
        sentences.append(f"it takes {share} of the training records")
    # Labels differ a little between fits: one stands for all.
    labels = sorted({each.get("label", "") for each in run.facts("privacy")} - {""})
    return [f"{run.title}: {sentence}." for sentence in [*sentences, *labels[-1:]]]
