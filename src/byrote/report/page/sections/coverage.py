"""Which attacks were run, by the list of the European Data Protection Board.

EDPB, Opinion 28/2024 on certain data protection aspects related to the processing of personal data
in the context of AI models, names the attacks that an anonymous model should resist.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from byrote.report import near_duplicates, privacy
from byrote.report.exposure_notes import estimate_of, level_mean
from byrote.report.format import byte_size, insertions, number, plural
from byrote.report.page import cells
from byrote.report.page.audit import Audit
from byrote.report.page.content import (
    Cell,
    Coverage,
    Facts,
    Grid,
    Prose,
    Row,
    Section,
    Signature,
    Status,
    Tone,
)
from byrote.report.page.provenance import of_model
from byrote.report.page.sections.attacks import MEMBERSHIP, best_attack
from byrote.report.page.sections.canaries import EXFILTRATION
from byrote.report.page.sections.samples import REGURGITATION
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.levels import Level, by_insertions
from byrote.scores.gate.threshold import Measured
from byrote.scores.privacy.evidence import PrivacyEvidence

ATTRIBUTE = "attribute inference"
CLASSES = {
    ATTRIBUTE: "guesses what a person hides from what is known of them",
    MEMBERSHIP: "tells whether a record was trained on",
    EXFILTRATION: "takes training data out of the model by questions and search",
    REGURGITATION: "training data in what the model generates of itself",
    "model inversion": "recovers inputs from the model's answers or weights",
    "reconstruction": "rebuilds whole records from the model or its updates",
}
_ABSENT = Coverage("out of scope", "byrote has no such attack, and nothing here rules it out")
_NOTHING_GENERATED = Coverage("not run", "no text was generated and searched")
NO_AVERAGE = cells.words("has no average", tone="note")


def coverage(audit: Audit, sections: Sequence[Section]) -> Section:
    """Return which attacks a run tested, filled from what its sections show."""
    covers = dict.fromkeys(CLASSES, _ABSENT) | _defaults(audit)
    for section in sections:
        covers |= {name: covers[name].beside(each) for name, each in section.covers.items()}
    rows = tuple(
        cells.row(
            name,
            CLASSES[name],
            _status(covers[name].status),
            covers[name].evidence,
        )
        for name in CLASSES
    )
    head = ("attack", "what it does", "status", "evidence, or what it needs")
    title = "Attacks named by the EDPB, Opinion 28/2024; this page does not decide anonymity"
    return Section(
        "coverage",
        "What was covered",
        (
            Grid(title, head, rows, left=4),
            _risk(audit),
            Facts(tuple(_limits(audit))),
            _again(audit),
        ),
        {name: {"status": c.status, "evidence": c.evidence} for name, c in covers.items()},
        untested=tuple(_untested(audit, covers)),
    )


def signature() -> Section:
    """Return the lines to sign, at the end of what was read."""
    return Section(
        "signature",
        "Signature",
        (
            Signature(
                "I have read what this page shows, what it does not test, and its limits.",
                (
                    "Name and role",
                    "Decision: reject, train again, audit again, or release",
                    "Date and signature",
                ),
            ),
        ),
    )


def _untested(audit: Audit, covers: Mapping[str, Coverage]) -> Iterator[str]:
    """State what no section has tested: attacks, copies, other trainings."""
    for status, words in (
        ("not run", "Attacks that this run could have had, but were not run"),
        ("out of scope", "Attacks that byrote does not test in such a run"),
    ):
        if names := [name for name in CLASSES if covers[name].status == status]:
            yield f"{words}: {', '.join(names)}."
    if all(covers[name].status != "run" for name in (EXFILTRATION, REGURGITATION)):
        yield "Whether what the model learned of a record can be got out of it."
    if audit.scores is not None and isinstance(audit.near_duplicates, str):
        yield "Near-duplicates: not looked for. A record with a copy seems unmemorized."
    data = "on parts of these data" if audit.exposures is None else "with secrets added"
    audited = f"what was audited {_audited(audit)} trained for this page"
    yield f"A model in use: {audited}, in the same way, {data}."
    if audit.run.design.fits == 1:
        yield "Other trainings: these numbers are of a single trained model."


_TONES: Mapping[Status, Tone] = {"run": "", "not run": "alarm", "out of scope": "unknown"}


def _status(status: Status) -> Cell:
    return Cell(status, tone=_TONES[status], look=f"status {status.replace(' ', '-')}")


def _defaults(audit: Audit) -> dict[str, Coverage]:
    """Return what an attack needs that a run could have had."""
    table = audit.run.manifest.data.table
    samples = "it, or byrote neighbors --validation, tests samples of a kept model"
    defaults = {
        ATTRIBUTE: Coverage("not run", "byrote.privacy.attribute_disclosure guesses a column")
        if table
        else Coverage(
            "out of scope", "byrote guesses named columns only, and these data have none"
        ),
        REGURGITATION: Coverage("not run", f"{audit.extraction}; {samples}"),
    }
    if audit.exposures is not None:
        return {**defaults, REGURGITATION: _NOTHING_GENERATED}
    if audit.run.manifest.data.texts:
        recite = f"{audit.recitation}; it lets kept models continue the texts"
        exfiltration = Coverage("not run", recite)
        return {**defaults, REGURGITATION: _NOTHING_GENERATED, EXFILTRATION: exfiltration}
    return {
        **defaults,
        EXFILTRATION: Coverage(
            "out of scope", "byrote asks models of text only, and this one is of records"
        ),
    }


# -- the largest and the average risk -------------------------------------------------------------


def _risk(audit: Audit) -> Grid:
    rows = [*_effects(audit), *_exposures(audit), *_privacy(audit)]
    head = ("risk", "largest", "average")
    return Grid("Largest and average risk, with 95 % intervals", head, tuple(rows), left=3)


def _effects(audit: Audit) -> list[Row]:
    if audit.scores is None or isinstance(audit.evidence, str):
        return []
    largest = _measured(audit.measured("max_score"))
    means = [m for m in audit.evidence.measures if m.measure == "memorization"]
    mean = cells.estimate(means[0].estimate) if means else cells.words("unknown", tone="unknown")
    return [cells.row("effect of training on one record, nats", largest, mean)]


def _exposures(audit: Audit) -> list[Row]:
    if audit.exposures is None:
        return []
    result = audit.exposures
    levels = by_insertions(result.exposure, result.inserted)
    return [_exposure(result, level) for level in levels if level.insertions and level.estimated]


def _exposure(result: ExposureResult, level: Level) -> Row:
    bits = np.where(result.inserted == level.insertions, result.exposure.bits, np.nan)
    largest = estimate_of(result, int(np.nanargmax(bits)))
    name = f"exposure of secrets {insertions(level.insertions)}, bits"
    return cells.row(name, cells.estimate(largest), cells.estimate(level_mean(level)))


def _privacy(audit: Audit) -> list[Row]:
    if isinstance(audit.evidence, str):
        return []
    area = best_attack(audit.evidence)
    auc = Cell(f"{area.value} ({area.interval})" if area.is_known else area.note)
    proven, allowed = _epsilons(audit.evidence)
    average = cells.words("an area is itself an average", tone="note")
    return [
        cells.row("membership inference, area under the curve", average, auc),
        cells.row("privacy loss, epsilon: guaranteed", allowed, NO_AVERAGE),
        cells.row("privacy loss, epsilon: proven by this audit", proven, NO_AVERAGE),
    ]


def _epsilons(evidence: PrivacyEvidence) -> tuple[str, str]:
    bound = evidence.headline
    proven = f"at least {number(bound.epsilon)}"
    if np.isnan(bound.epsilon):
        proven = privacy.NO_BOUND
    allowed = privacy.guarantee(evidence.guarantee).rstrip(".")
    return proven, "no guarantee" if evidence.guarantee is None else allowed.removeprefix(
        "Guarantee: "
    )


def _measured(result: Measured) -> Cell:
    number = cells.measured("", result)
    if not number.is_known:
        return cells.words(number.note, tone="unknown")
    return Cell(f"{number.value} ({number.interval})", result.found)


# -- size, limits, and the next test --------------------------------------------------------------


def _limits(audit: Audit) -> list[tuple[str, str]]:
    return [
        ("data", _data_size(audit)),
        ("parameters", _parameters(audit)),
        (
            "what was audited",
            f"{plural(len(audit.run.finished), 'model')} trained for this audit, in the same"
            " way as one in use, which was not tested",
        ),
        *([("near-duplicates", _near_duplicates(audit))] if audit.scores is not None else []),
        (
            "stronger attackers",
            "an attacker may know more than likelihoods; nothing here bounds a privacy loss from"
            " above",
        ),
    ]


def _audited(audit: Audit) -> str:
    count = len(audit.run.finished)
    return f"{'is' if count == 1 else 'are'} {plural(count, 'model')}"


def _near_duplicates(audit: Audit) -> str:
    if isinstance(audit.near_duplicates, str):
        return (
            "not looked for: they hide one another from scores, since a record whose copy stays in"
            f" training looks as if it were not memorized ({audit.near_duplicates})"
        )
    return near_duplicates.sentence(audit.near_duplicates)


def _data_size(audit: Audit) -> str:
    data, result = audit.run.manifest.data, audit.exposures
    if result is not None:
        return f"a text of {byte_size(result.facts['corpus']['bytes'])}"
    if data.texts:
        tokens = _tokens(audit)
        counted = f" of {plural(tokens, 'token')} in all" if tokens else ""
        return f"{plural(data.records, 'text')}{counted}"
    values = int(np.prod(data.shape, dtype=int))
    return (
        f"{plural(data.records, 'record')} of {plural(values, 'value')}: {data.records * values:,}"
    )


def _parameters(audit: Audit) -> str:
    facts = audit.run.facts
    count = facts[0].get("model", {}).get("parameters") if facts else None
    if not count:
        return "the model does not report how many it has"
    result = audit.exposures
    data = audit.run.manifest.data
    if data.texts:
        tokens = _tokens(audit)
        return (
            f"{count:,}: {number(tokens / count)} tokens per parameter" if tokens else f"{count:,}"
        )
    if result is None:
        size = data.records * int(np.prod(data.shape, dtype=int)) / count
        return f"{count:,}: {number(size)} values of data per parameter"
    size = result.facts["corpus"]["bytes"] / count
    return f"{count:,}: {number(size)} bytes of text per parameter"


def _tokens(audit: Audit) -> int:
    """Return the number of tokens of the scored texts, 0 if unknown."""
    summary = None if audit.scores is None else audit.scores.summary().per_token
    return 0 if summary is None else summary.tokens


def _again(audit: Audit) -> Prose:
    data, model = audit.run.manifest.data.fingerprint[:12], of_model(audit.run)[:12]
    missing = f" Fits are missing: {audit.run.incomplete}." if audit.run.incomplete else ""
    return Prose(
        (
            f"Test again when the data change (SHA-256 here {data}…), when the model, its settings"
            f" or its training change ({model}…), when training goes on, or when records are added"
            f" or erased.{missing}",
        )
    )
