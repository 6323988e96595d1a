"""Exposure and losses over the course of training, from the folder of a tracked run."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from byrote.columnar import Tabular
from byrote.display import Displayed
from byrote.errors import InvalidInput
from byrote.runs.run_folder import RunFolder
from byrote.scores.exposure.exposure_result import ExposureResult, exposure_of_run
from byrote.scores.memorization.trajectory import known_mean, losses_by_epoch

Array = NDArray[np.float64]
_MEASURED = ("bits", "low", "high", "saturated", "p_value")
_LOSSES = {"train_loss": "train", "test_loss": "held_out"}


@dataclass(frozen=True, eq=False, repr=False)
class ExposureOverTraining(Tabular, Displayed):
    r"""Exposure over the course of training: m rows (fits x canaries) at E steps.

    Attributes
    ----------
    ids, fit, inserted, role, pattern
        (m,) as in ``ExposureResult``: the rows of the first fit first.
    unit
        Unit of the steps: "epoch", or "batch" where the model reports every N batches.
    steps
        (E,) when exposure was measured, in increasing order. The last report of a model that counts
        batches is that when training ends, possibly fewer than N batches after the previous one.
    bits, low, high, saturated, p_value
        (m, E) as in ``Exposure``; NaN where a fit was not measured.
    maximum
        (m,) log2 of the number of candidates.
    loss_steps
        (T,) all reports of training.
    train_loss, test_loss
        (F, T) nats per token, of the text trained on since the previous report, and of the held-out
        text; NaN where unknown.
    tracking_seconds, seconds
        (F,) time of measuring during training, and of the whole fit; NaN where unknown.

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
    ...     trajectory = byrote.open_run(folder + "/e").trajectory()
    >>> trajectory.unit, trajectory.steps.tolist(), trajectory.bits.shape
    ('epoch', [1, 2, 3], (4, 3))
    >>> bool((trajectory.bits[:, -1] == run.exposure.bits).all())
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
    tracking_seconds: Array
    seconds: Array

    def __repr__(self) -> str:
        steps = f"{len(self.steps)} {'epochs' if self.unit == 'epoch' else 'batches'}"
        return f"ExposureOverTraining({len(self.ids)} canaries, {steps})"

    def mean_losses(self, step: int) -> tuple[float, float]:
        """Average training and test loss at a step over the fits that report it."""
        column = self.loss_steps == step
        return known_mean(self.train_loss[:, column]), known_mean(self.test_loss[:, column])

    @property
    def cost(self) -> float:
        """Share of the fits' time spent measuring during training; NaN if unknown."""
        known = ~np.isnan(self.tracking_seconds) & ~np.isnan(self.seconds)
        whole = self.seconds[known].sum()
        return float(self.tracking_seconds[known].sum() / whole) if whole > 0 else float("nan")

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return a row for each step, fit and canary, as columns by name."""
        per_row = {"id": self.ids, "fit": self.fit, "inserted": self.inserted, "role": self.role}
        return {
            self.unit: np.repeat(self.steps, len(self.ids)),
            **{name: np.tile(values, len(self.steps)) for name, values in per_row.items()},
            **{name: getattr(self, name).T.ravel() for name in _MEASURED},
        }


def exposure_trajectory_of_run(
    run: RunFolder, last: ExposureResult, method: str, *, partial: bool
) -> ExposureOverTraining:
    """Compute exposures and losses at every report of a run, ``last`` after training."""
    reports = run.epochs()
    if not reports:
        raise InvalidInput("run must be tracked: its fits end at different reports")
    measured = [_measured_at(run, last, report, method, partial) for report in reports]
    columns: dict[str, Any] = {
        name: np.stack([at_report[name] for at_report in measured], axis=1) for name in _MEASURED
    }
    batches = _batches_per_report(run)
    facts = [run.facts(fit) for fit in np.unique(last.fit).tolist()]
    loss_reports, losses = losses_by_epoch(facts, _LOSSES)
    for row, fact in enumerate(facts):  # the test loss after training belongs to the last report
        epochs = fact.get("losses", {}).get("epoch", ())
        if len(epochs) and fact.get("test_loss") is not None:
            at_last = np.searchsorted(loss_reports, epochs[-1])
            losses["test_loss"][row, at_last] = fact["test_loss"]
    return ExposureOverTraining(
        ids=last.exposure.ids,
        fit=last.fit,
        inserted=last.inserted,
        role=last.role,
        pattern=last.pattern,
        unit="epoch" if batches is None else "batch",
        steps=np.array(reports) * (batches or 1),
        **columns,
        maximum=last.exposure.maximum,
        loss_steps=loss_reports * (batches or 1),
        train_loss=losses["train_loss"],
        test_loss=losses["test_loss"],
        tracking_seconds=_numbers(facts, "tracking_seconds"),
        seconds=_numbers(facts, "seconds"),
    )


def _measured_at(
    run: RunFolder, last: ExposureResult, report: int, method: str, partial: bool
) -> dict[str, NDArray[Any]]:
    """Measurements after a report, in the rows of the last one; NaN for fits without it."""
    table = run.table(epoch=report, partial=partial)
    if table.counting().any():
        result = exposure_of_run(run, table, epoch=report, method=method)
    else:
        result = None
    columns = {}
    for name in _MEASURED:
        empty = False if name == "saturated" else np.nan
        columns[name] = np.full(len(last), empty, dtype=getattr(last.exposure, name).dtype)
        if result is not None:
            columns[name][np.isin(last.fit, result.fit)] = getattr(result.exposure, name)
    return columns


def _batches_per_report(run: RunFolder) -> int | None:
    """Number of batches between reports; None if they are epochs."""
    value = run.manifest.model.parameters.get("report_every")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _numbers(facts: list[dict[str, Any]], name: str) -> Array:
    return np.array([fact.get(name, np.nan) for fact in facts], dtype=np.float64)
