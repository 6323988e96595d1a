"""The ways down: Adam, RMSProp and plain stochastic gradient descent."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

# Learning rates that suit two layers of 200 units at the default batch.
RATES = {"adam": 4e-3, "rmsprop": 2e-3, "sgd": 2.0}


@dataclass(frozen=True)
class Descent:
    """How a gradient changes the weights.

    Attributes
    ----------
    name
        "adam" (Kingma & Ba 2015), "rmsprop" or "sgd" (without momentum).
    learning_rate
        Size of a step.
    weight_decay
        For Adam decoupled from the gradient (AdamW, Loshchilov & Hutter 2019): weights shrink by
        ``learning_rate * weight_decay`` a step. For the others ``weight_decay`` times the weights
        is added to the gradient, which for SGD is the same thing.
    clip
        Largest norm of the gradient of all weights together; a longer one is shortened to it.
    """

    name: str
    learning_rate: float
    weight_decay: float
    clip: float

    def optimizer(self, weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """A fresh optimizer of the weights."""
        if self.name == "adam":
            return torch.optim.AdamW(
                weights, lr=self.learning_rate, weight_decay=self.weight_decay, fused=True
            )
        if self.name == "rmsprop":
            return torch.optim.RMSprop(
                weights, lr=self.learning_rate, weight_decay=self.weight_decay
            )
        return torch.optim.SGD(weights, lr=self.learning_rate, weight_decay=self.weight_decay)
