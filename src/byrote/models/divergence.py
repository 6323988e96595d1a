"""Training that diverged: losses or weights that are no numbers end the fit, with the way out."""

import math

import torch
from torch import nn

from byrote.errors import TrainingDiverged


def check_loss(loss: float, when: str, way_out: str) -> None:
    """Refuse to go on after a training loss that is not finite.

    Parameters
    ----------
    when
        The epoch or report.
    way_out
        What helps, an imperative.

    Raises
    ------
    TrainingDiverged
        If it is not.
    """
    if not math.isfinite(loss):
        raise TrainingDiverged(f"training diverged: the loss of {when} is {loss}; {way_out}")


def check_weights(network: nn.Module, way_out: str) -> None:
    """Refuse a network with weights that are not finite.

    Raises
    ------
    TrainingDiverged
        Naming how many they are.
    """
    weights = list(network.parameters())
    wrong = sum(weight.numel() - int(torch.isfinite(weight).sum()) for weight in weights)
    if wrong:
        every = sum(weight.numel() for weight in weights)
        raise TrainingDiverged(
            f"training diverged: {wrong:,} of {every:,} weights are not finite; {way_out}"
        )
