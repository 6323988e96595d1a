"""Likelihoods p(x | z), from the decoder's outputs, and the beta-divergence as a robust cost.

Values are (..., channels, pixels) and the decoder's outputs (..., outputs, pixels), ``outputs``
being the numbers per pixel; leading axes broadcast. Rows of numbers have one channel.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

LOG_VARIANCE_FLOOR = -7.0  # as in the authors' code: keeps a density of constant pixels bounded
LOG_SCALE_FLOOR = -7.0  # of a logistic, whose values span [-1, 1]
LEVELS = 256


TOP = 30.0  # of an exponent: gradients of e^30 and their squares are within float32


class Likelihood(nn.Module):
    """A density p(x | z) of a record's values, from the decoder's outputs."""

    channels: int
    outputs: int

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        """Compute log p(x | z), (...) nats, summed over channels and pixels."""
        raise NotImplementedError

    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        """Draw (..., channels, pixels) values."""
        raise NotImplementedError

    def log_power(self, parameters: Tensor, power: float) -> Tensor:
        """Compute the log of the integral or sum of p(x | z) ** power over x, (...), if known."""
        raise NotImplementedError


class Bernoulli(Likelihood):
    """Independent binary values; the outputs are logits."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.channels = self.outputs = channels

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        """Compute the log-probability of zeros and ones, (...) nats."""
        return (x * parameters - functional.softplus(parameters)).sum(dim=(-2, -1))

    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        """Draw (..., channels, pixels) zeros and ones."""
        return torch.bernoulli(torch.sigmoid(parameters), generator=generator)

    def log_power(self, parameters: Tensor, power: float) -> Tensor:
        """Compute the log of the sum over binary records: q^power + (1 - q)^power per value."""
        ones, zeros = functional.logsigmoid(parameters), functional.logsigmoid(-parameters)
        return torch.logaddexp(power * ones, power * zeros).sum(dim=(-2, -1))


class DiagonalGaussian(Likelihood):
    """Independent Gaussian values; the outputs are means, then log-variances (at least -7)."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.channels, self.outputs = channels, 2 * channels

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        """Compute the log-density, (...) nats."""
        return log_normal(x, *self._moments(parameters)).sum(dim=(-2, -1))

    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        """Draw (..., channels, pixels) real values."""
        mean, log_variance = self._moments(parameters)
        return mean + torch.exp(0.5 * log_variance) * normal_like(mean, generator)

    def log_power(self, parameters: Tensor, power: float) -> Tensor:
        """Compute the log of the integral, (...), by ``log_normal_power``."""
        log_variance = self._moments(parameters)[1]
        return log_normal_power(log_variance, power).sum(dim=(-2, -1))

    def _moments(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = parameters.split(self.channels, dim=-2)
        return mean, log_variance.clamp(min=LOG_VARIANCE_FLOOR)


class SharedGaussian(Likelihood):
    """Independent Gaussian values with one learned variance; the outputs are means."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.channels = self.outputs = channels
        self.log_variance = nn.Parameter(torch.zeros(()))

    def forward(self, parameters: Tensor) -> Tensor:
        """(..., 1, 1) the log-variance, as a call: private training hooks calls of layers."""
        return self.log_variance.expand(*parameters.shape[:-2], 1, 1)

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        """Compute the log-density, (...) nats."""
        return log_normal(x, parameters, self(parameters)).sum(dim=(-2, -1))

    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        """Draw (..., channels, pixels) real values."""
        deviation = torch.exp(0.5 * self.log_variance)
        return parameters + deviation * normal_like(parameters, generator)

    def log_power(self, parameters: Tensor, power: float) -> Tensor:
        """Compute the log of the integral, (...), by ``log_normal_power``."""
        values = parameters.shape[-2] * parameters.shape[-1]
        return values * log_normal_power(self(parameters), power)[..., 0, 0]


class LogisticMixture(Likelihood):
    """Mixture of logistics over the 256 levels of a pixel (Salimans et al. 2017, PixelCNN++).

    Within a component the channels of a pixel are independent. A level has the mass of its bin; the
    first and the last bin reach to infinity, so that the masses sum to one. Values are levels
    scaled to [-1, 1]. The outputs of a pixel are the components' logits, then their means, then
    their log-scales (at least -7), channel by channel.
    """

    def __init__(self, channels: int = 1, components: int = 10) -> None:
        super().__init__()
        self.channels, self.components = channels, components
        self.outputs = components * (1 + 2 * channels)

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        """Compute the log-probability, (...) nats, of levels scaled to [-1, 1]."""
        logits, mean, log_scale = self._split(parameters)
        masses = _log_mass(x.unsqueeze(-3), mean, log_scale).sum(dim=-2)  # over channels
        pixels = torch.logsumexp(torch.log_softmax(logits, dim=-2) + masses, dim=-2)
        return pixels.sum(dim=-1)

    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        """Draw (..., channels, pixels) levels scaled to [-1, 1]."""
        logits, mean, log_scale = self._split(parameters)
        # The largest of logits with Gumbel noise is a draw of the component.
        gumbel = -torch.log(-torch.log(_uniform_like(logits, generator)))
        component = (logits + gumbel).argmax(dim=-2, keepdim=True).unsqueeze(-2)
        component = component.expand(*component.shape[:-2], self.channels, component.shape[-1])
        mean, log_scale = (values.gather(-3, component).squeeze(-3) for values in (mean, log_scale))
        values = mean + torch.exp(log_scale) * torch.logit(_uniform_like(mean, generator))
        top = LEVELS - 1
        return ((values + 1) * top / 2).round().clamp(0, top) * 2 / top - 1

    def _split(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(..., k, pixels) logits; (..., k, channels, pixels) means and log-scales."""
        k = self.components
        logits, mean, log_scale = parameters.split([k, k * self.channels, k * self.channels], -2)
        shape = (k, self.channels)
        log_scale = log_scale.unflatten(-2, shape).clamp(min=LOG_SCALE_FLOOR)
        return logits, mean.unflatten(-2, shape), log_scale


def _log_mass(x: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """Log of the logistic's mass between half a level below x and half a level above.

    With s the sigmoid, s(b) - s(a) = s(b) s(-a) (1 - exp(a - b)): no difference of nearly equal
    numbers, and b - a is the bin's width in scales, the same for all x.
    """
    half = 1 / (LEVELS - 1)
    inverse = torch.exp(-log_scale)
    upper, lower = (x + half - mean) * inverse, (x - half - mean) * inverse
    below, above = functional.logsigmoid(upper), functional.logsigmoid(-lower)
    inner = below + above + _log_one_minus_exp(2 * half * inverse, math.log(2 * half) - log_scale)
    first, last = x < half - 1, x > 1 - half
    return torch.where(first, below, torch.where(last, above, inner))


def _log_one_minus_exp(width: Tensor, log_width: Tensor) -> Tensor:
    """Log of 1 - exp(-width); small widths, which may underflow, use their logarithm."""
    small = 1e-3  # log(1 - exp(-w)) = log w - w / 2 + w^2 / 24 - ...
    exact = torch.log(-torch.expm1(-width.clamp(min=small)))
    return torch.where(width < small, log_width - width / 2, exact)


def log_normal(x: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Compute the log of the normal density, value by value, nats."""
    squared = (x - mean).square() * torch.exp(-log_variance)
    return -0.5 * (math.log(2 * math.pi) + log_variance + squared)


def log_normal_power(log_variance: Tensor, power: float) -> Tensor:
    """Log of the integral of a normal density to a power: (2 pi s^2)^((1 - power)/2) power^-1/2."""
    return -0.5 * ((power - 1) * (math.log(2 * math.pi) + log_variance) + math.log(power))


def normal_like(values: Tensor, generator: torch.Generator) -> Tensor:
    """Draw standard normal values of the same shape."""
    return torch.randn(values.shape, generator=generator, device=values.device)


def _uniform_like(values: Tensor, generator: torch.Generator) -> Tensor:
    """Uniforms in (0, 1), ends excluded, so that their logarithms are finite."""
    uniforms = torch.rand(values.shape, generator=generator, device=values.device)
    return uniforms.clamp(min=2.0**-25)


def beta_divergence(log_prob: Tensor, log_power: Tensor, beta: float) -> Tensor:
    """Compute the beta-divergence of records as a reconstruction cost (Basu et al. 1998).

    Between the distribution of a record and p(. | z) it is, up to terms without p (for VAEs Akrami
    et al. 2022),

        -(1 + b)/b (p(x | z)^b - 1) + (integral of p(. | z)^(1 + b) - 1),

    which tends to -log p(x | z) as b tends to 0. Its gradient weighs a record by p(x | z)^b, so
    that an improbable one has little influence. Powers of large densities overflow: above e^30 both
    are continued by their tangents, and the cost is about proportional to minus the log.

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
    """The power minus one, continued by its tangent above ``TOP``."""
    beyond = torch.relu(exponent - TOP)  # whose gradient at zero is zero
    return torch.expm1(exponent.clamp(max=TOP)) + math.exp(TOP) * beyond


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "gaussian": DiagonalGaussian,
    "shared-gaussian": SharedGaussian,
    "logistic-mixture": LogisticMixture,
}
# The spaces in which a likelihood makes sense; "auto" is the first.
SPACES_OF = {
    "bernoulli": ("binary",),
    "gaussian": ("logit", "real"),
    "shared-gaussian": ("logit", "real"),
    "logistic-mixture": ("levels",),
}
