"""Early stopping: the weights of the epoch after which records outside the training cost least."""

import math
from collections.abc import Callable
from typing import Any

from torch import nn

from byrote import checks
from byrote.errors import InvalidInput


class EarlyStopping:
    """Watches a training, and puts the best weights back at its end.

    Parameters
    ----------
    network
        What is trained.
    loss
        The mean loss of validation data with the weights as they are, nats. It decides, so it must
        be the same for the same weights.
    patience
        Training ends after so many epochs in a row without a new lowest loss. NaN is no loss.

    Examples
    --------
    >>> network, losses = nn.Linear(1, 1), iter([3.0, 1.0, 2.0, 2.0, 0.5])
    >>> stopping = EarlyStopping(network, lambda: next(losses), patience=2)
    >>> [stopping.ends() for epoch in range(4)], stopping.facts()
    ([False, False, False, True], {'epoch': 2, 'epochs': 4, 'loss': 1.0})
    """

    def __init__(self, network: nn.Module, loss: Callable[[], float], patience: int) -> None:
        self._network, self._loss, self._patience = network, loss, patience
        self._epochs = self._best = 0
        self._lowest = math.inf
        self._kept: dict[str, Any] = {}

    def ends(self) -> bool:
        """To be asked after each epoch: whether it was the last."""
        self._epochs += 1
        loss = self._loss()
        if loss < self._lowest:
            self._lowest, self._best = loss, self._epochs
            self._kept = {k: v.detach().clone() for k, v in self._network.state_dict().items()}
        return self._epochs - self._best >= self._patience

    def restore(self) -> None:
        """Give the network the weights of the best epoch; none was, if no loss was a number."""
        if self._kept:
            self._network.load_state_dict(self._kept)

    def facts(self) -> dict[str, Any]:
        """The ``epoch`` whose weights are kept, of so many ``epochs``, and its ``loss``, nats."""
        return {
            "epoch": self._best or self._epochs,
            "epochs": self._epochs,
            "loss": self._lowest if math.isfinite(self._lowest) else None,
        }


def check_options(patience: Any, validation: Any) -> None:
    """Refuse a patience without validation data, and the other way round.

    Raises
    ------
    InvalidInput
        If so, or the patience is no number of epochs.
    """
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
