"""One step of private training: gradients clipped record by record, summed, and noise."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from byrote.models.privacy.accounting import Account
from byrote.models.privacy.descent import NoisyDescent
from byrote.models.privacy.layers import Layers, trained

_AT_ONCE = 512  # records that go through the module together, to bound memory


class PrivateStep:
    """DP-SGD's step with any optimizer (Abadi et al. 2016), in four parts.

    Forward; gradients of the layers' outputs; from these the norm of each record's gradient; and
    last the gradients of the parameters, each record's share weighted so that its norm is at most
    ``max_grad_norm`` ("book-keeping", Bu et al. 2023). That is as much work as a plain step but
    for the norms.

    Parameters
    ----------
    module
        All of whose trained parameters are in layers that Opacus can handle.
    optimizer
        Of the module's parameters. It gets the gradient, noise included, divided by the expected
        number of records, and may do with it what it does: that is no longer about records.
    account
        The noise and the expected number of records.
    max_grad_norm
        To which a record's gradient is clipped.
    generator
        Of the noise, on the module's device.

    Attributes
    ----------
    gradients : str
        "ghost" or "per-example".

    Raises
    ------
    InvalidInput
        If Opacus cannot handle the module.
    MissingExtra
        If it is not installed.
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        account: Account,
        *,
        max_grad_norm: float,
        generator: torch.Generator,
    ) -> None:
        self._layers = Layers(module)
        self._norm = max_grad_norm
        self._descend = NoisyDescent(
            trained(module), optimizer, account, max_grad_norm=max_grad_norm, generator=generator
        )
        self.gradients = self._layers.gradients

    def __call__(self, losses: Callable[..., Tensor], *batch: Tensor) -> Tensor:
        """Take a step on one batch, which may be empty: then it is noise alone.

        Parameters
        ----------
        losses
            ``losses(*batch) -> (n,)``, one for each record, from its own values alone, by one call
            of the module. Called with parts of a large batch.
        batch
            Tensors with one entry for each record along the first axis, of equal length.

        Returns
        -------
        The losses before the step, summed.
        """
        sums: dict[nn.Parameter, Tensor] = {}
        summed = torch.zeros((), device=self._descend.parameters[0].device)
        parts = [tensor.split(_AT_ONCE) for tensor in batch] if len(batch[0]) else []
        for part in zip(*parts, strict=True):
            loss, gradients = self._clipped(losses, part)
            summed = summed + loss
            for p, gradient in gradients:
                sums[p] = sums[p] + gradient if p in sums else gradient
        self._descend(
            [sums[p] if p in sums else torch.zeros_like(p) for p in self._descend.parameters]
        )
        return summed

    def _clipped(
        self, losses: Callable[..., Tensor], batch: Sequence[Tensor]
    ) -> tuple[Tensor, list[tuple[nn.Parameter, Tensor]]]:
        """The losses' sum; for each parameter the sum of clipped gradients."""
        each, outputs = self._layers.outputs(lambda: losses(*batch))
        backward = torch.autograd.grad(
            each.sum(), outputs, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        norms = self._layers.norms(backward)
        sound = norms.isfinite()
        if not bool(sound.all()):  # a gradient that cannot be clipped; its record is left out
            rest = [tensor[sound] for tensor in batch]
            gradients = self._clipped(losses, rest)[1] if bool(sound.any()) else []
            return each.detach().sum(), gradients
        weights = self._norm / norms.clamp(min=self._norm)
        return each.detach().sum(), self._layers.sums(weights, backward)
