"""Scores and losses over the epochs of training, from the folder of a tracked run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.columnar import Tabular
from byrote.display import Displayed
from byrote.errors import IncompleteRun, InvalidInput
from byrote.runs.run_folder import RunFolder
from byrote.scores.memorization.evaluation import estimates_without
from byrote.scores.memorization.summary import quantiles

Array = NDArray[np.float64]
ESTIMATORS = ("score", "mean_log")
_LOSSES = {"train_loss": "train", "held_out_loss": "held_out"}


@dataclass(frozen=True, eq=False)
class Trajectory(Tabular, Displayed):
    """Scores and losses over the epochs of training: Figure 4 of the paper.

    E epochs, r scored records, F fits, T epochs with losses. Nats.

    Attributes
    ----------
    ids
        (r,) ids of the scored records.
    epochs
        (E,) the tracked epochs and, where all fits end at the same epoch, the last.
    score, mean_log
        (E, r) the estimators of ``MemorizationResult`` after each epoch.
    loss_epochs
        (T,) epochs that any fit reported.
    train_loss, held_out_loss
        (F, T) nats per record; NaN where unknown. The held-out loss is measured on at most 2,000 of
        the fit's held-out records, where the model has a method ``loss``.

    Examples
    --------
    >>> import byrote, numpy as np, tempfile
    >>> from byrote.models import VAE
    >>> model = VAE(latent_dim=1, hidden=(4,), epochs=3, draws=4)
    >>> x = np.random.default_rng(0).random((12, 5))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plan, run = byrote.KFold(2, repeats=1), folder + "/run"
    ...     result = byrote.score_memorization(model, x, plan=plan, out=run, track=[1, 2])
    ...     trajectory = byrote.open_run(run).trajectory()
    >>> trajectory.epochs, trajectory.score.shape, trajectory.train_loss.shape
    (array([1, 2, 3]), (3, 12), (2, 3))
    >>> bool((trajectory.score[-1] == result.score).all())
    True
    """

    ids: NDArray[Any]
    epochs: NDArray[np.int64]
    score: Array
    mean_log: Array
    loss_epochs: NDArray[np.int64]
    train_loss: Array
    held_out_loss: Array

    def __repr__(self) -> str:
        return f"Trajectory({len(self.ids)} records, {len(self.epochs)} epochs)"

    def quantile(self, q: float, estimator: str = "score") -> Array:
        """Compute the q-quantile over records of an estimator after each epoch, (E,) nats.

        Records without a score are left out; NaN if none has a score.

        Raises
        ------
        InvalidInput
            If ``q`` is not between 0 and 1, or the estimator is neither "score" nor "mean_log".
        """
        q = checks.fraction("q", q)
        values = getattr(self, checks.choice("estimator", estimator, ESTIMATORS))
        known = [row[~np.isnan(row)] for row in values]
        return np.array([quantiles(row, (q,))[0] if len(row) else np.nan for row in known])

    @property
    def quantile_error_reason(self) -> str:
        """Why quantiles have no standard error."""
        return (
            "no standard error: a jackknife over fits misjudges quantiles; compare runs with"
            " different seeds"
        )

    def mean_losses(self, epoch: int) -> tuple[float, float]:
        """Average training and held-out loss after an epoch over the fits that report it."""
        column = self.loss_epochs == epoch
        return known_mean(self.train_loss[:, column]), known_mean(self.held_out_loss[:, column])

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return a row for each epoch and record, as columns by name."""
        return {
            "epoch": np.repeat(self.epochs, len(self.ids)),
            "id": np.tile(self.ids, len(self.epochs)),
            "score": self.score.ravel(),
            "mean_log": self.mean_log.ravel(),
        }


def trajectory_of_run(folder: RunFolder, *, partial: bool = False) -> Trajectory:
    """Compute scores and losses at every scored epoch of a run; see ``Run.trajectory``."""
    partial = checks.flag("partial", partial)
    folder.check_no_canaries()
    missing = folder.missing()
    if len(missing) == folder.design.fits:
        raise IncompleteRun(folder.complaint(missing))
    epochs = folder.epochs()
    if not epochs:
        raise InvalidInput("run must be tracked: its fits end at different epochs")
    nothing = np.zeros(folder.design.fits, dtype=bool)
    tables = (folder.table(epoch=epoch, partial=partial) for epoch in epochs)
    estimates = [(table.rows, estimates_without(table, nothing)) for table in tables]
    facts = [{} if fit in missing else folder.facts(fit) for fit in range(folder.design.fits)]
    loss_epochs, losses = losses_by_epoch(facts, _LOSSES)
    return Trajectory(
        ids=folder.ids[estimates[-1][0]],
        epochs=np.array(epochs),
        **{name: np.stack([values[name] for _, values in estimates]) for name in ESTIMATORS},
        loss_epochs=loss_epochs,
        **losses,
    )


def losses_by_epoch(
    facts: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> tuple[NDArray[np.int64], dict[str, Array]]:
    """(T,) epochs that any fit reported, and (F, T) losses by name; NaN where unknown."""
    reports = [fact.get("losses", {}) for fact in facts]
    epochs = np.unique([e for report in reports for e in report.get("epoch", ())]).astype(np.int64)
    losses = {name: np.full((len(facts), len(epochs)), np.nan) for name in names}
    for fit, report in enumerate(reports):
        column = np.searchsorted(epochs, report.get("epoch", ()))
        for name, key in names.items():
            losses[name][fit, column] = np.array(report.get(key, ()), dtype=np.float64)
    return epochs, losses


def known_mean(values: Array) -> float:
    """Average the values that are not NaN; NaN if there are none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
