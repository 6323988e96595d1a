"""Tables of numbers and categories: their space, and their likelihood.

A record has a number or a code for each column and then, for each column of numbers some of which
are missing, 1 where it is. A model sees numbers (0 where missing), a 1 among zeros for each
category, and what is missing.

Given z, columns are independent. Numbers have Student's t-distribution with degrees of freedom
learned for each column: Gaussians of many widths, since columns such as incomes have values that
would be thousands of nats off under one. Categories have the probabilities of a softmax. A number
is missing with the probability of a sigmoid, and has its density if it is not.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from torch import Tensor, nn
from torch.nn import functional

from byrote import checks
from byrote.data.column import NUMBER, NUMBER_WITH_GAPS
from byrote.data.records import Records
from byrote.errors import InvalidInput
from byrote.models.spaces import Space, as_single
from byrote.models.vae.likelihoods import (
    LOG_VARIANCE_FLOOR,
    Likelihood,
    normal_like,
)

AUTO, BERNOULLI, MIXED = "auto", "bernoulli", "mixed"
SPACE = "columns"  # of the mixed likelihood
FIRST_FREEDOM = 2.0  # log of the first degrees of freedom, less 1
MOST_CATEGORIES = 1 << 16  # of one column


def likelihood_of(vae: Any) -> str:
    """Resolve ``likelihood``: "auto" is mixed for the columns of a table, and else Bernoulli."""
    if vae.likelihood != AUTO:
        return str(vae.likelihood)
    return BERNOULLI if vae.columns is None else MIXED


def with_columns(vae: Any, X: Any) -> Any:
    """Return a copy that knows the columns of a table by name, or the VAE itself.

    X are the records of the table, or of something else.
    """
    columns = X.columns if isinstance(X, Records) else None
    if columns is None or vae.likelihood not in (AUTO, MIXED):
        return vae
    kinds = [*columns.by_name().kinds]
    if vae.columns is not None and [*vae.columns] != kinds:
        raise InvalidInput(
            f"columns must be None for a table, which has its own, {kinds} in the order of their"
            f" names; got {checks.brief(vae.columns)}"
        )
    return clone(vae).set_params(columns=kinds)


class Layout:
    """Where the values of a record's columns are.

    Examples
    --------
    >>> layout = Layout(["number?", 3, "number"])
    >>> layout.width, layout.inputs, layout.outputs
    (4, 6, 8)
    """

    def __init__(self, kinds: Sequence[str | int]) -> None:
        self.kinds = tuple(kinds)
        self.numbers = [place for place, kind in enumerate(kinds) if isinstance(kind, str)]
        self.categories = [place for place, kind in enumerate(kinds) if not isinstance(kind, str)]
        self.sizes = [int(kind) for kind in kinds if not isinstance(kind, str)]
        gaps = [kinds[place] == NUMBER_WITH_GAPS for place in self.numbers]
        self.gaps = [number for number, has_gaps in enumerate(gaps) if has_gaps]
        self.width = len(self.kinds) + len(self.gaps)  # of a record
        self.inputs = len(self.numbers) + sum(self.sizes) + len(self.gaps)  # of the model
        self.outputs = self.inputs + len(self.numbers)  # of the decoder


def check_columns(columns: Any) -> None:
    """Refuse kinds of columns other than "number", "number?" and a number of categories."""
    for kind in columns if isinstance(columns, list | tuple) else [columns]:
        is_count = isinstance(kind, int | np.integer) and not isinstance(kind, bool)
        known = kind in (NUMBER, NUMBER_WITH_GAPS) if isinstance(kind, str) else is_count
        if not known or (is_count and not 1 <= kind <= MOST_CATEGORIES):
            raise InvalidInput(
                "columns must list, for likelihood='mixed', 'number', 'number?' (some are missing)"
                f" or a number of categories up to {MOST_CATEGORIES:,}; got {checks.brief(kind)}"
                " (byrote.load and score_memorization set it from a table)"
            )


class MixedColumns(Space):
    """Records of a table, one of ``space="columns"``."""

    def __init__(
        self, shape: tuple[int, ...], device: str = "cpu", columns: Sequence[str | int] = ()
    ) -> None:
        super().__init__(shape, device)
        self.layout = Layout(columns)
        self.channels, self.pixels = self.layout.inputs, 1

    def check(self, x: NDArray[Any]) -> None:
        """Refuse records of another width, and codes out of range."""
        layout = self.layout
        if x.shape[1:] != (layout.width,):
            raise InvalidInput(
                f"X must have the {layout.width} values of {len(layout.kinds)} columns;"
                f" got records of shape {x.shape[1:]}"
            )
        sizes = [*layout.sizes, *([2] * len(layout.gaps))]
        codes = x[:, [*layout.categories, *range(len(layout.kinds), layout.width)]]
        if ((codes < 0) | (codes >= sizes) | (codes != np.rint(codes))).any():
            raise InvalidInput("X must hold codes from 0 in columns of categories; got others")

    def numbers(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return the columns of numbers, (n, p)."""
        return x[:, self.layout.numbers]

    def values(self, rows: NDArray[np.generic]) -> Tensor:
        """Convert records (n, width) to float32."""
        return torch.from_numpy(np.require(as_single(rows), requirements=["C", "W"])).to(
            self.device
        )

    def records(self, values: Tensor) -> NDArray[np.float32]:
        """Convert ``values``, (n, width), back to records."""
        return np.ascontiguousarray(values.cpu().numpy())

    def enter(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return numbers, a one among zeros for each category, and what is missing."""
        del noise
        layout = self.layout
        missing = values[:, len(layout.kinds) :]
        numbers = values[:, layout.numbers].clone()
        numbers[:, layout.gaps] *= 1 - missing
        ones = [
            functional.one_hot(values[:, place].long(), size).to(values.dtype)
            for place, size in zip(layout.categories, layout.sizes, strict=True)
        ]
        return torch.cat([numbers, *ones, missing], dim=1), values.new_zeros(len(values))

    def leave(self, x: Tensor) -> Tensor:
        """Return records, (n, width), of model inputs or samples."""
        layout, (numbers, ones, missing) = self.layout, split_inputs(self.layout, x)
        columns = x.new_zeros(len(x), len(layout.kinds))
        columns[:, layout.numbers] = numbers
        if layout.sizes:
            codes = [one.argmax(dim=1) for one in ones.split(layout.sizes, dim=1)]
            columns[:, layout.categories] = torch.stack(codes, dim=1).to(x.dtype)
        return torch.cat([columns, missing], dim=1)


def split_inputs(layout: Layout, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Split model inputs (..., d) into numbers, categories and what is missing."""
    sizes = [len(layout.numbers), sum(layout.sizes), len(layout.gaps)]
    numbers, ones, missing = x.split(sizes, dim=-1)
    return numbers, ones, missing


class Mixed(Likelihood):
    """Independent columns: numbers of Student's t, categories, missing numbers.

    The outputs are the numbers' centres and twice the logs of their scales (at least -7), logits of
    categories, and logits of being missing. Degrees of freedom are above 1.
    """

    def __init__(self, columns: Sequence[str | int]) -> None:
        super().__init__()
        self.layout = Layout(columns)
        self.channels, self.outputs = self.layout.inputs, self.layout.outputs
        spread = torch.zeros(len(self.layout.gaps), len(self.layout.numbers))
        spread[range(len(self.layout.gaps)), self.layout.gaps] = 1
        self.register_buffer("_spread", spread, persistent=False)
        self.log_freedom = nn.Parameter(torch.full((len(self.layout.numbers),), FIRST_FREEDOM))

    _spread: Tensor

    @property
    def freedom(self) -> Tensor:
        """Degrees of freedom of each column of numbers."""
        return 1 + torch.exp(self.log_freedom)

    def extra_repr(self) -> str:
        """Return what distinguishes configurations."""
        return f"columns={self.layout.kinds}"

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        """Compute log p(x | z), (...) nats: densities of numbers, probabilities of the rest."""
        numbers, ones, missing = split_inputs(self.layout, x.squeeze(-1))
        mean, log_variance, logits, gap_logits = self._split(parameters)
        present = 1 - missing @ self._spread
        log_t = log_student(numbers, mean, log_variance, self.freedom)
        total = (present * log_t).sum(dim=-1)
        for one, logit in self._by_column(ones, logits):
            total = total + (one * torch.log_softmax(logit, dim=-1)).sum(dim=-1)
        return total + (missing * gap_logits - functional.softplus(gap_logits)).sum(dim=-1)

    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        """Draw (..., inputs, 1) model inputs."""
        mean, log_variance, logits, gap_logits = self._split(parameters)
        half = (0.5 * self.freedom.detach()).expand(mean.shape)
        precision = torch._standard_gamma(half, generator=generator) / half
        noise = normal_like(mean, generator) * torch.rsqrt(precision)
        numbers = mean + torch.exp(0.5 * log_variance) * noise
        missing = torch.bernoulli(torch.sigmoid(gap_logits), generator=generator)
        ones = []
        for logit in logits.split(self.layout.sizes, dim=-1) if self.layout.sizes else ():
            flat = torch.softmax(logit, dim=-1).flatten(0, -2)
            code = torch.multinomial(flat, 1, generator=generator).view(logit.shape[:-1])
            ones.append(functional.one_hot(code, logit.shape[-1]).to(mean.dtype))
        numbers = numbers * (1 - missing @ self._spread)
        return torch.cat([numbers, *ones, missing], dim=-1).unsqueeze(-1)

    def log_power(self, parameters: Tensor, power: float) -> Tensor:
        """Compute the log of the integral and sum over records, column by column."""
        _, log_variance, logits, gap_logits = self._split(parameters)
        numbers = log_student_power(log_variance, self.freedom, power)
        present = functional.logsigmoid(-gap_logits) * power
        gone = functional.logsigmoid(gap_logits) * power
        with_gaps = numbers[..., self.layout.gaps]
        total = numbers.sum(dim=-1) - with_gaps.sum(dim=-1)
        total = total + torch.logaddexp(present + with_gaps, gone).sum(dim=-1)
        for _, logit in self._by_column(logits, logits):
            powers = power * torch.log_softmax(logit, dim=-1)
            total = total + torch.logsumexp(powers, dim=-1)
        return total

    def _split(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        numbers = len(self.layout.numbers)
        sizes = [numbers, numbers, sum(self.layout.sizes), len(self.layout.gaps)]
        mean, log_variance, logits, gap_logits = parameters.squeeze(-1).split(sizes, dim=-1)
        return mean, log_variance.clamp(min=LOG_VARIANCE_FLOOR), logits, gap_logits

    def _by_column(self, ones: Tensor, logits: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Pair the entries of each column of categories."""
        sizes = self.layout.sizes
        if not sizes:
            return iter(())
        return zip(ones.split(sizes, dim=-1), logits.split(sizes, dim=-1), strict=True)


def log_student(x: Tensor, centre: Tensor, log_variance: Tensor, freedom: Tensor) -> Tensor:
    """Compute the log-density of Student's t, value by value, nats.

    ``log_variance`` is twice the log of the scale: the log-variance for infinite ``freedom``.

    Examples
    --------
    >>> zero = torch.zeros(())
    >>> log_student(zero, zero, zero, torch.tensor(1.0)).exp()  # 1 / pi
    tensor(0.3183)
    """
    half = 0.5 * (freedom + 1)
    squared = (x - centre).square() * torch.exp(-log_variance) / freedom
    return _log_constant(freedom) - 0.5 * log_variance - half * torch.log1p(squared)


def log_student_power(log_variance: Tensor, freedom: Tensor, power: float) -> Tensor:
    """Compute the log of the integral of Student's t to a power of at least 1.

    With a = power (freedom + 1) / 2, (1 + y^2 / freedom)^-a integrates to
    sqrt(freedom pi) G(a - 1/2) / G(a).
    """
    a = 0.5 * power * (freedom + 1)
    integral = 0.5 * torch.log(math.pi * freedom) + torch.lgamma(a - 0.5) - torch.lgamma(a)
    return power * _log_constant(freedom) + integral + 0.5 * (1 - power) * log_variance


def _log_constant(freedom: Tensor) -> Tensor:
    gammas = torch.lgamma(0.5 * (freedom + 1)) - torch.lgamma(0.5 * freedom)
    return gammas - 0.5 * torch.log(math.pi * freedom)
