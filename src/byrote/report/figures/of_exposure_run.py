"""Every figure that an exposure run supports, in groups that stand or fall together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.fits.run_folder import RunFolder
from byrote.report.figures.estimators import Estimates, exposure_by_estimator
from byrote.report.figures.exposure_levels import exposure_by_insertions
from byrote.report.figures.exposure_training import ExposureCourse, exposure_over_training
from byrote.report.figures.skew_normal import skew_normal_fit
from byrote.scores.exposure.estimate import estimate_exposure
from byrote.scores.exposure.exposure_result import ExposureResult, PatternBits, bits_by_pattern
from byrote.scores.exposure.trajectory import ExposureOverTraining
from byrote.scores.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Named = Iterator[tuple[str, "Figure"]]
_ESTIMATORS = {"rank": "in the model", "sampled": "sampled", "skew_normal": "skew-normal"}
_MOST = 40  # canaries side by side
_FEWEST = 1000  # references that carry a curve


def groups(run: Run) -> Iterator[tuple[str, Named]]:
    """Names of groups with their figures, drawn one after another as they are asked for.

    A group that cannot be drawn raises InvalidInput when it is iterated.
    """
    found = run.exposure()
    yield "exposure by insertions", _levels(found)
    yield "exposure over training", _course(run)
    yield "skew-normal fit", _curves(run.folder, int(found.fit[0]))
    yield "estimators side by side", _estimators(run, found)


def _levels(run: ExposureResult) -> Named:
    found = run.exposure
    yield (
        "exposure-by-insertions",
        exposure_by_insertions(
            run.inserted,
            found.bits,
            low=found.low,
            high=found.high,
            saturated=found.saturated,
            secrets=found.ids,
            maximum=_maximum(found.maximum),
        ),
    )


def _course(run: Run) -> Named:
    found: ExposureOverTraining = run.trajectory()
    if len(found.steps) < 2:
        raise InvalidInput("the run has exposures after training only (--track)")
    yield "exposure-over-training", exposure_over_training(drawn(found))


def drawn(course: ExposureOverTraining) -> ExposureCourse:
    """A course as its figure takes it: rows of all fits, losses averaged over the fits."""
    return ExposureCourse(
        steps=course.steps,
        bits=course.bits,
        insertions=course.inserted,
        saturated=course.saturated,
        maximum=_maximum(course.maximum),
        loss_steps=course.loss_steps,
        train_loss=_mean(course.train_loss),
        test_loss=_mean(course.test_loss),
        unit=course.unit,
    )


def _curves(run: RunFolder, fit: int) -> Named:
    """For each pattern the curve through its references, and its likeliest canary."""
    patterns = list(bits_by_pattern(run, fit))
    few = [one for one in patterns if len(one.reference_bits) < _FEWEST]
    if few:
        raise InvalidInput(
            f"a curve needs {_FEWEST:,} references or more (--references);"
            f" there are {len(few[0].reference_bits):,}"
        )
    for number, one in enumerate(patterns):
        name = "skew-normal-fit" if len(patterns) == 1 else f"skew-normal-fit-{number + 1}"
        yield name, _curve(one)


def _curve(one: PatternBits) -> "Figure":
    row = int(one.canary_bits.argmin())
    canary = float(one.canary_bits[row])
    found = estimate_exposure(canary, one.reference_bits, space_size=one.size, method="skew_normal")
    times = f"{one.ids[row]}, inserted {one.inserted[row]:,}×"
    return skew_normal_fit(one.reference_bits, found.fits[0], canary, name=times)


def _estimators(run: Run, auto: ExposureResult) -> Named:
    """The canaries of the first fit, those inserted most often first, by each estimator."""
    first = np.flatnonzero(auto.fit == auto.fit[0])
    order = first[np.argsort(-auto.inserted[first], kind="stable")]
    rows = order if len(order) <= _MOST else order[_spread(len(order), _MOST)]
    names = [f"{auto.exposure.ids[row]} ({auto.inserted[row]:,}×)" for row in rows]
    found = _estimates(run, rows)
    yield (
        "exposure-by-estimator",
        exposure_by_estimator(found, names, maximum=_maximum(auto.exposure.maximum)),
    )


def _estimates(run: Run, rows: NDArray[np.intp]) -> Mapping[str, Estimates]:
    found = {}
    for method, name in _ESTIMATORS.items():
        try:
            exposure = run.exposure(method=method).exposure
        except InvalidInput:  # too few references for a curve
            continue
        if method == "rank" and np.isnan(exposure.bits[rows]).all():  # none was searched for
            continue
        found[name] = Estimates(
            *(getattr(exposure, part)[rows] for part in ("bits", "low", "high", "saturated"))
        )
    return found


def _spread(of: int, most: int) -> NDArray[np.intp]:
    """Some of so many, evenly, the first and the last among them."""
    return np.linspace(0, of - 1, most).round().astype(np.intp)


def _maximum(values: Sequence[float] | NDArray[np.float64]) -> float | None:
    known = np.asarray(values)[~np.isnan(values)]
    return float(known.max()) if len(known) else None


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) over the fits that know it; NaN where none does."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0).sum(axis=0) / known.sum(axis=0))
