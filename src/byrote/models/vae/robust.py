"""The beta-divergence as a reconstruction cost, in log space.

Between the distribution of a record and p(. | z) it is, but for what does not depend on p (Basu et
al. 1998; for VAEs Akrami et al. 2022),

    -(1 + b)/b (p(x | z)^b - 1) + (integral of p(. | z)^(1 + b) - 1),

which tends to -log p(x | z) as b tends to 0. Its gradient weighs a record by p(x | z)^b, so that
one that the model finds improbable has little say.
"""

import math

import torch
from torch import Tensor

TOP = 30.0  # of an exponent: gradients of e^30 and their squares are within float32


def beta_divergence(log_prob: Tensor, log_power: Tensor, beta: float) -> Tensor:
    """The cost of records.

    A density may be so large that its power is no floating number. Above e^30 both powers are
    continued by their tangents: there the cost is, but for its scale, close to minus the log.

    Parameters
    ----------
    log_prob
        Log p(x | z), nats.
    log_power
        Log of the integral of p(. | z)^(1 + beta), of the same shape.
    beta
        Above 0.

    Examples
    --------
    >>> log_prob = torch.tensor([-2.0, -1000.0])
    >>> beta_divergence(log_prob, torch.tensor([0.0, 0.0]), 1e-6).round(decimals=2)
    tensor([  2.0000, 999.5000])
    """
    return _expm1(log_power) - (1 + beta) / beta * _expm1(beta * log_prob)


def _expm1(exponent: Tensor) -> Tensor:
    """The power less one, continued by its tangent above ``TOP``."""
    beyond = torch.relu(exponent - TOP)  # whose gradient at zero is zero
    return torch.expm1(exponent.clamp(max=TOP)) + math.exp(TOP) * beyond
