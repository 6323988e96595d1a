"""Early stopping: keep the weights of the epoch with the lowest validation loss."""

import hashlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import nn

from byrote import checks
from byrote.data.formats.npy import load_array
from byrote.errors import InvalidInput
from byrote.models.spaces import as_records, as_single

_HASHED_VALUES = 1 << 22


class EarlyStopping:
    """Decides after each epoch whether training stops, and restores the best weights at its end.

    Parameters
    ----------
    network
        The network in training.
    loss
        Mean loss on validation data, in nats; deterministic for given weights.
    patience
        Consecutive epochs without a new lowest loss after which training stops; NaN is not lower.

    Examples
    --------
    >>> network, losses = nn.Linear(1, 1), iter([3.0, 1.0, 2.0, 2.0, 0.5])
    >>> stopping = EarlyStopping(network, lambda: next(losses), patience=2)
    >>> [stopping.stops() for epoch in range(4)], stopping.facts()
    ([False, False, False, True], {'epoch': 2, 'epochs': 4, 'loss': 1.0})
    """

    def __init__(self, network: nn.Module, loss: Callable[[], float], patience: int) -> None:
        self._network, self._loss, self._patience = network, loss, patience
        self._epochs = self._best_epoch = 0
        self._best_loss = math.inf
        self._best_weights: dict[str, Any] = {}

    def stops(self) -> bool:
        """Record an epoch, and return whether it is the last; call once after each."""
        self._epochs += 1
        loss = self._loss()
        if loss < self._best_loss:
            self._best_loss, self._best_epoch = loss, self._epochs
            state = self._network.state_dict()
            self._best_weights = {name: value.detach().clone() for name, value in state.items()}
        return self._epochs - self._best_epoch >= self._patience

    def restore(self) -> None:
        """Load the weights of the best epoch, if any loss was finite."""
        if self._best_weights:
            self._network.load_state_dict(self._best_weights)

    def facts(self) -> dict[str, Any]:
        """Return the ``epoch`` kept, the number of ``epochs``, and the ``loss``, nats."""
        return {
            "epoch": self._best_epoch or self._epochs,
            "epochs": self._epochs,
            "loss": self._best_loss if math.isfinite(self._best_loss) else None,
        }


class AfterEpoch:
    """Called after each epoch: reports its loss, and stops training early if asked to.

    ``report(epoch, loss)`` gets the number of an epoch, from 1, and its mean training loss.
    """

    def __init__(
        self, report: Callable[[int, float], None], stopping: EarlyStopping | None
    ) -> None:
        self._report, self._stopping = report, stopping

    def __call__(self, epoch: int, loss: float) -> bool:
        """Return whether training stops here."""
        self._report(epoch, loss)
        return self.stops()

    def stops(self) -> bool:
        """Record an epoch with early stopping, and return whether it is the last."""
        return self._stopping is not None and self._stopping.stops()

    def finish(self) -> dict[str, Any]:
        """Restore the best weights if training may stop early, and return facts."""
        if self._stopping is None:
            return {}
        self._stopping.restore()
        return {"stopped": self._stopping.facts()}


def check_options(patience: Any, validation: Any) -> None:
    """Refuse ``patience`` without validation data, and validation data without ``patience``."""
    if patience is not None:
        checks.integer("patience", patience, at_least=1)
        if validation is None:
            raise InvalidInput(
                "patience needs validation, records outside the training whose loss decides; got"
                " none"
            )
    elif validation is not None:
        raise InvalidInput(
            "validation decides when training stops and needs patience, a number of epochs; got"
            " none"
        )


def validation_records(validation: Any) -> NDArray[Any]:
    """Return validation records of an array or of a .npy file."""
    try:
        if isinstance(validation, str | Path):
            if not Path(validation).is_file():
                raise InvalidInput(f"{validation} is not a file")
            validation = load_array(str(validation)).x
        return as_records(validation)
    except InvalidInput as error:
        raise InvalidInput(f"validation must be records, or a .npy file of them: {error}") from None


class Checks(Protocol):
    """A space, or whatever else refuses records outside it."""

    def check(self, x: NDArray[Any]) -> None:
        """Refuse records outside."""


def check_validation(validation: Any, space: Checks, x: NDArray[Any]) -> None:
    """Refuse validation records outside the space, of another shape than x, or among x."""
    records = validation_records(validation)
    if records.shape[1:] != x.shape[1:]:
        raise InvalidInput(
            f"validation must hold records of the shape of X, {x.shape[1:]}; got"
            f" {records.shape[1:]}"
        )
    try:
        space.check(records)
    except InvalidInput as error:
        raise InvalidInput(f"validation: {error}") from None
    training = set(_digests(x))
    shared = sum(digest in training for digest in _digests(records))
    if shared:
        raise InvalidInput(
            "validation must hold records outside X, whose memorization is measured;"
            f" {shared} of {len(records)} are among X"
        )


def _digests(x: NDArray[Any]) -> Iterator[bytes]:
    """Yield a hash of each record's values, in float32."""
    chunk = max(1, _HASHED_VALUES // x[0].size)
    for start in range(0, len(x), chunk):
        rows = as_single(x[start : start + chunk]).reshape(-1, x[0].size) + np.float32(0)
        for row in rows:  # -0.0 is 0.0
            yield hashlib.blake2b(row.tobytes(), digest_size=16).digest()
