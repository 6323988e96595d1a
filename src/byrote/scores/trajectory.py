"""Scores and losses in the course of training, from the run folder of a tracked run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import IncompleteRun, InvalidInput
from byrote.fits.run_folder import RunFolder
from byrote.scores.distribution import quantiles
from byrote.scores.evaluation import estimates_without

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
ESTIMATORS = ("score", "mean_log")


@dataclass(frozen=True, eq=False)
class Trajectory:
    """How scores and losses moved while the models trained: Figure 4 of the paper.

    E epochs, r scored records, F fits, T epochs with losses. Nats.

    Attributes
    ----------
    ids
        (r,) ids of the scored records.
    epochs
        (E,) the tracked epochs and, where all fits end at the same, the last.
    score, mean_log
        (E, r) the estimators of ``MemorizationResult`` after each epoch.
    loss_epochs
        (T,) the epochs that any fit reported.
    train_loss, held_out_loss
        (F, T) per fit, nats per record; NaN where unknown. The held-out one is measured on at most
        2,000 of the fit's held-out records, where the model has a method ``loss``.

    Examples
    --------
    >>> import byrote, numpy as np, tempfile
    >>> from byrote.models import VAE
    >>> model = VAE(latent_dim=1, hidden=(4,), epochs=3, draws=4)
    >>> x = np.random.default_rng(0).random((12, 5))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plan, run = byrote.KFold(2, repeats=1), folder + "/run"
    ...     result = byrote.score_memorization(model, x, plan=plan, store=run, track=[1, 2])
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

    def quantile(self, q: float, estimator: str = "score") -> Array:
        """The q-quantile over records of an estimator after each epoch, (E,) nats.

        Records without a score are left out; NaN where none has one.

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
        """Why quantiles come without a standard error."""
        return (
            "no standard error: a jackknife over fits misjudges quantiles; compare runs with"
            " different seeds"
        )

    def mean_losses(self, epoch: int) -> tuple[float, float]:
        """Training and held-out loss after an epoch, averaged over the fits that know it."""
        column = self.loss_epochs == epoch
        return _mean(self.train_loss[:, column]), _mean(self.held_out_loss[:, column])

    def to_frame(self) -> "pd.DataFrame":
        """One row per epoch and record: epoch, id, score, mean_log."""
        import pandas as pd  # noqa: PLC0415 (slow to load)

        return pd.DataFrame(
            {
                "epoch": np.repeat(self.epochs, len(self.ids)),
                "id": np.tile(self.ids, len(self.epochs)),
                "score": self.score.ravel(),
                "mean_log": self.mean_log.ravel(),
            }
        )


def trajectory_of(folder: RunFolder, *, partial: bool = False) -> Trajectory:
    """Compute scores and losses at every scored epoch of a run; see ``Run.trajectory``."""
    partial = checks.flag("partial", partial)
    folder.check_no_canaries()
    missing = folder.missing()
    if len(missing) == folder.design.fits:
        raise IncompleteRun(folder.complaint(missing))
    epochs = folder.epochs()
    if not epochs:
        raise InvalidInput("run must be tracked: its fits end at different epochs")
    found = {name: [] for name in ESTIMATORS}  # type: dict[str, list[Array]]
    nothing = np.zeros(folder.design.fits, dtype=bool)
    for epoch in epochs:
        table = folder.table(epoch=epoch, partial=partial)
        estimates = estimates_without(table, nothing)
        for name in ESTIMATORS:
            found[name].append(estimates[name])
    return Trajectory(
        ids=folder.ids[table.rows],
        epochs=np.array(epochs),
        score=np.stack(found["score"]),
        mean_log=np.stack(found["mean_log"]),
        **_losses(folder, missing),
    )


def _losses(folder: RunFolder, missing: list[int]) -> dict[str, Any]:
    fits = sorted(set(range(folder.design.fits)) - set(missing))
    kept = {fit: folder.facts(fit).get("losses", {}) for fit in fits}
    epochs = np.unique(
        np.array([e for losses in kept.values() for e in losses.get("epoch", ())], dtype=np.int64)
    )
    found = {name: np.full((folder.design.fits, len(epochs)), np.nan) for name in _LOSSES}
    for fit, losses in kept.items():
        column = np.searchsorted(epochs, losses.get("epoch", ()))
        for name, key in _LOSSES.items():
            found[name][fit, column] = np.array(losses.get(key, ()), dtype=np.float64)
    return {"loss_epochs": epochs, **found}


_LOSSES = {"train_loss": "train", "held_out_loss": "held_out"}


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
