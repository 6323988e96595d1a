"""What an attacker could tell: membership inference, and privacy guaranteed beside audited."""

from collections.abc import Sequence

import numpy as np

from byrote.report import privacy
from byrote.report.format import number
from byrote.report.page import cells, words
from byrote.report.page.audit import Audit
from byrote.report.page.content import (
    Block,
    Cell,
    Coverage,
    Figure,
    Grid,
    Number,
    Prose,
    Section,
    Tone,
)
from byrote.report.page.plot import Axis, Key, Plot, Rule, Whisker, whiskers
from byrote.report.page.sections.registry import section
from byrote.scores.privacy.evidence import PrivacyEvidence
from byrote.scores.privacy.membership import MembershipInference

MEMBERSHIP = "membership inference"
_TITLE = "What an attacker could tell"
_PROVEN = "epsilon: the true one may be anything above"
_AREA = "area under the curve: 0.5 is guessing, 1 is certainty"


@section(order=40)
def attacks(audit: Audit) -> Section:
    """Return the accuracy of attacks, the bounds on epsilon and the guarantee."""
    evidence = audit.evidence
    if isinstance(evidence, str):
        why = f"Not measured: {evidence}."
        missing = {MEMBERSHIP: Coverage("not run", evidence)}
        blocks: tuple[Block, ...] = (Prose((why,), "unknown"),)
        return Section("attacks", _TITLE, blocks, {"reason": evidence}, covers=missing)
    sentences = privacy.verdict(evidence).plain.split("\n")
    tone: Tone = "alarm" if evidence.contradicted else "strong"
    return Section(
        "attacks",
        _TITLE,
        (
            *_membership(evidence.membership),
            *([Prose((sample,))] if (sample := privacy.sample_of(evidence.membership)) else []),
            Prose(tuple(sentences), tone),
            *_epsilon(evidence),
            _bounds(evidence),
        ),
        evidence.to_dict(),
        numbers=(best_attack(evidence), _loss(evidence)),
        untested=_untested(evidence),
        covers={MEMBERSHIP: _coverage(evidence.membership)},
        words=words.ATTACKS,
    )


def _loss(evidence: PrivacyEvidence) -> Number:
    name, bound = "privacy loss proven", evidence.headline.estimate
    if np.isnan(bound.value):
        return Number(name, "", note=evidence.headline.reason, missing=privacy.NO_BOUND)
    note = _PROVEN if bound.value else privacy.unproven(evidence.headline)
    if bound.value:
        odds = number(float(np.exp(bound.value)))
        note += f"; at this one an attacker's odds change by a factor of up to {odds}"
        note += ", delta left aside" if evidence.headline.delta else ""
    return cells.estimated(name, bound, "epsilon_proven", note)


def best_attack(evidence: PrivacyEvidence) -> Number:
    """Return the area of the better attack; picking it makes the area a little too large."""
    known = [attack for attack in evidence.membership if not np.isnan(attack.auc)]
    best = max(known or evidence.membership, key=lambda attack: np.nan_to_num(attack.auc))
    note = f"{_AREA}; an average, which says nothing of the worst record"
    if evidence.kind == "exposure":
        note = f"planted secrets told from unplanted ones, not records of the text; {note}"
    if len(known) == 1 < len(evidence.membership):
        note = f"{best.attack}, the only attack that could be measured; {note}"
    return cells.estimated("best membership attack", best.estimate, "membership_auc", note)


def _coverage(attacks: Sequence[MembershipInference]) -> Coverage:
    known = [attack for attack in attacks if not np.isnan(attack.auc)]
    if not known:
        return Coverage("not run", "; ".join(dict.fromkeys(a.reason for a in attacks if a.reason)))
    texts = [f"{attack.attack}: area {cells.estimate(attack.estimate).text}" for attack in known]
    return Coverage("run", "; ".join(texts))


def _untested(evidence: PrivacyEvidence) -> tuple[str, ...]:
    sentences = ["An upper bound of the privacy loss: no audit gives one, only a guarantee does."]
    if np.isnan(evidence.proven):
        sentences.append(
            f"A lower bound of the privacy loss: {privacy.NO_BOUND}, by this plan of fits."
        )
    unknown = [attack.attack for attack in evidence.membership if np.isnan(attack.auc)]
    if unknown and len(unknown) < len(evidence.membership):
        sentences.append(f"Membership inference by {', '.join(unknown)}: there are too few fits.")
    return tuple(sentences)


def _membership(attacks: Sequence[MembershipInference]) -> list[Block]:
    head = (
        "attack",
        "area under the curve [95 %]",
        *(f"detected at {100 * hit.asked:.3g}% false alarms" for hit in attacks[0].hits),
    )
    rows = []
    for attack in attacks:
        hits = [_hit(attack, place) for place in range(len(attack.hits))]
        rows.append(cells.row(attack.attack, cells.estimate(attack.estimate), *hits))
    grid = Grid("Attacks on membership", head, tuple(rows))
    known = [attack for attack in attacks if not np.isnan(attack.auc)]
    if not known:
        return [grid]
    named = ", ".join(f"{a.attack} {cells.estimate(a.estimate).text}" for a in known)
    title = "How well an attacker tells members from others"
    return [Figure("membership", title, f"Areas under the curve: {named}.", _areas(known), grid)]


def _hit(attack: MembershipInference, place: int) -> Cell:
    hit = attack.hits[place]
    if np.isnan(hit.true_positive_rate):
        return cells.words(attack.reason or hit.reason, tone="unknown")
    low, high = hit.interval
    rate = 100 * hit.true_positive_rate
    text = f"{rate:.3g}%"
    if not np.isnan(low):
        text += f" [{100 * low:.3g}, {100 * high:.3g}]"
    return Cell(text, float(rate))


def _areas(attacks: Sequence[MembershipInference]) -> Plot:
    ends = [end for attack in attacks for end in (attack.auc, *attack.interval)]
    least = min([0.5, *(end for end in ends if np.isfinite(end))])
    x = Axis.through(max(0.0, np.floor(10 * least - 0.5) / 10), 1.0, "area under the curve")
    rows = [(a.attack, cells.estimate(a.estimate).text, a.estimate) for a in attacks]
    return whiskers(x, Rule("chance", x=0.5, text="guessing"), rows, measure="area")


def _epsilon(evidence: PrivacyEvidence) -> list[Figure]:
    """Draw what is guaranteed beside what is proven; nothing if neither is known."""
    proven, allowed = evidence.proven, evidence.allowed
    if np.isnan(proven) or not np.isfinite(allowed):
        return []
    high = 1.15 * max(proven, allowed, 1.0)
    text = f"at least {number(proven)} is proven"
    marks = (
        Rule("limit", x=allowed, text=f"guaranteed: {number(allowed)}"),
        Whisker(proven, proven, np.inf, 0.0, "found" if evidence.contradicted else "plain", text),
    )
    x = Axis.through(0.0, high, "epsilon")
    rows = (
        cells.row("guaranteed: at most", cells.value(allowed)),
        cells.row("proven: at least", cells.value(proven)),
    )
    grid = Grid("Epsilon", ("", "epsilon"), rows)
    keys = (Key("plain", "proven by this audit, or more"), Key("limit", "guaranteed by training"))
    plot = Plot(x, Axis(-1, 1.2), marks, keys, height=110.0)
    title = "Privacy guaranteed, and privacy audited"
    return [Figure("epsilon", title, f"Guaranteed {number(allowed)}; {text}.", plot, grid)]


def _bounds(evidence: PrivacyEvidence) -> Grid:
    rows = []
    for bound in evidence.bounds:
        name = privacy.METHODS[bound.method]
        fixed = "yes" if bound.method == evidence.method else "no"
        why = bound.reason or privacy.evidence_of(bound)
        epsilon = cells.value(bound.epsilon)
        if np.isnan(bound.epsilon):
            epsilon = cells.words(privacy.NO_BOUND, tone="unknown")
        rows.append(cells.row(name, fixed, epsilon, cells.words(why)))
    head = ("method", "fixed in advance", "epsilon at least", "evidence")
    return Grid("Lower bounds of epsilon", head, tuple(rows), left=4)
