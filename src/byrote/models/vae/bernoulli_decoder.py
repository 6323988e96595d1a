"""Log p(x | z) at many codes of one record, for a Bernoulli likelihood over linear layers.

What a general decoder computes value by value is a matrix product here: with logits a = Wh + b,
sum_d x_d a_d = (W'x)'h + b'x, so no product with x is needed per draw. And softplus(a) = max(a, 0)
+ log(1 + exp(-|a|)), where the factors 1 + exp(-|a|) are in (1, 2]: many are multiplied before one
logarithm.

The formula is there twice: compiled, which is fused and fastest; and step by step in memory that
every block reuses. (A version that allocated its blocks anew once grew without bound; the cause was
not proven, but glibc before 2.38 is known not to reuse aligned memory well.)
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from byrote.models.arithmetic import Arithmetic, compiled
from byrote.models.vae.autoencoder import FullyConnected

_FACTORS = 64  # multiplied: at most 2^64, far from overflow


class BernoulliDecoder:
    """Decoder of binary values, from the network's logits.

    ``shape`` is (count, n), the largest number of codes decoded at a time.
    """

    def __init__(
        self, network: FullyConnected, shape: tuple[int, int], arithmetic: Arithmetic
    ) -> None:
        self._layers = [_cast(layer, arithmetic.dtype) for layer in network.decoder_layers()]
        self._shape = shape
        self._in_place = None if arithmetic.compile else _InPlace(self._layers, math.prod(shape))
        self._arithmetic = arithmetic

    def for_records(self, x: Tensor) -> "ConditionalDecoder":
        """Return log p(x | z) of records (n, d), as a function of latent codes."""
        weight, bias = (part.float() for part in self._layers[-1])
        return ConditionalDecoder(self, x, x @ weight, x @ bias)

    def log_likelihood(self, z: Tensor, projected: Tensor, offset: Tensor) -> Tensor:
        """Compute log p(x | z), (count, n) nats, at codes (count, n, latent)."""
        if self._in_place is not None:
            return self._in_place.log_likelihood(z, projected, offset)
        full = tuple(z.shape[:-1]) == self._shape  # a remainder is not worth compiling for
        function = self._compiled() if full else _log_likelihood
        return function(self._layers, z, projected, offset)

    def derivatives(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Compute gradients, (n, latent), and minus Hessians of log p(x | z) at codes (n, latent).

        Exact where no unit of the network is at its kink, as its logits are linear around a code.
        """
        rows = max(1, math.prod(self._shape) // z.shape[1])
        parts = [
            _derivatives(self._layers, *block)
            for block in zip(x.split(rows), z.split(rows), strict=True)
        ]
        gradients, hessians = zip(*parts, strict=True)
        return torch.cat(gradients), torch.cat(hessians)

    def _compiled(self) -> Callable[..., Tensor]:
        shapes = tuple(weight.shape for weight, _ in self._layers)
        device = self._layers[0][0].device
        return compiled(_log_likelihood, shapes, self._shape, self._arithmetic, device)


class ConditionalDecoder:
    """Log p(x | z) of records whose products with the last layer are known."""

    def __init__(
        self, decoder: BernoulliDecoder, x: Tensor, projected: Tensor, offset: Tensor
    ) -> None:
        self._decoder, self._x, self._projected, self._offset = decoder, x, projected, offset

    def __call__(self, z: Tensor, block: slice) -> Tensor:
        """Compute log p(x | z), (count, n) nats, of a block at codes (count, n, latent)."""
        return self._decoder.log_likelihood(z, self._projected[block], self._offset[block])

    def derivatives(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Compute gradients and minus Hessians of log p(x | z), one code (n, latent) a record."""
        return self._decoder.derivatives(self._x, z)


def _cast(layer: nn.Linear, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    return layer.weight.detach().to(dtype), layer.bias.detach().to(dtype)


def _log_likelihood(
    layers: Sequence[tuple[Tensor, Tensor]], z: Tensor, projected: Tensor, offset: Tensor
) -> Tensor:
    hidden = z.flatten(0, 1).to(layers[0][0].dtype)
    for weight, bias in layers[:-1]:
        hidden = functional.relu(torch.mm(hidden, weight.t()) + bias)
    weight, bias = layers[-1]
    logits = (torch.mm(hidden, weight.t()) + bias).float()
    linear = (hidden.view(*z.shape[:-1], -1).float() * projected).sum(dim=-1)
    together = math.gcd(logits.shape[1], _FACTORS)
    factors = (1 + torch.exp(-logits.abs())).unflatten(1, (together, -1)).prod(dim=1)
    normalizer = logits.clamp_min(0).sum(dim=-1) + factors.log().sum(dim=-1)
    return linear + offset - normalizer.view(z.shape[:-1])


def _derivatives(
    layers: Sequence[tuple[Tensor, Tensor]], x: Tensor, z: Tensor
) -> tuple[Tensor, Tensor]:
    n, latent = z.shape
    hidden = z.to(layers[0][0].dtype)
    tangents = torch.eye(latent).to(hidden).repeat(n, 1)  # (n latent, h), of the latent axes
    for weight, bias in layers[:-1]:
        values = torch.addmm(bias, hidden, weight.t())
        hidden = functional.relu(values)
        active = (values > 0).to(values.dtype).unsqueeze(1)
        tangents = (torch.mm(tangents, weight.t()).view(n, latent, -1) * active).flatten(0, 1)
    weight, bias = layers[-1]
    probability = torch.sigmoid(torch.addmm(bias, hidden, weight.t()).float())
    tangents = torch.mm(tangents, weight.t()).float().view(n, latent, -1)
    gradient = torch.bmm(tangents, (x - probability).unsqueeze(-1)).squeeze(-1)
    tangents *= (probability * (1 - probability)).sqrt().unsqueeze(1)
    return gradient, torch.bmm(tangents, tangents.transpose(1, 2))


class _InPlace:
    def __init__(self, layers: Sequence[tuple[Tensor, Tensor]], rows: int) -> None:
        self._layers = [
            (weight.t(), bias, weight.new_empty(rows, len(weight))) for weight, bias in layers
        ]
        first, last = layers[0][0], layers[-1][0]
        self._latent = first.new_empty(rows, first.shape[1])
        self._logits = last.new_empty(rows, len(last), dtype=torch.float32)
        self._scratch = torch.empty_like(self._logits)

    def log_likelihood(self, z: Tensor, projected: Tensor, offset: Tensor) -> Tensor:
        hidden = self._hidden(z.flatten(0, 1))
        linear = torch.einsum("lnh,nh->ln", hidden.view(*z.shape[:-1], -1).float(), projected)
        return linear + offset - self._normalizer(hidden).view(z.shape[:-1])

    def _hidden(self, z: Tensor) -> Tensor:
        """(rows, latent) -> (rows, h), the input of the last layer."""
        values = self._latent[: len(z)].copy_(z)
        for weight, bias, memory in self._layers[:-1]:
            values = torch.addmm(bias, values, weight, out=memory[: len(values)]).relu_()
        return values

    def _normalizer(self, hidden: Tensor) -> Tensor:
        """(rows,) sum over d of softplus(a_d), a the logits."""
        weight, bias, memory = self._layers[-1]
        logits = self._logits[: len(hidden)]
        logits.copy_(torch.addmm(bias, hidden, weight, out=memory[: len(hidden)]))
        positive = torch.clamp_min(logits, 0, out=self._scratch[: len(hidden)]).sum(dim=-1)
        factors = logits.abs_().neg_().exp_().add_(1)
        together = math.gcd(factors.shape[1], _FACTORS)
        while together > 1:
            half = factors.shape[1] // 2
            factors = factors[:, :half].mul_(factors[:, half:])
            together //= 2
        return positive + factors.log_().sum(dim=-1)
