"""The conclusion of a run: verdict, headline and exit code, the same wherever they are shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from byrote.report import exposure_notes, sensitivity
from byrote.report.gate import CONSEQUENCES
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.gate.threshold import EXIT_CODES, UNMEASURED, Gate, Verdict
from byrote.scores.memorization.memorization_result import MemorizationResult

NOT_JUDGED = "no thresholds were set, so nothing was passed or failed"
Findings = MemorizationResult | ExposureResult


@dataclass(frozen=True)
class Conclusion:
    """What a run showed, and whether that is allowed.

    Attributes
    ----------
    verdict
        That of the gate; "not judged" without one.
    judgement
        The verdict in a sentence.
    headline
        What was found, in sentences.
    consequence
        What follows from the verdict, in a sentence; empty without one.
    incomplete
        What is missing of the run; empty if it is complete.
    exit_code
        The gate's; without one 0, or 4 if something is missing.
    """

    verdict: Verdict | Literal["not judged"]
    judgement: str
    headline: tuple[str, ...]
    consequence: str
    incomplete: str
    exit_code: int


def most_severe(conclusions: Iterable[Conclusion]) -> int:
    """Return the exit code of several runs: failed, else inconclusive or incomplete, else 0."""
    codes = [conclusion.exit_code for conclusion in conclusions]
    severity = [EXIT_CODES[verdict] for verdict in ("passed", "inconclusive", "failed")]
    return max(codes, key=severity.index)


def conclude(result: Findings, *, gate: Gate | None = None, incomplete: str = "") -> Conclusion:
    """Return the conclusion of a run: the only source of verdict, headline and exit code.

    Parameters
    ----------
    result
        What the run found.
    gate
        Its check against thresholds, if there was one.
    incomplete
        ``Run.incomplete``.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(40, 2))
    >>> wide, plan = KernelDensity(bandwidth=100.0), byrote.KFold(2, repeats=2)
    >>> result = byrote.score_memorization(wide, x, plan=plan)
    >>> conclusion = conclude(result)
    >>> conclusion.verdict, conclusion.exit_code
    ('not judged', 0)
    >>> conclusion.headline[0]
    'No record is found to be memorized at a 5% false discovery rate.'
    """
    headline = (
        exposure_notes.conclusion(result)
        if isinstance(result, ExposureResult)
        else sensitivity.conclusion(result)
    )
    if gate is None:
        code = EXIT_CODES["inconclusive" if incomplete else "passed"]
        return Conclusion("not judged", NOT_JUDGED, tuple(headline), "", incomplete, code)
    follows = _consequence(gate, result)
    return Conclusion(
        gate.verdict, gate.headline, tuple(headline), follows, incomplete, gate.exit_code
    )


def _consequence(gate: Gate, result: Findings) -> str:
    """Return what a verdict means for whoever asked for the limits."""
    consequence = CONSEQUENCES[gate.verdict]
    if gate.verdict != "inconclusive":
        return consequence
    more = (
        "use more canaries" if isinstance(result, ExposureResult) else sensitivity.new_run(result)
    )
    unmeasured = any(each.reason.startswith(UNMEASURED) for each in gate.thresholds)
    missing = ", and see below how what was not measured can be" if unmeasured else ""
    return f"{consequence} To decide it, {more}{missing}."
