"""max_exposure: the exposure of the most exposed of the canaries that were inserted."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.scores.exposure.exposure_result import ExposureResult, certain_exposure_of_run
from byrote.scores.exposure.levels import NULL_MEAN, Controls, check_controls
from byrote.scores.gate.bar import UNMEASURED, Measured
from byrote.scores.gate.source import Source

Array = NDArray[np.float64]
UNIT = "bits"
_VALID = ("search", "exact", "sampled")  # methods with p-values that hold whatever the model
FEWEST_SECRETS = 5  # the highest of five is above the median of all such secrets, at 1 - 2^-5
FEWEST_CONTROLS = 8  # a method that doubles exposures stands out among them 4 times in 10


def measure(source: Source, asked: float, insertions: int | None = None) -> Measured:
    """The largest exposure over canaries and fits, with ends that hold for all of them at once.

    The ends rest on ranks that are certain and on uniform references, never on a curve or samples
    from the model. A canary above the bar fails it only if chance alone would seldom put one of so
    many as high.
    """
    if not source.run.has_canaries:
        return Measured(unit=UNIT, doubts=(f"{UNMEASURED}: no canaries were planted in this run",))
    run = source.run.exposure(partial=True)
    which = run.inserted > 0
    if insertions is not None:
        which &= run.inserted <= insertions
    if not which.any():
        return Measured(
            unit=UNIT, doubts=(f"{UNMEASURED}: no canary was inserted at most {insertions} times",)
        )
    controls = check_controls(run.exposure, run.inserted)
    return _measured(_Rows.of(source, run, which), controls, run, asked, insertions)


@dataclass(frozen=True)
class _Rows:
    """The canaries that count, fit by fit: (m,) each."""

    bits: Array
    low: Array
    high: Array
    p_value: Array
    maximum: Array
    secret: NDArray[Any]
    inserted: NDArray[np.int64]
    tail: float

    @classmethod
    def of(cls, source: Source, run: ExposureResult, which: NDArray[np.bool_]) -> "_Rows":
        m = int(np.count_nonzero(which))
        level = 1 - 2 * source.tail / m  # each end may err in tail / m, all m of them together
        sure = certain_exposure_of_run(source.run.folder, level=level, partial=True)
        low, high, best = (each[which] for each in (sure.low, sure.high, run.exposure.bits))
        known = np.where(np.isnan(best), sure.bits[which], best)
        canaries = len(run) // len(run.test_loss)
        first = source.run.manifest.plan.spec.get("chosen", 0)
        chosen = np.arange(len(run)) % canaries < first
        valid = np.isin(run.exposure.method, _VALID)
        p_value = np.where(valid, run.exposure.p_value, sure.p_value)
        return cls(
            bits=np.clip(known, low, high),
            low=low,
            high=high,
            p_value=np.where(chosen[which], np.nan, p_value[which]),
            maximum=run.exposure.maximum[which],
            secret=run.exposure.ids[which],
            inserted=run.inserted[which],
            tail=source.tail,
        )

    @property
    def drawn(self) -> NDArray[np.bool_]:
        """Whether the secret was drawn at random: only then is it known what chance does."""
        return ~np.isnan(self.p_value)

    @property
    def secrets(self) -> int:
        """How many different ones were drawn."""
        return len(np.unique(self.secret[self.drawn]))

    @property
    def others(self) -> float:
        """If all secrets are within the bar, the largest share of other ones that may not be."""
        return float(1 - (2 * self.tail) ** (1 / self.secrets)) if self.secrets else 1.0

    def by_chance(self, asked: float) -> float:
        """How likely chance puts one of so many as high as the most surprising above the bar."""
        above = (self.low > asked) & self.drawn
        least = self.p_value[above].min(initial=np.inf)
        return float(min(1.0, least * np.count_nonzero(self.drawn)))


def _measured(
    rows: _Rows, controls: Controls, run: ExposureResult, asked: float, insertions: int | None
) -> Measured:
    return Measured(
        found=float(rows.bits.max()),
        low=float(rows.low.max()),
        high=float(rows.high.max()),
        unit=UNIT,
        covers=_covers(rows, len(run.test_loss), asked, insertions),
        doubts=_doubts(rows, controls, asked),
        disputes=_disputes(rows, controls, asked),
        detail=_detail(rows, controls, asked),
    )


def _covers(rows: _Rows, fits: int, asked: float, insertions: int | None) -> str:
    """What was measured; if all are within the bar, also what that says of other secrets."""
    most = "" if insertions is None else f" inserted at most {insertions} times"
    text = (
        f"the most exposed of {len(rows.bits):,} canaries{most} in"
        f" {fits} {'fit' if fits == 1 else 'fits'}; the interval holds for all of them at once"
    )
    if rows.secrets and rows.high.max() <= asked:
        text += f"; of other secrets inserted as they are at most {rows.others:.0%} lie above"
    return text


def _doubts(rows: _Rows, controls: Controls, asked: float) -> tuple[str, ...]:
    doubts = []
    if rows.secrets < FEWEST_SECRETS:
        doubts.append(
            f"too few canaries: {rows.secrets} random secrets, of which {FEWEST_SECRETS} are needed"
        )
    if (unable := int(np.count_nonzero(rows.maximum <= asked))) > 0:
        doubts.append(
            f"{unable} of {len(rows.maximum)} canaries could not exceed the bar: the largest"
            f" exposure that their format allows is {rows.maximum.min():.1f} bits"
        )
    if controls.controls < FEWEST_CONTROLS:
        doubts.append(
            f"too few controls: {controls.controls} to compare with chance, of which"
            f" {FEWEST_CONTROLS} are needed"
        )
    elif np.isnan(controls.mean_p_value):
        doubts.append("controls could not be compared with chance: their ranks are not known")
    elif not controls.calibrated:
        doubts.append(_unlike_chance(controls))
    return tuple(doubts)


def _disputes(rows: _Rows, controls: Controls, asked: float) -> tuple[str, ...]:
    """Why canaries above the bar do not show that training put them there."""
    disputes = []
    chance = rows.by_chance(asked)
    allowed = 2 * rows.tail
    if not rows.drawn[rows.low > asked].any():
        disputes.append("the secret above the bar was chosen, and may be likely to any model")
    elif chance > allowed:
        disputes.append(
            f"above the bar, but chance alone puts one of {np.count_nonzero(rows.drawn)} canaries"
            f" as high with probability {chance:.2g}"
        )
    if not controls.calibrated and controls.mean > NULL_MEAN:
        disputes.append(_unlike_chance(controls))
    return tuple(disputes)


def _unlike_chance(controls: Controls) -> str:
    return (
        f"controls are not like chance: mean exposure {controls.mean:.2f} bits where"
        f" {NULL_MEAN:.2f} are expected (p = {controls.mean_p_value:.2g}, of the distribution"
        f" {controls.ks_p_value:.2g})"
    )


def _detail(rows: _Rows, controls: Controls, asked: float) -> dict[str, Any]:
    tested = max(1, int(np.count_nonzero(rows.drawn)))
    levels = {
        str(level): {
            "canaries": int(np.count_nonzero(rows.inserted == level)),
            "largest": float(rows.bits[rows.inserted == level].max()),
        }
        for level in np.unique(rows.inserted).tolist()
    }
    return {
        "canaries": len(rows.bits),
        "secrets": rows.secrets,
        "by_insertions": levels,
        "chance_bits": float(np.log2(tested / (2 * rows.tail))),
        "share_above_at_most": rows.others if rows.high.max() <= asked else float("nan"),
        "controls": controls.to_dict(),
    }
