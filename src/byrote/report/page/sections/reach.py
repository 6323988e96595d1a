"""What a run of scores could have found: an empty list of records is not an all-clear."""

import numpy as np

from byrote.report import cautions
from byrote.report import sensitivity as text
from byrote.report.format import number, plural, statistic_of, times
from byrote.report.page import cells
from byrote.report.page.audit import Audit
from byrote.report.page.content import Block, Facts, Grid, Number, Prose, Section
from byrote.report.page.sections.registry import section
from byrote.scores.elsewhere import accidents_of
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.sensitivity import Sensitivity
from byrote.stats.estimate import Estimate, proportion


@section(order=30)
def reach(audit: Audit) -> Section | None:
    """Return what the test could find, and what its control showed; None without scores."""
    result = audit.scores
    if result is None:
        return None
    summary = result.summary()
    blocks: list[Block] = [Prose(tuple(text.reach(result)))]
    if summary.significant is None:
        blocks = [
            Prose((f"No p-values: {summary.p_value_method.removeprefix('none: ')}.",), "alarm")
        ]
    warnings = (*cautions.all_of(result), *(each.text for each in accidents_of(audit.run)))
    blocks += [Prose(warnings, "alarm")] if warnings else []
    blocks.append(Facts(tuple(_facts(audit, result))))
    blocks += _control(summary.sensitivity)
    return Section(
        "reach",
        "What could have been found",
        tuple(blocks),
        {"sensitivity": summary.sensitivity.to_dict(), "needed": summary.needed},
        numbers=(_smallest(result),),
        untested=_unseen(summary.sensitivity),
    )


def _facts(audit: Audit, result: MemorizationResult) -> list[tuple[str, str]]:
    run, summary = audit.run, result.summary()
    halves = summary.reliability.score
    return [
        ("fits", f"{len(run.finished):,} of {run.design.fits:,} trained and scored"),
        ("membership", _drawn(audit)),
        ("test", summary.p_value_method),
        ("smallest possible p-value", cells.probability(summary.smallest_p).text),
        (
            "split-half rank correlation of M",
            "unknown: too few fits for two halves"
            if np.isnan(halves)
            else f"{number(halves)} (1: half of the fits rank records as the other half does)",
        ),
    ]


def _drawn(audit: Audit) -> str:
    if audit.run.design.randomized:
        return "drawn at random, as the test assumes"
    return "not known to be random: there are no p-values"


def _smallest(result: MemorizationResult) -> Number:
    sensitivity = result.summary().sensitivity
    name, effect = "smallest lone effect found in 4 of 5 runs", sensitivity.detectable
    if np.isnan(effect):
        return Number(name, "", note=sensitivity.reason or "the moderated test cannot be had")
    if np.isinf(effect):
        return Number(name, "", note="this plan can find no single record: it has too few fits")
    if sensitivity.far_from_normal:
        return Number(name, "", note="retraining noise is far from normal")
    noisy = f"{number(sensitivity.detectable_noisy)} nats in a noisy record"
    known = Estimate(effect, reason="a forecast from this run's own noise")
    value, _ = statistic_of(result.description)
    likely = f" (made {times(effect)} times as likely)" if value == "log p" else ""
    note = (
        f"of a single record{likely} among others that are not memorized; where many are, smaller"
        " effects can be found too"
    )
    return Number(name, f"{number(effect)} nats", noisy, note, "detectable_nats", known)


def _unseen(sensitivity: Sensitivity) -> tuple[str, ...]:
    if np.isfinite(sensitivity.detectable) and not sensitivity.far_from_normal:
        return (
            f"Effects below {number(sensitivity.detectable)} nats"
            f" ({number(sensitivity.detectable_noisy)} in a noisy record) on a record that is the"
            " only one memorized: this plan of fits misses more than one in five of them.",
        )
    if np.isinf(sensitivity.detectable):
        return ("Single records: this plan has too few fits to find any one of them.",)
    return ("How small an effect this run would have found is not known.",)


def _control(sensitivity: Sensitivity) -> list[Block]:
    """Return how often the control's p-values are small, beside how often they should be."""
    if sensitivity.control is None:
        return []
    total = sensitivity.control_values
    rows = []
    for level, share in sensitivity.control_below.items():
        observed = proportion(round(share * total), total)
        rows.append(
            cells.row(
                f"below {float(level):.3g}",
                f"{100 * float(level):.3g}%",
                f"{100 * share:.3g}%",
                f"{100 * observed.low:.3g}% to {100 * observed.high:.3g}%",
            )
        )
    title = f"Negative control ({sensitivity.control}): {plural(total, 'p-value')} by chance alone"
    grid = Grid(title, ("p-value", "expected", "observed", "95 %"), tuple(rows))
    return [grid, Prose((text.control(sensitivity),), "note")]
