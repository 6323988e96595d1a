"""The gate: all bars, and one function from which verdict, headline and exit code come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byrote.scores.gate.bar import Bar, Verdict

FORMAT = "byrote-gate-1"
EXIT_CODES: Mapping[Verdict, int] = {"passed": 0, "failed": 3, "inconclusive": 4}


@dataclass(frozen=True)
class Gate:
    """What a run says of all bars that were set.

    Attributes
    ----------
    bars
        One each, in the order of ``byrote.check``'s parameters.
    verdict
        "failed" as soon as one bar failed, "passed" if all passed, else "inconclusive".
    exit_code
        3, 0 or 4, as ``byrote check`` ends.
    headline
        The verdict in a sentence.
    level
        At which the intervals of all bars hold together.
    run
        What the run was: its id, model, plan, data and seed.

    Examples
    --------
    See ``byrote.check``.
    """

    bars: tuple[Bar, ...]
    verdict: Verdict
    exit_code: int
    headline: str
    level: float
    run: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Gate({self.headline})"

    def to_dict(self) -> dict[str, Any]:
        """The gate as plain data; the schema is in docs/gate.md."""
        return {
            "format": FORMAT,
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "headline": self.headline,
            "level": self.level,
            "bars": [bar.to_dict() for bar in self.bars],
            "run": dict(self.run),
        }


def gate_of(bars: Sequence[Bar], *, level: float, run: Mapping[str, Any]) -> Gate:
    """The gate that bars make: verdict, headline and exit code come from here alone."""
    of = {
        verdict: [option(bar.name) for bar in bars if bar.verdict == verdict]
        for verdict in EXIT_CODES
    }
    verdict: Verdict = "passed"
    if of["failed"]:
        verdict = "failed"
    elif len(of["passed"]) < len(bars) or not bars:
        verdict = "inconclusive"
    named = of[verdict]
    count = f"all {len(bars)}" if len(named) == len(bars) > 1 else f"{len(named)} of {len(bars)}"
    noun = "bar" if len(bars) == 1 else "bars"
    headline = f"{verdict}: {count} {noun} ({', '.join(named)})"
    if verdict == "failed" and of["inconclusive"]:
        headline += f"; inconclusive: {', '.join(of['inconclusive'])}"
    return Gate(tuple(bars), verdict, EXIT_CODES[verdict], headline, level, run)


def option(name: str) -> str:
    """A bar as it is spelled on the command line, without dashes before it.

    Examples
    --------
    >>> option("max_epsilon_proven")
    'max-epsilon-proven'
    """
    return name.replace("_", "-")
