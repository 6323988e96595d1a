"""Privacy evidence as a short text for the terminal, or as plain data."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.report.text import headline_of, number, plain, printable
from byrote.scores.privacy.evidence import Bound, GroupMeasure, PrivacyEvidence
from byrote.scores.privacy.membership import MembershipInference

METHODS = {
    "one-run": "guesses about coins",
    "one-run-gaussian": "the same, if Gaussian",
    "rates": "trials of one record",
    "density": "mean densities",
    "exposure": "ranks of secrets",
}
MEASURES = {
    "memorization": "memorization, nats",
    "exposure": "exposure, bits",
    "membership": "membership, AUC",
    "epsilon": "epsilon",
}


def render(evidence: PrivacyEvidence) -> RenderableType:
    """What is proven and promised, every bound, the attacks, and all of it side by side."""
    parts: list[RenderableType] = [
        _headline(evidence),
        verdict(evidence),
        Text(""),
        _bounds(evidence),
        Text(""),
        _attacks(evidence),
        _unmade(evidence.membership),
        Text(""),
        _sides(evidence.sides),
        _remarks(evidence.sides),
    ]
    return Group(*parts)


def to_json(evidence: PrivacyEvidence) -> dict[str, Any]:
    """The same as plain data that JSON can hold: NaN is null, infinities are text."""
    found: dict[str, Any] = plain({"description": dict(evidence.description), **evidence.to_dict()})
    return found


def verdict(evidence: PrivacyEvidence) -> Text:
    """What the headline's bound proves, what is promised, and whether the two agree."""
    bound, text = evidence.headline, Text()
    claim = f"at delta {bound.delta:.3g}, {100 * (1 - bound.significance):.4g}% confidence"
    if np.isnan(bound.epsilon):
        text.append(f"Epsilon is not bounded: {bound.reason}.", style="bold")
    elif bound.epsilon == 0:
        text.append(f"No privacy loss is proven {claim}: {rests_on(bound)}.", style="bold")
    else:
        text.append(f"Epsilon is at least {number(bound.epsilon)} {claim}", style="bold")
        text.append(f": {rests_on(bound)}.")
    text.append(f"\n{promise(evidence.promised)}")
    if evidence.contradicted:
        text.append(
            f" That is contradicted: it allows {number(evidence.allowed)} for such neighbours.",
            style="bold red",
        )
    return text


def promise(promised: Mapping[str, Any] | None) -> str:
    """What the model says of itself, in a sentence."""
    if promised is None:
        return "The model promises nothing."
    most, least = (number(promised.get(name, np.nan)) for name in ("epsilon", "smallest_epsilon"))
    said = f"epsilon {most} at delta {promised['delta']:.3g}"
    if "smallest_epsilon" in promised and least != most:
        said += f" (fits differ, from {least})"
    unit = [f"for each {promised['unit']}"] if promised.get("unit") else []
    how = [f"by {promised['accountant']}"] if promised.get("accountant") else []
    label = [str(promised["label"])] if promised.get("label") else []
    return printable(f"Promised: {', '.join([said, *unit, *how, *label])}.")


def rests_on(bound: Bound) -> str:
    """What a bound was computed from, in a few words."""
    return _RESTS[bound.method](bound.detail)


def _guesses(detail: Mapping[str, Any]) -> str:
    fits = "1 fit" if detail["fits"] == 1 else f"{detail['fits']} fits"
    mu = f"; mu {number(detail['mu'])}" if "mu" in detail else ""
    right = f"{detail['correct']:,} of {detail['guesses']:,} guesses right"
    return f"{right}, {detail['coins']:,} coins in {fits}{mu}"


def _trials(detail: Mapping[str, Any]) -> str:
    return (
        f"{detail['true_positives']} of {detail['members']} fits with record"
        f" {printable(detail['record'])} told, {detail['false_positives']} of"
        f" {detail['non_members']} false alarms"
    )


def _densities(detail: Mapping[str, Any]) -> str:
    text = f"{detail['records'] - detail['unscored']:,} records, {detail['relation']}"
    if not np.isnan(detail["claimed"]):
        text += f", {detail['exceeding']:,} with a limit above {number(detail['claimed'])}"
    return text


def _ranks(detail: Mapping[str, Any]) -> str:
    best = max(detail["levels"], key=lambda row: (row["epsilon"], -row["p_value"]))
    copies = "1 copy" if best["insertions"] == 1 else f"{best['insertions']} copies"
    where = f" in up to {best['units']} windows" if detail["windows"] > 1 else ""
    of = "window" if detail["windows"] > 1 else "copy"
    return (
        f"median p-value {number(best['p_value'])} of {best['canaries']} secrets with {copies}"
        f"{where}; epsilon is that of one {of}"
    )


_RESTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "one-run": _guesses,
    "one-run-gaussian": _guesses,
    "rates": _trials,
    "density": _densities,
    "exposure": _ranks,
}


def _headline(evidence: PrivacyEvidence) -> Text:
    lines = headline_of(evidence.description)
    fits = evidence.description["plan"]["fits"]
    lines.append(f"{fits - len(evidence.missing):,} of {fits:,} fits")
    if evidence.missing:
        lines.append("\nINCOMPLETE: these are the numbers of the fits that are there", "bold red")
    return lines


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, title in enumerate(titles):
        table.add_column(Text(title), justify="right" if place > 0 else "left")
    return table


def _bounds(evidence: PrivacyEvidence) -> Table:
    table = _table("lower bounds", "epsilon", "rests on")
    table.columns[2].justify = "left"
    said = ""
    for bound in evidence.bounds:
        name = METHODS[bound.method] + (" (*)" if bound.method == evidence.method else "")
        why = rests_on(bound) if not bound.reason else "the same"
        if bound.reason and bound.reason != said:
            why = bound.reason
        said = bound.reason or said
        table.add_row(Text(name), number(bound.epsilon), Text(why))
    return table


def _attacks(evidence: PrivacyEvidence) -> Table:
    rates = [hit.asked for hit in evidence.membership[0].hits]
    titles = [f"found at {100 * rate:.4g}% false alarms" for rate in rates]
    table = _table("membership by", "area under the curve", *titles)
    for attack in evidence.membership:
        numbers = [(attack.auc, attack.interval)]
        numbers += [(hit.true_positive_rate, hit.interval) for hit in attack.hits]
        cells = [f"{value:.3f} {_interval(ends, 3)}".rstrip() for value, ends in numbers]
        known = [not np.isnan(value) for value, _ in numbers]
        shown = [cell if there else "–" for cell, there in zip(cells, known, strict=True)]
        table.add_row(attack.attack, *map(Text, shown))
    return table


def _unmade(attacks: tuple[MembershipInference, ...]) -> Text:
    """Why attacks, or their rates, have no number; each reason once."""
    said = []
    for attack in attacks:
        reasons = [attack.reason] if attack.reason else [hit.reason for hit in attack.hits]
        said += [f"– {attack.attack}: {reason}." for reason in reasons if reason]
    return Text("\n".join(said), end="\n" if said else "")


def _sides(sides: tuple[GroupMeasure, ...]) -> Table:
    """One row for each group, one column for each measure."""
    table = _table("side by side", *MEASURES.values())
    cells = {(side.group, side.measure): side for side in sides}
    for group in dict.fromkeys(side.group for side in sides):
        found = [cells.get((group, measure)) for measure in MEASURES]
        table.add_row(Text(group), *(Text(_cell(side)) for side in found))
    nulls = [[side.null for side in sides if side.measure == measure] for measure in MEASURES]
    shown = [number(float(np.mean(known))) if known else "–" for known in nulls]
    table.add_row(Text("without memorization", style="italic"), *shown)
    return table


def _cell(side: GroupMeasure | None) -> str:
    if side is None or np.isnan(side.value):
        return "–"
    if side.measure == "epsilon":
        return f"at least {number(side.value)}"
    decimals = 3 if side.measure == "membership" else 2
    return f"{side.value:.{decimals}f} {_interval((side.low, side.high), decimals)}".rstrip()


def _remarks(sides: tuple[GroupMeasure, ...]) -> Text:
    """Reasons, and exposures beside what a promise lets them be."""
    said = [
        f"{side.group}, {side.measure}: {side.reason}."
        for side in sides
        if side.reason and side.measure != "epsilon"
    ]
    for side in sides:
        limit = side.detail.get("promised_mean_bits", np.nan)
        if not np.isnan(limit):
            said.append(f"{side.group}: the promise allows a mean of {number(limit)} bits.")
    said.append("(*) the bound that counts, settled by the plan; the others are looked at besides.")
    return Text("\n".join(said))


def _interval(ends: tuple[float, float], decimals: int) -> str:
    if np.isnan(ends).any():
        return ""
    return f"[{ends[0]:.{decimals}f}, {ends[1]:.{decimals}f}]"
