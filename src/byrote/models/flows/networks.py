"""Networks of flows: invertible parts, each with the log-determinant of its Jacobian.

The parts are Zuko's, but for affine maps and how splines are computed. Together they carry inputs
to a standard normal z:

    log p(y) = log N(z; 0, I) + sum over parts of log |det J|.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from byrote.models.extras import import_extra
from byrote.models.flows.splines import Spline
from byrote.models.torch_utils import Stream, seed_of, seeded

NICE, AFFINE = "nice", "affine"
KINDS = ("nsf", "maf", "realnvp", NICE, AFFINE)


class Density(nn.Module):
    """The density of inputs (n, d) under invertible parts, in this order."""

    def __init__(self, parts: Sequence[nn.Module], values: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.values = values
        self.width = max(values, *(len(weight) for weight in self.parameters()))

    def forward(self, y: Tensor) -> Tensor:
        """Compute log p(y), (n,) nats, of (n, d)."""
        z, log_determinant = self.transform(y)
        constant = 0.5 * self.values * math.log(2 * math.pi)
        return log_determinant - 0.5 * z.square().sum(dim=-1) - constant

    def transform(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return z, (n, d), and log |det dz/dy|, (n,)."""
        total = y.new_zeros(len(y))
        for part in self.parts:
            y, log_determinant = part(y)
            total = total + log_determinant
        return y, total

    def inverse(self, z: Tensor) -> Tensor:
        """Return the inputs, (n, d), that ``transform`` carries to z."""
        parts: list[Any] = list(self.parts)
        for part in reversed(parts):
            z = part.inverse(z)
        return z


class Affine(nn.Module):
    """z = A y + b, with A lower triangular and a positive diagonal, or diagonal alone.

    Full, by itself, it is the density of a normal distribution with any mean and covariance, as
    A'A = inverse of the covariance. It begins as z = y.
    """

    def __init__(self, values: int, *, full: bool) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(values))
        self.log_scale = nn.Parameter(torch.zeros(values))
        self.below = nn.Parameter(torch.zeros(values, values)) if full else None

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return z, (n, d), and log |det dz/dy|, (n,)."""
        z = y @ self._matrix().T + self.shift
        return z, self.log_scale.sum().expand(len(y))

    def inverse(self, z: Tensor) -> Tensor:
        """Return y of z, (n, d)."""
        solved = torch.linalg.solve_triangular(
            self._matrix(), (z - self.shift).unsqueeze(-1), upper=False
        )
        return solved.squeeze(-1)

    def _matrix(self) -> Tensor:
        diagonal = torch.diag(self.log_scale.exp())
        return diagonal if self.below is None else diagonal + self.below.tril(-1)


class ZukoPart(nn.Module):
    """An unconditional transform of Zuko."""

    def __init__(self, lazy: Any) -> None:
        super().__init__()
        self.lazy = lazy
        if getattr(lazy, "order", None) is not None:
            lazy.order = None  # only printed; the masks of its layers have it

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return z, (n, d), and log |det dz/dy|, (n,)."""
        z, log_determinant = self.lazy().call_and_ladj(y)
        return z, log_determinant

    def inverse(self, z: Tensor) -> Tensor:
        """Return y of z, (n, d)."""
        return self.lazy().inv(z)


def untrained(flow: Any, values: int) -> Density:
    """Make the network of a flow's parameters with initial weights, in evaluation mode."""
    with seeded(seed_of(flow.random_state, Stream.INITIAL)):
        parts = build(flow.kind, values, flow.transforms, flow.hidden, flow.bins)
    return Density(parts, values).to(flow.device).eval()


def build(
    kind: str, values: int, transforms: int, hidden: Sequence[int], bins: int
) -> list[nn.Module]:
    """Make the parts of a kind, with weights from PyTorch's generator."""
    if kind == AFFINE:
        return [Affine(values, full=True)]
    flows = import_extra("zuko.flows")
    common = {"features": values, "transforms": transforms, "hidden_features": tuple(hidden)}
    if kind == "nsf":
        shapes = [(bins,), (bins,), (bins - 1,)]
        return _parts(flows.MAF(**common, univariate=Spline, shapes=shapes))  # Zuko's NSF
    if kind == "maf":
        return _parts(flows.MAF(**common))
    if kind == "realnvp":
        return _parts(flows.NICE(**common))
    additive = import_extra("zuko.transforms").AdditiveTransform
    shifts = _parts(flows.NICE(**common, univariate=additive, shapes=[()]))
    return [*shifts, Affine(values, full=False)]


def _parts(flow: Any) -> list[nn.Module]:
    return [ZukoPart(lazy) for lazy in flow.transform.transforms]
