"""Exposure and losses in the course of training, from the run folder of a tracked run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import IncompleteRun, InvalidInput
from byrote.fits.run_folder import RunFolder
from byrote.scores.exposure.loading import exposure_of
from byrote.scores.exposure.run import ExposureRun

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
_MEASURED = ("bits", "low", "high", "saturated", "p_value")
_LOSSES = {"train_loss": "train", "test_loss": "held_out"}


@dataclass(frozen=True, eq=False, repr=False)
class ExposureOverTraining:
    r"""How exposure moved while the models trained: m rows (fits x canaries) at E steps.

    Attributes
    ----------
    ids, fit, inserted, role, pattern
        (m,) as in ``ExposureRun``: the rows of the first fit first.
    unit
        Of the steps: "epoch", or "batch" where the model reports every so many batches.
    steps
        (E,) at which exposure was measured, rising. The last report of a model that counts batches
        comes when training ends, which may be less than a full count after the one before.
    bits, low, high, saturated, p_value
        (m, E) as in ``Exposure``; NaN where a fit was not measured then.
    maximum
        (m,) log2 of the number of candidates.
    loss_steps
        (T,) every report of training.
    train_loss, test_loss
        (F, T) nats per token, of the text trained on since the report before, and of the text set
        apart; NaN where unknown.
    asking_seconds, seconds
        (F,) what measuring in the middle of training took, and the whole fit; NaN where unknown.

    Examples
    --------
    >>> import byrote, tempfile
    >>> from byrote.models import CharLSTM
    >>> text = "the cat sat on the mat and the dog sat on the log\n" * 60
    >>> model = CharLSTM(hidden=16, layers=1, epochs=3, batch_size=4, window=16)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = byrote.score_exposure(
    ...         model, [text], byrote.Canary("my pin is {digits:4}"), insertions=[2],
    ...         canaries_per_level=2, controls=2, references=50, track=[1, 2], out=folder + "/e",
    ...     )
    ...     course = byrote.open_run(folder + "/e").trajectory()
    >>> course.unit, course.steps.tolist(), course.bits.shape, course.test_loss.shape
    ('epoch', [1, 2, 3], (4, 3), (1, 3))
    >>> bool((course.bits[:, -1] == run.exposure.bits).all())
    True
    """

    ids: NDArray[Any]
    fit: NDArray[np.int64]
    inserted: NDArray[np.int64]
    role: NDArray[np.str_]
    pattern: NDArray[np.int64]
    unit: Literal["epoch", "batch"]
    steps: NDArray[np.int64]
    bits: Array
    low: Array
    high: Array
    saturated: NDArray[np.bool_]
    p_value: Array
    maximum: Array
    loss_steps: NDArray[np.int64]
    train_loss: Array
    test_loss: Array
    asking_seconds: Array
    seconds: Array

    def __repr__(self) -> str:
        steps = f"{len(self.steps)} {'epochs' if self.unit == 'epoch' else 'batches'}"
        return f"ExposureOverTraining({len(self.ids)} canaries, {steps})"

    def mean_losses(self, step: int) -> tuple[float, float]:
        """Training and test loss at a step, averaged over the fits that know it."""
        column = self.loss_steps == step
        return _mean(self.train_loss[:, column]), _mean(self.test_loss[:, column])

    @property
    def cost(self) -> float:
        """Share of the fits' time that measuring in the middle of training took; NaN if unknown."""
        known = ~np.isnan(self.asking_seconds) & ~np.isnan(self.seconds)
        whole = self.seconds[known].sum()
        return float(self.asking_seconds[known].sum() / whole) if whole > 0 else float("nan")

    def to_frame(self) -> "pd.DataFrame":
        """One row per step, fit and canary."""
        import pandas as pd  # noqa: PLC0415 (slow to load)

        per_row = {"id": self.ids, "fit": self.fit, "inserted": self.inserted, "role": self.role}
        return pd.DataFrame(
            {
                self.unit: np.repeat(self.steps, len(self.ids)),
                **{name: np.tile(values, len(self.steps)) for name, values in per_row.items()},
                **{name: getattr(self, name).T.ravel() for name in _MEASURED},
            }
        )


def course_of(
    run: RunFolder, *, method: str = "auto", partial: bool = False
) -> ExposureOverTraining:
    """Compute exposures and losses at every report of a run; see ``Run.trajectory``."""
    partial = checks.flag("partial", partial)
    last = exposure_of(run, method=method, partial=partial)
    reports = run.epochs()
    if not reports:
        raise InvalidInput("run must be tracked: its fits end at different reports")
    found = [_at(run, last, report, method, partial) for report in reports]
    measured: dict[str, Any] = {
        name: np.stack([each[name] for each in found], axis=1) for name in _MEASURED
    }
    every = _batches_per_report(run)
    fits = np.unique(last.fit).tolist()
    facts = [run.facts(fit) for fit in fits]
    return ExposureOverTraining(
        ids=last.exposure.ids,
        fit=last.fit,
        inserted=last.inserted,
        role=last.role,
        pattern=last.pattern,
        unit="epoch" if every is None else "batch",
        steps=np.array(reports) * (every or 1),
        **measured,
        maximum=last.exposure.maximum,
        **_losses(facts, every or 1),
        asking_seconds=_numbers(facts, "asking_seconds"),
        seconds=_numbers(facts, "seconds"),
    )


def _at(
    run: RunFolder, last: ExposureRun, report: int, method: str, partial: bool
) -> dict[str, NDArray[Any]]:
    """What was measured after a report, in the rows of the last one; NaN for fits without it."""
    try:
        found = exposure_of(run, epoch=report, method=method, partial=partial)
    except IncompleteRun:
        if not partial:
            raise
        found = None
    columns = {}
    for name in _MEASURED:
        blank = False if name == "saturated" else np.nan
        columns[name] = np.full(len(last), blank, dtype=getattr(last.exposure, name).dtype)
        if found is not None:
            columns[name][np.isin(last.fit, found.fit)] = getattr(found.exposure, name)
    return columns


def _batches_per_report(run: RunFolder) -> int | None:
    """How many batches lie between reports; None if they are epochs."""
    value = run.manifest.model.parameters.get("report_every")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _losses(facts: list[dict[str, Any]], every: int) -> dict[str, Any]:
    """(F, T) losses; the test loss after training stands beside the last report."""
    kept = [fact.get("losses", {}) for fact in facts]
    reports = np.unique([e for losses in kept for e in losses.get("epoch", ())]).astype(np.int64)
    found = {name: np.full((len(facts), len(reports)), np.nan) for name in _LOSSES}
    for row, (losses, fact) in enumerate(zip(kept, facts, strict=True)):
        column = np.searchsorted(reports, losses.get("epoch", ()))
        for name, key in _LOSSES.items():
            found[name][row, column] = np.array(losses.get(key, ()), dtype=np.float64)
        if len(column) and fact.get("test_loss") is not None:
            found["test_loss"][row, column[-1]] = fact["test_loss"]
    return {"loss_steps": reports * every, **found}


def _numbers(facts: list[dict[str, Any]], name: str) -> Array:
    return np.array([fact.get(name, np.nan) for fact in facts], dtype=np.float64)


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
