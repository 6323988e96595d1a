"""Runs with exposures: their matched canaries, and how the exposures differ."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.scores.compare.comparison import ComparedExposures, ExposureChange
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.levels import by_insertions
from byrote.scores.run import Run
from byrote.stats.estimate import Estimate, mean

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
_OTHER_TEXT = "the held-out texts may differ, as the data do"


@dataclass(frozen=True, eq=False)
class MatchedCanaries:
    """A run's exposures, and its m rows of matched canaries, in the baseline's order."""

    run: Run
    result: ExposureResult
    rows: Rows

    @property
    def bits(self) -> Array:
        """(m,) exposures, in bits."""
        return self.result.exposure.bits[self.rows]

    @property
    def saturated(self) -> NDArray[np.bool_]:
        """(m,) whether they are lower bounds."""
        return self.result.exposure.saturated[self.rows]

    @property
    def maximum(self) -> float:
        """The largest of log2 of the number of candidates; NaN if unknown."""
        return float(np.fmax.reduce(self.result.exposure.maximum[self.rows], initial=np.nan))


def match_canaries(runs: dict[str, Run], *, partial: bool) -> dict[str, MatchedCanaries]:
    """Read runs and match their canaries: the same secret, inserted equally often in the same fit.

    Raises
    ------
    InvalidInput
        If no canary is in all runs.
    IncompleteRun
        If fits are missing and ``partial`` is false.
    """
    results = {name: run.exposure(partial=partial) for name, run in runs.items()}
    keys = {name: _keys(runs[name], result) for name, result in results.items()}
    base, *others = keys.values()
    common = [key for key in base if all(key in other for other in others)]
    if not common:
        raise InvalidInput(
            "runs must have canaries in common, with the same secret, inserted equally often in"
            " the same fit; got runs that share no such canary"
        )
    return {
        name: MatchedCanaries(
            runs[name], result, np.array([keys[name][key] for key in common], np.intp)
        )
        for name, result in results.items()
    }


def _keys(run: Run, result: ExposureResult) -> dict[tuple[int, str, str, int], int]:
    """Fit, name, secret and insertions of each row, with the row."""
    canaries = run.folder.canaries
    secrets = dict(zip(canaries.ids.tolist(), canaries.completions, strict=True))
    columns = (result.fit.tolist(), result.exposure.ids.tolist(), result.inserted.tolist())
    rows = enumerate(zip(*columns, strict=True))
    return {(fit, name, secrets[name], times): row for row, (fit, name, times) in rows}


def compared_exposures(described: dict[str, Any], canaries: MatchedCanaries) -> ComparedExposures:
    """Summarize a run's matched canaries."""
    exposure = canaries.result.exposure.take(canaries.rows)
    return ComparedExposures(
        **described,
        test_loss=_loss(canaries.result.test_loss),
        levels=by_insertions(exposure, canaries.result.inserted[canaries.rows]),
        maximum=canaries.maximum,
    )


def exposure_change(name: str, base: MatchedCanaries, other: MatchedCanaries) -> ExposureChange:
    """Compare the exposures of a run with the baseline's."""
    result, rows = base.result, base.rows
    ids, inserted = result.exposure.ids[rows], result.inserted[rows]
    bound = _bounds(base.saturated, other.saturated)
    gap = np.where(bound == "unknown", np.nan, other.bits - base.bits)
    return ExposureChange(
        name=name,
        test_loss=_loss_change(base, other),
        levels={
            int(level): _level(gap[at], bound[at], ids[at])
            for level in np.unique(inserted)
            for at in [inserted == level]
        },
        ids=ids,
        fit=result.fit[rows],
        inserted=inserted,
        baseline=base.bits,
        difference=gap,
        bound=bound,
    )


def _bounds(base: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Return "at most", "at least", "unknown" or, for a difference of estimates, ""."""
    words = ("unknown", "at most", "at least")
    return np.select([base & other, base, other], words, default="")


def _level(gap: Array, bound: NDArray[np.str_], ids: NDArray[np.str_]) -> Estimate:
    """Average differences over secrets, of which those in several fits are one draw."""
    if np.isnan(gap).any():
        unknown = int(np.count_nonzero(bound == "unknown"))
        why = f"{unknown:,} are lower bounds in both runs" if unknown else "some are unknown"
        return Estimate(np.nan, reason=f"{why}, of {len(gap):,}")
    kinds = set(bound.tolist()) - {""}
    if len(kinds) == 2:
        return Estimate(np.nan, reason="some are lower bounds in one run, some in the other")
    if kinds:
        count = int(np.count_nonzero(bound != ""))
        why = f"{count:,} of {len(bound):,} are lower bounds in one of the runs"
        return Estimate(float(gap.mean()), reason=why, bound=kinds.pop())
    return mean(gap, ids, units="secrets")


def _loss(values: Array) -> Estimate:
    if np.isnan(values).all():
        return Estimate(np.nan, reason="no text was held out")
    return mean(values, units="fits")


def _loss_change(base: MatchedCanaries, other: MatchedCanaries) -> Estimate:
    if base.run.manifest.data.fingerprint != other.run.manifest.data.fingerprint:
        return Estimate(np.nan, reason=_OTHER_TEXT)
    first, second = (np.unique(canaries.result.fit) for canaries in (base, other))
    _, at_base, at_other = np.intersect1d(first, second, return_indices=True)
    return _loss(other.result.test_loss[at_other] - base.result.test_loss[at_base])
