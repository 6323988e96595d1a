"""max_exposure: the exposure of the most exposed of the canaries inserted."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.scores.exposure.exposure_result import ExposureResult, certain_exposure_of_run
from byrote.scores.exposure.levels import NULL_MEAN, Controls, check_controls
from byrote.scores.gate.threshold import GatedRun, Measured, ThresholdKind

Array = NDArray[np.float64]
UNIT = "bits"
_VALID = ("search", "exact", "sampled")  # methods with p-values that hold whatever the model
FEWEST_SECRETS = 5  # the highest of five is above the median of all such secrets, at 1 - 2^-5
FEWEST_CONTROLS = 8  # a method that doubles exposures stands out among them 4 times in 10


def measure(gated: GatedRun, asked: float, insertions: int | None = None) -> Measured:
    """Measure the largest exposure over canaries and fits, with ends for all of them at once.

    The ends rest on certain ranks and uniform references, never on a curve or samples from the
    model. A canary above the threshold fails it only if, among so many canaries, one as exposed
    would be unlikely by chance alone.
    """
    if not gated.run.has_canaries:
        return Measured.missing(UNIT, "no canaries were planted in this run")
    result = gated.run.exposure(partial=True)
    rows = result.inserted > 0
    if insertions is not None:
        rows &= result.inserted <= insertions
    if not rows.any():
        return Measured.missing(UNIT, f"no canary was inserted at most {insertions} times")
    controls = check_controls(result.exposure, result.inserted)
    return _measured(InsertedCanaries.of(gated, result, rows), controls, result, asked, insertions)


@dataclass(frozen=True)
class InsertedCanaries:
    """The canaries that count, fit by fit; (m,) each."""

    bits: Array
    low: Array
    high: Array
    p_value: Array
    maximum: Array
    secret: NDArray[Any]
    inserted: NDArray[np.int64]
    tail: float

    @classmethod
    def of(
        cls, gated: GatedRun, result: ExposureResult, which: NDArray[np.bool_]
    ) -> "InsertedCanaries":
        """Collect the rows of a result that count; ``which``: a mask of its rows."""
        m = int(np.count_nonzero(which))
        level = 1 - 2 * gated.tail / m  # each end has an error of tail / m, m of them together
        certain = certain_exposure_of_run(gated.run.folder, gated.table, level=level)
        low, high, best = (
            each[which] for each in (certain.low, certain.high, result.exposure.bits)
        )
        known = np.where(np.isnan(best), certain.bits[which], best)
        canaries = len(result) // len(result.test_loss)
        first = gated.run.manifest.plan.spec.get("chosen", 0)
        chosen = np.arange(len(result)) % canaries < first
        valid = np.isin(result.exposure.method, _VALID)
        p_value = np.where(valid, result.exposure.p_value, certain.p_value)
        return cls(
            bits=np.clip(known, low, high),
            low=low,
            high=high,
            p_value=np.where(chosen[which], np.nan, p_value[which]),
            maximum=result.exposure.maximum[which],
            secret=result.exposure.ids[which],
            inserted=result.inserted[which],
            tail=gated.tail,
        )

    @property
    def drawn(self) -> NDArray[np.bool_]:
        """Whether the secret was drawn at random, so that chance is known."""
        return ~np.isnan(self.p_value)

    @property
    def secrets(self) -> int:
        """Number of different secrets drawn."""
        return len(np.unique(self.secret[self.drawn]))

    @property
    def others(self) -> float:
        """Largest share of other secrets above a threshold that these are all within."""
        return float(1 - (2 * self.tail) ** (1 / self.secrets)) if self.secrets else 1.0

    def by_chance(self, asked: float) -> float:
        """Probability of one by chance as exposed as the least likely one above the threshold."""
        above = (self.low > asked) & self.drawn
        least = self.p_value[above].min(initial=np.inf)
        return float(min(1.0, least * np.count_nonzero(self.drawn)))


def _measured(
    canaries: InsertedCanaries,
    controls: Controls,
    result: ExposureResult,
    asked: float,
    insertions: int | None,
) -> Measured:
    return Measured(
        found=float(canaries.bits.max()),
        low=float(canaries.low.max()),
        high=float(canaries.high.max()),
        unit=UNIT,
        covers=_covers(canaries, len(result.test_loss), asked, insertions),
        doubts=_doubts(canaries, controls, asked),
        disputes=_disputes(canaries, controls, asked),
        records=_named(canaries, asked),
        detail=_detail(canaries, controls, asked),
    )


def _named(canaries: InsertedCanaries, asked: float) -> tuple[str, ...]:
    """Return the ids of canaries above the threshold, each once: it may be so in several fits."""
    above = np.flatnonzero(canaries.low > asked)
    above = above[np.argsort(-canaries.low[above], kind="stable")]
    return tuple(dict.fromkeys(str(name) for name in canaries.secret[above]))


def _covers(canaries: InsertedCanaries, fits: int, asked: float, insertions: int | None) -> str:
    """Describe the measurement and, if all are within the threshold, other secrets."""
    most = "" if insertions is None else f" inserted at most {insertions} times"
    text = (
        f"the most exposed of {len(canaries.bits):,} canaries{most} in"
        f" {fits} {'fit' if fits == 1 else 'fits'}; the interval holds for all of them at once"
    )
    if canaries.secrets and canaries.high.max() <= asked:
        text += f"; of other secrets inserted as they are at most {canaries.others:.0%} lie above"
    return text


def _doubts(canaries: InsertedCanaries, controls: Controls, asked: float) -> tuple[str, ...]:
    doubts = []
    if canaries.secrets < FEWEST_SECRETS:
        doubts.append(
            f"too few canaries: {canaries.secrets} random secrets, of which {FEWEST_SECRETS} are"
            " needed"
        )
    if (unable := int(np.count_nonzero(canaries.maximum <= asked))) > 0:
        doubts.append(
            f"{unable} of {len(canaries.maximum)} canaries could not exceed the threshold: the"
            f" largest exposure that their format allows is {canaries.maximum.min():.1f} bits"
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


def _disputes(canaries: InsertedCanaries, controls: Controls, asked: float) -> tuple[str, ...]:
    """State why canaries above the threshold may be there without training."""
    disputes = []
    chance = canaries.by_chance(asked)
    allowed = 2 * canaries.tail
    if not canaries.drawn[canaries.low > asked].any():
        disputes.append("the secret above the threshold was chosen, and may be likely to any model")
    elif chance > allowed:
        disputes.append(
            f"above the threshold, but chance alone puts one of {np.count_nonzero(canaries.drawn)}"
            f" canaries as high with probability {chance:.2g}"
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


def _detail(canaries: InsertedCanaries, controls: Controls, asked: float) -> dict[str, Any]:
    tested = max(1, int(np.count_nonzero(canaries.drawn)))
    levels = {
        str(level): {
            "canaries": int(np.count_nonzero(canaries.inserted == level)),
            "largest": float(canaries.bits[canaries.inserted == level].max()),
        }
        for level in np.unique(canaries.inserted).tolist()
    }
    return {
        "canaries": len(canaries.bits),
        "secrets": canaries.secrets,
        "by_insertions": levels,
        "chance_bits": float(np.log2(tested / (2 * canaries.tail))),
        "share_above_at_most": canaries.others if canaries.high.max() <= asked else float("nan"),
        "controls": controls.to_dict(),
    }


MAX_EXPOSURE = ThresholdKind("max_exposure", 0.0, np.inf, "bits, a number of at least 0", measure)
