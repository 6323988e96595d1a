"""What comes after the clipped sum: noise, the mean, and the optimizer's step."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from byrote.models.privacy.accounting import Account


class NoisyDescent:
    """The end of DP-SGD's step (Abadi et al. 2016), for whoever sums clipped gradients.

    Parameters
    ----------
    parameters
        Those that are trained.
    optimizer
        Of these. It gets the gradient, noise included, divided by the expected number of records,
        and may do with it what it does: that is no longer about records.
    account
        The noise and the expected number of records.
    max_grad_norm
        To which each record's gradient was clipped.
    generator
        Of the noise, on the parameters' device.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        optimizer: torch.optim.Optimizer,
        account: Account,
        *,
        max_grad_norm: float,
        generator: torch.Generator,
    ) -> None:
        self.parameters = list(parameters)
        self._optimizer, self._generator = optimizer, generator
        self._expected = account.expected_batch
        self._deviation = account.noise_multiplier * max_grad_norm
        values = sum(p.numel() for p in self.parameters)
        self._flat = torch.empty(values, device=self.parameters[0].device)  # used at every step

    def zeros(self) -> list[Tensor]:
        """A sum of no gradients, for each parameter."""
        return [torch.zeros_like(p) for p in self.parameters]

    @torch.no_grad()
    def __call__(self, total: Sequence[Tensor]) -> None:
        """Take a step on the sums of clipped gradients."""
        if self._deviation > 0:
            self._flat.normal_(0, self._deviation, generator=self._generator)
        else:
            self._flat.zero_()
        own = self._flat.split([p.numel() for p in self.parameters])
        for p, gradient, noise in zip(self.parameters, total, own, strict=True):
            p.grad = noise.as_strided(p.size(), p.stride()).add_(gradient)
        self._flat.div_(self._expected)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
