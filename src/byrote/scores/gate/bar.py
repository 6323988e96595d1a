"""One bar: what was asked, what was found, how sure that is, and whether it passes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

Verdict = Literal["passed", "failed", "inconclusive"]
UNMEASURED = "never measured"


@dataclass(frozen=True)
class Bar:
    """What a run says of one bar.

    Attributes
    ----------
    name
        "max_exposure", "max_significant", "max_q999", "max_epsilon_proven" or "max_auc".
    asked
        The most that is allowed, in ``unit``.
    found
        The estimate; NaN where there is none.
    low, high
        Interval at ``level``, all bars of a gate together; NaN where there is none.
    level
        At which the intervals of all bars hold together.
    unit
        "bits", "share", "nats", "epsilon" or "area".
    verdict
        "passed", "failed" or "inconclusive".
    reason
        Why it does not pass; empty where it does.
    covers
        What was measured, and what the interval speaks of.
    detail
        The numbers behind it, by name.
    """

    name: str
    asked: float
    found: float
    low: float
    high: float
    level: float
    unit: str
    verdict: Verdict
    reason: str
    covers: str
    detail: Mapping[str, Any]

    @property
    def interval(self) -> tuple[float, float]:
        """Low and high."""
        return self.low, self.high

    def to_dict(self) -> dict[str, Any]:
        """The bar as plain data."""
        plain = asdict(self)
        plain["interval"] = [plain.pop("low"), plain.pop("high")]
        return plain


@dataclass(frozen=True)
class Measured:
    """What was measured for a bar, before it is judged.

    ``doubts`` are reasons why the bar cannot pass, ``disputes`` reasons why it cannot fail: each
    says in a clause what the evidence lacks. ``one_sided`` marks a value that is itself a lower
    bound on which the bar is set: it decides, and ``high`` is only shown.
    """

    found: float = np.nan
    low: float = np.nan
    high: float = np.nan
    unit: str = ""
    covers: str = ""
    doubts: tuple[str, ...] = ()
    disputes: tuple[str, ...] = ()
    one_sided: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)


def judge(name: str, asked: float, measured: Measured, *, level: float, missing: str = "") -> Bar:
    """The verdict on one bar: failed if all of the interval is above it, passed if none is.

    A run that is not complete neither passes nor fails; ``missing`` says what is missing.
    """
    highest = measured.low if measured.one_sided else measured.high
    above, within = measured.low > asked, highest <= asked
    verdict: Verdict = "inconclusive"
    if missing:
        reason = missing
    elif above and not measured.disputes:
        verdict, reason = "failed", "the whole interval is above the bar"
    elif within and not measured.doubts:
        verdict, reason = "passed", ""
    else:
        reason = _why_open(measured, above=above, within=within)
    return Bar(
        name=name,
        asked=asked,
        found=measured.found,
        low=measured.low,
        high=measured.high,
        level=level,
        unit=measured.unit,
        verdict=verdict,
        reason=reason,
        covers=measured.covers,
        detail=measured.detail,
    )


def _why_open(measured: Measured, *, above: bool, within: bool) -> str:
    if above:
        return "; ".join(measured.disputes)
    reasons = list(measured.doubts)
    if not within and not np.isnan(measured.low):
        reasons.append("the interval reaches across the bar")
    return "; ".join(reasons) or UNMEASURED
