"""Early stopping: keep the weights of the epoch with the lowest validation loss."""

import math
from collections.abc import Callable
from typing import Any

from torch import nn

from byrote import checks
from byrote.errors import InvalidInput


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
