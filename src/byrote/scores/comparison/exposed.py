"""Exposure runs: what each shows of the same canaries, and how they differ."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.scores.comparison.result import ExposureChange
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.levels import Level, by_insertions
from byrote.scores.run import Run
from byrote.stats.estimate import Estimate, mean

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
_OTHER_TEXT = "the texts set apart may differ, as the data do"


@dataclass(frozen=True, eq=False)
class Exposed:
    """An exposure run, and its m rows of canaries that are compared, in the baseline's order."""

    run: Run
    found: ExposureResult
    rows: Rows

    @property
    def bits(self) -> Array:
        """(m,) exposures."""
        return self.found.exposure.bits[self.rows]

    @property
    def saturated(self) -> NDArray[np.bool_]:
        """(m,) whether they are lower bounds."""
        return self.found.exposure.saturated[self.rows]

    @property
    def maximum(self) -> float:
        """The largest of log2 of the number of candidates; NaN where unknown."""
        known = self.found.exposure.maximum[self.rows]
        known = known[~np.isnan(known)]
        return float(known.max()) if len(known) else float("nan")

    def fits(self) -> NDArray[np.int64]:
        """The fits that are there, one for each test loss."""
        return np.unique(self.found.fit)


def load(runs: dict[str, Run], *, partial: bool) -> dict[str, Exposed]:
    """Read the runs and match their canaries: same secret, in the same fit as often.

    Raises
    ------
    InvalidInput
        If no canary is in all runs.
    IncompleteRun
        If fits are missing and ``partial`` is false.
    """
    found = {name: run.exposure(partial=partial) for name, run in runs.items()}
    keys = {name: _keys(runs[name], one) for name, one in found.items()}
    base, *others = keys.values()
    common = [key for key in base if all(key in other for other in others)]
    if not common:
        raise InvalidInput(
            "runs must have canaries in common, with the same secret, inserted equally often in"
            " the same fit; there is none"
        )
    return {
        name: Exposed(runs[name], one, np.array([keys[name][key] for key in common], np.intp))
        for name, one in found.items()
    }


def _keys(run: Run, found: ExposureResult) -> dict[tuple[int, str, str, int], int]:
    """Fit, name, secret and insertions of each row, with the row."""
    planted = run.folder.canaries
    secrets = dict(zip(planted.ids.tolist(), planted.completions, strict=True))
    columns = (found.fit.tolist(), found.exposure.ids.tolist(), found.inserted.tolist())
    rows = enumerate(zip(*columns, strict=True))
    return {(fit, id_, secrets[id_], times): row for row, (fit, id_, times) in rows}


def test_loss(one: Exposed) -> Estimate:
    """Nats per token of the text set apart, over fits."""
    return _loss(one.found.test_loss)


def levels(one: Exposed) -> tuple[Level, ...]:
    """Exposure of the canaries that are compared, by insertions."""
    whole = one.found.exposure
    columns: dict[str, Any] = {n: v for n, v in vars(whole).items() if isinstance(v, np.ndarray)}
    cut = replace(whole, **{name: values[one.rows] for name, values in columns.items()})
    return by_insertions(cut, one.found.inserted[one.rows])


def change_of(name: str, base: Exposed, other: Exposed) -> ExposureChange:
    """How the exposures of a run differ from the baseline's."""
    ids, inserted = base.found.exposure.ids[base.rows], base.found.inserted[base.rows]
    difference = other.bits - base.bits
    bound = _bounds(base.saturated, other.saturated)
    difference = np.where(bound == "unknown", np.nan, difference)
    return ExposureChange(
        name=name,
        test_loss=_loss_change(base, other),
        levels={
            int(level): _level(difference[at], bound[at], ids[at])
            for level in np.unique(inserted)
            for at in [inserted == level]
        },
        ids=ids,
        fit=base.found.fit[base.rows],
        inserted=inserted,
        baseline=base.bits,
        difference=difference,
        bound=bound,
    )


def _bounds(base: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.str_]:
    """What a difference says whose terms are lower bounds."""
    words = ("unknown", "at most", "at least")
    return np.select([base & other, base, other], words, default="")


def _level(difference: Array, bound: NDArray[np.str_], ids: NDArray[np.str_]) -> Estimate:
    """Mean difference; secrets are independent draws, those of one secret in several fits not."""
    known = ~np.isnan(difference)
    if not known.all():
        between = int(np.count_nonzero(bound == "unknown"))
        why = f"{between:,} are lower bounds in both runs" if between else "some are unknown"
        return Estimate(np.nan, reason=f"{why}, of {len(known):,}")
    kinds = set(bound.tolist()) - {""}
    if len(kinds) == 2:
        return Estimate(np.nan, reason="some are lower bounds in one run, some in the other")
    if kinds:
        count = int(np.count_nonzero(bound != ""))
        why = f"{count:,} of {len(bound):,} are lower bounds in one of the runs"
        return Estimate(float(difference.mean()), reason=why, bound=kinds.pop())
    return mean(difference, ids, units="secrets")


def _loss(values: Array) -> Estimate:
    if np.isnan(values).all():
        return Estimate(np.nan, reason="no text was set apart")
    return mean(values, units="fits")


def _loss_change(base: Exposed, other: Exposed) -> Estimate:
    if base.run.manifest.data.fingerprint != other.run.manifest.data.fingerprint:
        return Estimate(np.nan, reason=_OTHER_TEXT)
    _, at_base, at_other = np.intersect1d(base.fits(), other.fits(), return_indices=True)
    return _loss(other.found.test_loss[at_other] - base.found.test_loss[at_base])
