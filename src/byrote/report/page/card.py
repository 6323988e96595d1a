"""The result of a run for a model card: Markdown, with metadata in the form of a model index."""

import json
from typing import Any

import numpy as np

from byrote.report.format import as_sentence, plain
from byrote.report.markdown import pipes, safe
from byrote.report.page.content import Chapter, Number
from byrote.scores.run import Run
from byrote.stats.estimate import Estimate

_TASK = {"type": "memorization-audit", "name": "Memorization audit"}


def metrics_of(chapter: Chapter) -> dict[str, float]:
    """Return the numbers of a run under flat names, with the ends of their intervals.

    What was not measured is absent.
    """
    metrics: dict[str, float] = {}
    for number, known in _known(chapter):
        metrics[number.metric] = known.value
        ends = {"low": known.low, "high": known.high}
        metrics |= {f"{number.metric}_{k}": v for k, v in ends.items() if np.isfinite(v)}
    return metrics


def card_of(chapter: Chapter, run: Run) -> str:
    """Return the section of a model card: metadata between lines of dashes, then Markdown."""
    index = json.dumps(plain(_index(chapter, run)), ensure_ascii=True, allow_nan=False)
    conclusion = chapter.conclusion
    incomplete = (
        [f"**Incomplete.** {safe(conclusion.incomplete)}."] if conclusion.incomplete else []
    )
    blocks = [
        f"---\nmodel-index:\n- {index}\n---",
        f"## Memorization audit\n\n{safe(chapter.question)}",
        f"**{safe(as_sentence(conclusion.judgement))}**",
        *incomplete,
        " ".join(safe(sentence) for sentence in conclusion.headline),
        pipes([("measure", "value", "interval"), *map(_row, chapter.numbers)], numbers=False),
        "Not tested:\n\n" + "\n".join(f"- {safe(sentence)}" for sentence in chapter.untested),
        _coverage(chapter),
        _origin(chapter),
    ]
    return "\n\n".join(blocks) + "\n"


def _known(chapter: Chapter) -> list[tuple[Number, Estimate]]:
    return [(n, n.estimate) for n in chapter.numbers if n.is_known and n.estimate is not None]


def _row(number: Number) -> tuple[str, str, str]:
    if number.is_known:
        return number.name, number.value, number.interval
    return number.name, number.missing, number.note


def _index(chapter: Chapter, run: Run) -> dict[str, Any]:
    data, model = run.manifest.data, run.manifest.model.name.rpartition(".")[2]
    metrics = [
        {
            "type": number.metric,
            "name": number.name,
            "value": known.value,
            "args": {
                "low": known.low,
                "high": known.high,
                "level": known.level,
                "bound": known.bound,
            },
        }
        for number, known in _known(chapter)
    ]
    dataset = {"type": f"sha256:{data.fingerprint}", "name": data.source}
    return {"name": model, "results": [{"task": _TASK, "dataset": dataset, "metrics": metrics}]}


def _coverage(chapter: Chapter) -> str:
    covered = _data(chapter, "coverage")
    rows = [(name, part["status"], part["evidence"]) for name, part in covered.items()]
    head = ("attack (EDPB, Opinion 28/2024)", "status", "evidence")
    return pipes([head, *rows], numbers=False)


def _origin(chapter: Chapter) -> str:
    made = _data(chapter, "made")
    command = made["command"]
    digests = "; ".join(f"{name} {value}" for name, value in made["digests"].items())
    lines = [f"byrote {made['manifest']['environment'].get('byrote', '')}; SHA-256: {digests}."]
    lines += [f"Made by: {safe(command)}"] if command else []
    return "\n\n".join(lines)


def _data(chapter: Chapter, name: str) -> Any:
    return next(part.data for part in chapter.sections if part.name.endswith(name))
