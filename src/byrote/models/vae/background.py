"""A broad density that describes records which a decoder does not: products over their values.

It is an even mixture of a few products, from the training records' own marginals, one per value, to
what is known of no value in particular, so that each record is described at the breadth that suits
it and pays log 4 nats for the choice. For binary values the broadest are fair coins, which take
noise and inverted images that the marginals would find impossible; the narrowest are the marginals,
for a fair coin for each of 1,024 pixels is never active beside them.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from byrote.models.vae.likelihoods import LOG_VARIANCE_FLOOR

SHARES = (0.0, 0.1, 0.4, 1.0)  # of what is known of no value in particular
WIDENINGS = (1.0, 2.0, 4.0, 8.0)  # of standard deviations, where values have units of their own


class Background(nn.Module):
    """Its parameters are buffers, which training does not change and weights hold."""

    def log_prob(self, x: Tensor) -> Tensor:
        """(n,) log p0(x), nats, of records (n, d)."""
        products = [self._log_product(x, level) for level in range(len(SHARES))]
        return torch.logsumexp(torch.stack(products), dim=0) - math.log(len(products))

    def learn(self, parts: Iterable[Tensor]) -> None:
        """Take the marginals of records, (n, d) at a time."""
        raise NotImplementedError

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) records drawn."""
        raise NotImplementedError

    def _log_product(self, x: Tensor, level: int) -> Tensor:
        raise NotImplementedError


class BinaryBackground(Background):
    """Coins whose probabilities are the share of ones, (n + 1/2)/(N + 1), drawn towards a half."""

    logits: Tensor

    def __init__(self, values: int) -> None:
        super().__init__()
        self.register_buffer("logits", torch.zeros(len(SHARES), values))

    def learn(self, parts: Iterable[Tensor]) -> None:
        """The marginals of zeros and ones."""
        count, mean, _ = _moments(parts)
        q = (count * mean + 0.5) / (count + 1)
        levels = [torch.logit((1 - share) * q + share / 2) for share in SHARES]
        self.logits.copy_(torch.stack(levels))

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) zeros and ones."""
        logits = self.logits[_levels(n, generator)]
        return torch.bernoulli(torch.sigmoid(logits), generator=generator)

    def _log_product(self, x: Tensor, level: int) -> Tensor:
        logits = self.logits[level]
        return (x * logits).sum(dim=-1) - functional.softplus(logits).sum()


class GaussianBackground(Background):
    """Normal densities with the moments of each value, and broader ones.

    Parameters
    ----------
    values
        Per record.
    alike
        Whether all values are of one kind, as the logits of pixels are. Then each is drawn towards
        the moments of all of them together; else its deviation is widened.
    """

    mean: Tensor
    log_variance: Tensor

    def __init__(self, values: int, *, alike: bool) -> None:
        super().__init__()
        self.alike = alike
        self.register_buffer("mean", torch.zeros(len(SHARES), values))
        self.register_buffer("log_variance", torch.zeros(len(SHARES), values))

    def extra_repr(self) -> str:
        """What tells configurations apart."""
        return f"alike={self.alike}"

    def learn(self, parts: Iterable[Tensor]) -> None:
        """The first two moments of each value."""
        _, mean, variance = _moments(parts)
        means, variances = zip(*self._broadened(mean, variance), strict=True)
        self.mean.copy_(torch.stack(means))
        self.log_variance.copy_(torch.stack(variances).log().clamp(min=LOG_VARIANCE_FLOOR))

    def _broadened(self, mean: Tensor, variance: Tensor) -> list[tuple[Tensor, Tensor]]:
        if not self.alike:
            floored = variance.clamp(min=math.exp(LOG_VARIANCE_FLOOR))
            return [(mean, floored * widening**2) for widening in WIDENINGS]
        centre, square = mean.mean(), (variance + mean.square()).mean()
        found = []
        for share in SHARES:  # the moments of a mixture of a value's own density and that of all
            middle = (1 - share) * mean + share * centre
            squared = (1 - share) * (variance + mean.square()) + share * square
            found.append((middle, (squared - middle.square()).clamp(min=0)))
        return found

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) real values."""
        chosen = _levels(n, generator)
        noise = torch.randn(n, self.mean.shape[1], generator=generator, device=self.mean.device)
        return self.mean[chosen] + torch.exp(0.5 * self.log_variance[chosen]) * noise

    def _log_product(self, x: Tensor, level: int) -> Tensor:
        mean, log_variance = self.mean[level], self.log_variance[level]
        squared = ((x - mean).square() * torch.exp(-log_variance)).sum(dim=-1)
        constant = len(mean) * math.log(2 * math.pi) + log_variance.sum()
        return -0.5 * (squared + constant)


def background(likelihood: str, values: int, *, alike: bool) -> Background:
    """That which goes with a decoder's likelihood, for records of so many values."""
    return (
        BinaryBackground(values)
        if likelihood == "bernoulli"
        else GaussianBackground(values, alike=alike)
    )


def _levels(n: int, generator: torch.Generator) -> Tensor:
    return torch.randint(len(SHARES), (n,), generator=generator, device=generator.device)


def _moments(parts: Iterable[Tensor]) -> tuple[int, Tensor, Tensor]:
    """Count, means and variances over records, in float64, by updates block by block."""
    count, mean, squares = 0, torch.zeros(()), torch.zeros(())
    for part in parts:
        values = part.cpu().double()
        n, own = len(values), values.mean(dim=0)
        apart = own - mean
        squares = (
            squares
            + (values - own).square().sum(dim=0)
            + apart.square() * (count * n / (count + n))
        )
        mean = mean + apart * (n / (count + n))
        count += n
    return count, mean, squares / max(count, 1)
