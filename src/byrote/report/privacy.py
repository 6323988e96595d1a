"""Evidence on privacy (bounds, guarantee, attacks) as text for the terminal, or as plain data."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import incomplete, new_table, number, plain, plural
from byrote.report.settings import headline_of
from byrote.scores.gate.max_epsilon_proven import largest_provable
from byrote.scores.privacy.evidence import Bound, GroupMeasure, PrivacyEvidence
from byrote.scores.privacy.membership import MembershipInference

METHODS = {
    "one-run": "coin guesses",
    "one-run-gaussian": "coin guesses, Gaussian",
    "rates": "trials of one record",
    "density": "mean densities",
    "exposure": "ranks of secrets",
}
NO_BOUND = "no bound proven"
MEASURES = {
    "memorization": "memorization, nats",
    "exposure": "exposure, bits",
    "membership": "membership, AUC",
    "epsilon": "epsilon",
}


def render(evidence: PrivacyEvidence) -> RenderableType:
    """Return the verdict, every bound, the attacks, and all measures by group of records."""
    parts: list[RenderableType] = [
        _headline(evidence),
        verdict(evidence),
        Text(""),
        _bounds(evidence),
        Text(""),
        render_attacks(evidence.membership),
        Text(""),
        _measures(evidence.measures),
        _remarks(evidence.measures),
    ]
    return Group(*parts)


def to_json(evidence: PrivacyEvidence) -> dict[str, Any]:
    """Return the evidence as plain data for JSON."""
    return dict(plain({"description": dict(evidence.description), **evidence.to_dict()}))


def verdict(evidence: PrivacyEvidence) -> Text:
    """Return the proven bound, the model's guarantee, and whether they contradict each other."""
    bound, text = evidence.headline, Text()
    claim = f"at delta {bound.delta:.3g}, {100 * (1 - bound.significance):.4g}% confidence"
    if np.isnan(bound.epsilon):
        text.append(f"Epsilon: {NO_BOUND}, since {bound.reason}.", style="bold")
        text.append(f" {unproven(bound)}")
    elif bound.epsilon == 0:
        text.append(
            f"This audit could not prove any privacy loss {claim}: {evidence_of(bound)}.",
            style="bold",
        )
        text.append(f" {unproven(bound)}")
    else:
        text.append(f"Epsilon is at least {number(bound.epsilon)} {claim}", style="bold")
        text.append(f": {evidence_of(bound)}.")
    text.append(f"\n{guarantee(evidence.guarantee)}")
    if evidence.contradicted:
        text.append(
            f" The audit contradicts it: it allows {number(evidence.allowed)} for such neighbours.",
            style="bold red",
        )
    return text


def unproven(bound: Bound) -> str:
    """Return what a bound of 0, or none, leaves open: everything, and how much was in reach."""
    most = np.nan if np.isnan(bound.epsilon) else largest_provable(bound)
    reach = f"at best it could have proven {number(most)}, and " if most > 0 else ""
    return f"That is not a loss of zero: {reach}the true epsilon may be anything."


def guarantee(promised: Mapping[str, Any] | None) -> str:
    """Return the guarantee that a model records, in a sentence."""
    if promised is None:
        return (
            "The model records no differential-privacy guarantee: nothing limits the privacy loss."
        )
    most, least = (number(promised.get(name, np.nan)) for name in ("epsilon", "smallest_epsilon"))
    epsilon = f"epsilon {most} at delta {promised['delta']:.3g}"
    if "smallest_epsilon" in promised and least != most:
        epsilon += f" (fits differ, from {least})"
    unit = [f"for each {promised['unit']}"] if promised.get("unit") else []
    accountant = [f"by {promised['accountant']}"] if promised.get("accountant") else []
    label = [str(promised["label"])] if promised.get("label") else []
    return printable(f"Guarantee: {', '.join([epsilon, *unit, *accountant, *label])}.")


def evidence_of(bound: Bound) -> str:
    """Return the evidence for a bound, in words."""
    return _EVIDENCE[bound.method](bound.detail)


def _guesses(detail: Mapping[str, Any]) -> str:
    mu = f"; mu {number(detail['mu'])}" if "mu" in detail else ""
    right = f"{detail['correct']:,} of {detail['guesses']:,} guesses right"
    return f"{right}, {plural(detail['coins'], 'coin')} in {plural(detail['fits'], 'fit')}{mu}"


def _trials(detail: Mapping[str, Any]) -> str:
    return (
        f"{detail['true_positives']} of {detail['members']} fits with record"
        f" {printable(detail['record'])} detected, {detail['false_positives']} of"
        f" {detail['non_members']} false alarms"
    )


def _densities(detail: Mapping[str, Any]) -> str:
    records = plural(detail["records"] - detail["unscored"], "record")
    text = f"{records}, {detail['relation']}"
    if not np.isnan(detail["claimed"]):
        text += f", {detail['exceeding']:,} with a limit above {number(detail['claimed'])}"
    return text


def _ranks(detail: Mapping[str, Any]) -> str:
    best = max(detail["levels"], key=lambda row: (row["epsilon"], -row["p_value"]))
    copies = plural(best["insertions"], "copy")
    windows = f" in up to {best['units']} windows" if detail["windows"] > 1 else ""
    unit = "window" if detail["windows"] > 1 else "copy"
    return (
        f"median p-value {number(best['p_value'])} of"
        f" {plural(best['canaries'], 'secret')} with {copies}{windows}; epsilon is that of one"
        f" {unit}"
    )


_EVIDENCE: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "one-run": _guesses,
    "one-run-gaussian": _guesses,
    "rates": _trials,
    "density": _densities,
    "exposure": _ranks,
}


def _headline(evidence: PrivacyEvidence) -> Text:
    text = headline_of(evidence.description)
    fits = evidence.description["plan"]["fits"]
    text.append(f"{fits - len(evidence.missing):,} of {plural(fits, 'fit')}")
    if evidence.missing:
        text.append(f"\n{incomplete(len(evidence.missing))}", "bold red")
    return text


def _bounds(evidence: PrivacyEvidence) -> Table:
    table = new_table("lower bounds", "epsilon", "evidence")
    table.columns[2].justify = "left"
    last_reason = ""
    for bound in evidence.bounds:
        name = METHODS[bound.method] + (" (*)" if bound.method == evidence.method else "")
        source = evidence_of(bound) if not bound.reason else "the same"
        if bound.reason and bound.reason != last_reason:
            source = bound.reason
        last_reason = bound.reason or last_reason
        table.add_row(Text(name), number(bound.epsilon), Text(source))
    return table


def render_attacks(attacks: Sequence[MembershipInference]) -> RenderableType:
    """Return the accuracy of attacks, and why some numbers are missing."""
    return Group(_attacks(attacks), _attack_reasons(attacks))


def _attacks(attacks: Sequence[MembershipInference]) -> Table:
    rates = [hit.asked for hit in attacks[0].hits]
    titles = [f"detected at {100 * rate:.4g}% false alarms" for rate in rates]
    table = new_table("membership by", "area under the curve", *titles)
    for attack in attacks:
        numbers = [(attack.auc, attack.interval)]
        numbers += [(hit.true_positive_rate, hit.interval) for hit in attack.hits]
        cells = [f"{value:.3f} {_interval(ends, 3)}".rstrip() for value, ends in numbers]
        known = [not np.isnan(value) for value, _ in numbers]
        cells = [cell if is_known else "–" for cell, is_known in zip(cells, known, strict=True)]
        table.add_row(attack.attack, *map(Text, cells))
    return table


def sample_of(attacks: Sequence[MembershipInference]) -> str:
    """Return which records the attacks, and exposure beside them, are about; "" if all."""
    attacked, records = attacks[0].attacked, attacks[0].included.shape[1]
    if attacked == records:
        return ""
    return f"Attacks and exposure: of {attacked:,} of {records:,} records, drawn at random."


def _attack_reasons(attacks: Sequence[MembershipInference]) -> Text:
    sentences = [sample] if (sample := sample_of(attacks)) else []
    for attack in attacks:
        reasons = [attack.reason] if attack.reason else [hit.reason for hit in attack.hits]
        sentences += [f"– {attack.attack}: {reason}." for reason in reasons if reason]
    return Text("\n".join(sentences), end="\n" if sentences else "")


def _measures(measures: Sequence[GroupMeasure]) -> Table:
    table = new_table("measures", *MEASURES.values())
    cells = {(each.group, each.measure): each for each in measures}
    for group in dict.fromkeys(each.group for each in measures):
        row = [_cell(cells.get((group, name))) for name in MEASURES]
        table.add_row(Text(group), *map(Text, row))
    nulls = [[each.null for each in measures if each.measure == name] for name in MEASURES]
    row = [number(float(np.mean(known))) if known else "–" for known in nulls]
    table.add_row(Text("without memorization", style="italic"), *row)
    return table


def _cell(measure: GroupMeasure | None) -> str:
    if measure is None or np.isnan(measure.estimate.value):
        return "–"
    estimate = measure.estimate
    if measure.measure == "epsilon":
        return f"at least {number(estimate.value)}"
    decimals = 3 if measure.measure == "membership" else 2
    return f"{estimate.value:.{decimals}f} {_interval(estimate.interval, decimals)}".rstrip()


def _remarks(measures: Sequence[GroupMeasure]) -> Text:
    sentences = [
        f"{each.group}, {each.measure}: {each.estimate.reason}."
        for each in measures
        if each.estimate.reason and each.measure != "epsilon"
    ]
    for each in measures:
        limit = each.detail.get("max_mean_bits", np.nan)
        if not np.isnan(limit):
            sentences.append(f"{each.group}: the guarantee allows a mean of {number(limit)} bits.")
    sentences.append(
        "(*) the bound fixed in advance by the plan; the others are shown for comparison."
    )
    return Text("\n".join(sentences))


def _interval(ends: tuple[float, float], decimals: int) -> str:
    if np.isnan(ends).any():
        return ""
    return f"[{ends[0]:.{decimals}f}, {ends[1]:.{decimals}f}]"
