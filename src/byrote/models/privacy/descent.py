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

    def zeros(self) -> list[Tensor]:
        """A sum of no gradients, for each parameter."""
        return [torch.zeros_like(p) for p in self.parameters]

    @torch.no_grad()
    def __call__(self, total: Sequence[Tensor]) -> None:
        """Take a step on the sums of clipped gradients, which it uses up."""
        sizes = [gradient.numel() for gradient in total]
        device = total[0].device
        if self._deviation > 0:
            noise = torch.randn(sum(sizes), generator=self._generator, device=device)
            for gradient, own in zip(total, noise.split(sizes), strict=True):
                gradient.add_(own.view_as(gradient), alpha=self._deviation)
        for p, gradient in zip(self.parameters, total, strict=True):
            p.grad = gradient.div_(self._expected)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
