"""Invertible transforms between pixels and the values that a model describes.

Pixels x lie in [0, 1] in steps of 1/255. A density over pixels is per step, so that
-log p / (D ln 2) is bits per dimension.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

SQUEEZE = 0.05  # lambda: keeps the logit finite (Dinh et al. 2017; the authors' value)
STEPS = 256


def dequantized(x: Tensor, uniform: Tensor) -> Tensor:
    """Pixels spread uniformly over their step (Theis et al. 2016): u = (255 x + U) / 256."""
    return ((STEPS - 1) * x + uniform) / STEPS


def quantized(u: Tensor) -> Tensor:
    """The pixels of which u may be dequantized; the inverse of ``dequantized`` for any noise."""
    return (u * STEPS).floor().clamp(0, STEPS - 1) / (STEPS - 1)


def to_logit(u: Tensor) -> Tensor:
    """Logit space: y = logit(lambda + (1 - 2 lambda) u)."""
    return torch.logit(SQUEEZE + (1 - 2 * SQUEEZE) * u)


def from_logit(y: Tensor) -> Tensor:
    """The inverse of ``to_logit``."""
    return (torch.sigmoid(y) - SQUEEZE) / (1 - 2 * SQUEEZE)


def log_determinant(y: Tensor) -> Tensor:
    """Log |dy / d step|, summed over the last axis: what is added to log p(y), nats.

    With s the sigmoid, dy/du = (1 - 2 lambda) / (s(y) s(-y)), log s(y) s(-y) = y - 2 softplus(y),
    and a step is 1/256 of u.
    """
    constant = math.log(1 - 2 * SQUEEZE) - math.log(STEPS)
    return (constant - y + 2 * functional.softplus(y)).sum(dim=-1)


def flipped(x: Tensor, width: int, generator: torch.Generator) -> Tensor:
    """Each image mirrored left to right with probability 1/2.

    Parameters
    ----------
    x
        (n, d) flat images, rows of ``width`` pixels, channels first.
    """
    mirrored = x.unflatten(-1, (-1, width)).flip(-1).flatten(-2)
    chosen = torch.rand(len(x), 1, generator=generator, device=x.device) < 0.5
    return torch.where(chosen, mirrored, x)
