"""Log p(x | z) at many codes of one record, for a Bernoulli likelihood over linear layers.

What a general decoder computes value by value is a product of matrices here: with logits a = Wh + b
sum_d x_d a_d = (W'x)'h + b'x, so no product with x is needed per draw. Every block uses the same
memory. (A version that allocated its blocks anew once grew without bound; the cause was not proven,
but glibc before 2.38 is known not to reuse aligned memory well.)
"""

from collections.abc import Callable

import torch
from torch import Tensor

from byrote.models.vae.networks import FullyConnected

_HALVINGS = 6  # of a product of factors in (1, 2]: at most 2^64, far from overflow


class BernoulliProducts:
    """The decoder's layers, each with the memory for its output.

    Parameters
    ----------
    network
        Whose outputs are logits of binary values.
    rows
        Codes decoded at a time, at most.
    """

    def __init__(self, network: FullyConnected, rows: int) -> None:
        layers = network.decoder_layers()
        device = layers[0].weight.device
        self._head = network.head
        self._layers = [
            (layer.weight.t(), layer.bias, torch.empty(rows, layer.out_features, device=device))
            for layer in layers
        ]
        self._scratch = torch.empty(rows, layers[-1].out_features, device=device)

    def given(self, x: Tensor) -> Callable[[Tensor], Tensor]:
        """For records (n, d): log p(x | z), (count, n), as a function of z, (count, n, latent)."""
        projected = x @ self._head.weight
        offset = x @ self._head.bias

        def log_likelihood(z: Tensor) -> Tensor:
            hidden = self._hidden(z.flatten(0, 1))
            matched = torch.einsum("lnh,nh->ln", hidden.view(*z.shape[:-1], -1), projected)
            return matched + offset - self._normalizer(hidden).view(z.shape[:-1])

        return log_likelihood

    def _hidden(self, values: Tensor) -> Tensor:
        """(rows, latent) -> (rows, h), the input of the last layer."""
        for weight, bias, memory in self._layers[:-1]:
            values = torch.addmm(bias, values, weight, out=memory[: len(values)]).relu_()
        return values

    def _normalizer(self, hidden: Tensor) -> Tensor:
        """(rows,) sum over d of softplus(a_d), a the logits.

        softplus(a) = max(a, 0) + log(1 + exp(-|a|)); the factors 1 + exp(-|a|) lie in (1, 2], so
        many are multiplied before one logarithm is taken.
        """
        weight, bias, memory = self._layers[-1]
        logits = torch.addmm(bias, hidden, weight, out=memory[: len(hidden)])
        positive = torch.clamp_min(logits, 0, out=self._scratch[: len(hidden)]).sum(dim=-1)
        factors = logits.abs_().neg_().exp_().add_(1)
        for _ in range(_HALVINGS):
            half, odd = divmod(factors.shape[1], 2)
            if odd:
                break
            factors = factors[:, :half].mul_(factors[:, half:])
        return positive + factors.log_().sum(dim=-1)
