"""An outlier component: records that the decoder need not learn.

With weight w the likelihood is (1 - w) p(x | z) + w p0(x), p0 broad and the same for all codes. A
record that the decoder describes worse than p0, by more than log((1 - w)/w), has almost no
gradient. As p0 does not depend on the code, log p(x) = log((1 - w) p_vae(x) + w p0(x)) exactly.

p0 is an even mixture of a few products over the values of a record, from the training records'
marginals to a density without knowledge of any value, so that each record is described at its own
breadth for log 4 nats. For binary values the broadest are fair coins, for noise and inverted images
that the marginals would exclude; the narrowest are the marginals, since fair coins on each of 1,024
pixels never win against them.
"""

import math
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from byrote.models.vae.likelihoods import LOG_VARIANCE_FLOOR

SHARES = (0.0, 0.1, 0.4, 1.0)  # of the density without knowledge of any value
WIDENINGS = (1.0, 2.0, 4.0, 8.0)  # of standard deviations, where values have units of their own


LEARNED = "learned"
FIRST_WEIGHT = 0.01  # of a weight that is learned
MOST = 0.1  # of the training records that the component may take while the decoder is untrained
_ALONE = 1e30  # a head start beyond all likelihoods: the decoder alone; infinity makes no gradient


class Background(nn.Module):
    """The density p0; its parameters are buffers, which training does not change."""

    def log_prob(self, x: Tensor) -> Tensor:
        """Compute log p0(x), (n,) nats, of records (n, d)."""
        products = [self._log_product(x, level) for level in range(len(SHARES))]
        return torch.logsumexp(torch.stack(products), dim=0) - math.log(len(products))

    def learn(self, parts: Iterable[Tensor]) -> None:
        """Learn the marginals of the records, given in parts of shape (n, d)."""
        raise NotImplementedError

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, d) records."""
        raise NotImplementedError

    def _log_product(self, x: Tensor, level: int) -> Tensor:
        raise NotImplementedError


class BinaryBackground(Background):
    """Coins with the fraction of ones, (n + 1/2)/(N + 1), shrunk towards a half."""

    logits: Tensor

    def __init__(self, values: int) -> None:
        super().__init__()
        self.register_buffer("logits", torch.zeros(len(SHARES), values))

    def learn(self, parts: Iterable[Tensor]) -> None:
        """Learn the marginals of zeros and ones."""
        count, mean, _ = _moments(parts)
        q = (count * mean + 0.5) / (count + 1)
        levels = [torch.logit((1 - share) * q + share / 2) for share in SHARES]
        self.logits.copy_(torch.stack(levels))

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, d) zeros and ones."""
        logits = self.logits[_levels(n, generator)]
        return torch.bernoulli(torch.sigmoid(logits), generator=generator)

    def _log_product(self, x: Tensor, level: int) -> Tensor:
        logits = self.logits[level]
        return (x * logits).sum(dim=-1) - functional.softplus(logits).sum()


class GaussianBackground(Background):
    """Normal densities with the moments of each value, and broader ones.

    If all values are ``alike``, as the logits of pixels are, each is shrunk towards the moments of
    all of them together; otherwise its deviation is widened.
    """

    mean: Tensor
    log_variance: Tensor

    def __init__(self, values: int, *, alike: bool) -> None:
        super().__init__()
        self.alike = alike
        self.register_buffer("mean", torch.zeros(len(SHARES), values))
        self.register_buffer("log_variance", torch.zeros(len(SHARES), values))

    def extra_repr(self) -> str:
        """Return options that distinguish configurations."""
        return f"alike={self.alike}"

    def learn(self, parts: Iterable[Tensor]) -> None:
        """Learn the first two moments of each value."""
        _, mean, variance = _moments(parts)
        means, variances = zip(*self._broadened(mean, variance), strict=True)
        self.mean.copy_(torch.stack(means))
        self.log_variance.copy_(torch.stack(variances).log().clamp(min=LOG_VARIANCE_FLOOR))

    def _broadened(self, mean: Tensor, variance: Tensor) -> list[tuple[Tensor, Tensor]]:
        if not self.alike:
            floored = variance.clamp(min=math.exp(LOG_VARIANCE_FLOOR))
            return [(mean, floored * widening**2) for widening in WIDENINGS]
        centre, square = mean.mean(), (variance + mean.square()).mean()
        moments = []
        for share in SHARES:  # of a mixture of a value's own density and that of all values
            middle = (1 - share) * mean + share * centre
            squared = (1 - share) * (variance + mean.square()) + share * square
            moments.append((middle, (squared - middle.square()).clamp(min=0)))
        return moments

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, d) real values."""
        levels = _levels(n, generator)
        noise = torch.randn(n, self.mean.shape[1], generator=generator, device=self.mean.device)
        return self.mean[levels] + torch.exp(0.5 * self.log_variance[levels]) * noise

    def _log_product(self, x: Tensor, level: int) -> Tensor:
        mean, log_variance = self.mean[level], self.log_variance[level]
        squared = ((x - mean).square() * torch.exp(-log_variance)).sum(dim=-1)
        constant = len(mean) * math.log(2 * math.pi) + log_variance.sum()
        return -0.5 * (squared + constant)


def background(likelihood: str, values: int, *, alike: bool) -> Background:
    """Make the background of a decoder's likelihood, for records of that many values."""
    return (
        BinaryBackground(values)
        if likelihood == "bernoulli"
        else GaussianBackground(values, alike=alike)
    )


def _levels(n: int, generator: torch.Generator) -> Tensor:
    return torch.randint(len(SHARES), (n,), generator=generator, device=generator.device)


def _moments(parts: Iterable[Tensor]) -> tuple[int, Tensor, Tensor]:
    """Count, means and variances over records, in float64, updated block by block."""
    count, mean, squares = 0, torch.zeros(()), torch.zeros(())
    for part in parts:
        values = part.cpu().double()
        n, part_mean = len(values), values.mean(dim=0)
        change = part_mean - mean
        squares = (
            squares
            + (values - part_mean).square().sum(dim=0)
            + change.square() * (count * n / (count + n))
        )
        mean = mean + change * (n / (count + n))
        count += n
    return count, mean, squares / max(count, 1)


class Outlier(nn.Module):
    """The component and its weight, as a logit.

    Attributes
    ----------
    head_start
        Nats given to the decoder in training. An untrained decoder describes everything worse than
        p0 does, and would never be trained: at first it is alone, then only the records furthest
        behind are left to p0, until it needs no head start. See ``lower_head_start``.
    """

    logit: Tensor
    head_start: Tensor

    def __init__(self, background: Background, weight: float | str) -> None:
        super().__init__()
        self.background = background
        self.learned = weight == LEARNED
        start = FIRST_WEIGHT if self.learned else float(weight)
        logit = torch.tensor(math.log(start) - math.log1p(-start))
        if self.learned:
            self.logit = nn.Parameter(logit)
        else:
            self.register_buffer("logit", logit)
        self.register_buffer("head_start", torch.tensor(_ALONE), persistent=False)

    def extra_repr(self) -> str:
        """Return options that distinguish configurations."""
        return f"learned={self.learned}"

    @property
    def weight(self) -> float:
        """The weight w."""
        return float(torch.sigmoid(self.logit.detach().double()))

    def mixed(self, log_likelihood: Tensor, x: Tensor, *, training: bool) -> Tensor:
        """Compute the log-likelihood of the mixture, (n,) nats, from the decoder's, (n,)."""
        outlier = functional.logsigmoid(self.logit) + self.background.log_prob(x)
        if training:
            outlier = outlier - self.head_start
        return torch.logaddexp(functional.logsigmoid(-self.logit) + log_likelihood, outlier)

    def lead(self, log_likelihood: Tensor, x: Tensor) -> Tensor:
        """Compute the log-odds, (n,) nats, that a record is of the component."""
        return self.logit + self.background.log_prob(x) - log_likelihood

    def lower_head_start(self, lead: NDArray[np.floating]) -> None:
        """Set the head start from the leads, (n,) log-odds of the training records without one.

        It leaves the component at most a tenth of the records, never rises, and is 0 once the
        component takes no more by itself.
        """
        needed = max(0.0, float(np.quantile(lead, 1 - MOST)))
        self.head_start.fill_(min(needed, float(self.head_start)))

    @property
    def has_head_start(self) -> bool:
        """Whether the decoder still needs a head start."""
        return bool(self.head_start > 0)

    def log_prob(
        self, log_prob: NDArray[np.float64], x: Tensor
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute log p(x) of the mixture from the decoder's, (n,) nats, and responsibilities."""
        logit = float(self.logit.detach())
        background = self.background.log_prob(x).double().cpu().numpy()
        decoder = log_prob - np.logaddexp(0, logit)
        outlier = background - np.logaddexp(0, -logit)
        with np.errstate(invalid="ignore"):  # NaN of a training that diverged
            mixed = np.logaddexp(decoder, outlier)
            return mixed, np.exp(outlier - mixed)

    def sample(self, decoded: Tensor, generator: torch.Generator) -> Tensor:
        """Replace a share of the decoder's samples, (n, d), by the component's."""
        uniforms = torch.rand(len(decoded), 1, generator=generator, device=decoded.device)
        broad = self.background.sample(len(decoded), generator)
        return torch.where(uniforms < self.weight, broad, decoded)
