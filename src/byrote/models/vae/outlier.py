"""An outlier component: records that the decoder need not learn.

With weight w the likelihood is (1 - w) p(x | z) + w p0(x), p0 broad and the same for all codes. A
record that the decoder describes worse than p0, by more than log((1 - w)/w), has next to no
gradient. As p0 does not depend on the code, log p(x) = log((1 - w) p_vae(x) + w p0(x)) exactly.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from byrote.models.vae.background import Background

LEARNED = "learned"
FIRST_WEIGHT = 0.01  # of a weight that is learned
MOST = 0.1  # of the training records that the component may take before the decoder is trained
_ALONE = 1e30  # a head start beyond all likelihoods: the decoder alone; infinity makes no gradient


class Outlier(nn.Module):
    """The component and its weight, as a logit.

    Attributes
    ----------
    head_start
        Nats that the decoder is given in training. An untrained decoder describes everything worse
        than p0 does, and would never be trained: at first it is alone, then only the records that
        fall behind the most are taken, until it needs no head start any more. See ``give_way``.
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
        """What tells configurations apart."""
        return f"learned={self.learned}"

    @property
    def weight(self) -> float:
        """The weight w."""
        return float(torch.sigmoid(self.logit.detach().double()))

    def mixed(self, log_likelihood: Tensor, x: Tensor, *, training: bool) -> Tensor:
        """(n,) log of the mixture's likelihood, nats, from the decoder's, (n,)."""
        taken = functional.logsigmoid(self.logit) + self.background.log_prob(x)
        if training:
            taken = taken - self.head_start
        return torch.logaddexp(functional.logsigmoid(-self.logit) + log_likelihood, taken)

    def lead(self, log_likelihood: Tensor, x: Tensor) -> Tensor:
        """(n,) nats by which the component is ahead: the log-odds that a record is of it."""
        return self.logit + self.background.log_prob(x) - log_likelihood

    def give_way(self, lead: NDArray[np.floating]) -> None:
        """Set the head start by the leads, without one, over the training records.

        It leaves the component at most a tenth of them, and ends for good when it takes no more by
        itself.
        """
        needed = max(0.0, float(np.quantile(lead, 1 - MOST)))
        self.head_start.fill_(min(needed, float(self.head_start)))

    @property
    def waits(self) -> bool:
        """Whether the decoder still needs a head start."""
        return bool(self.head_start > 0)

    def log_prob(
        self, log_prob: NDArray[np.float64], x: Tensor
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Log p(x) of the mixture from that of the autoencoder alone, and responsibilities.

        Parameters
        ----------
        log_prob
            (n,) nats.
        x
            (n, d) as the model sees records.
        """
        logit = float(self.logit.detach())
        background = self.background.log_prob(x).double().cpu().numpy()
        own = log_prob - np.logaddexp(0, logit)
        taken = background - np.logaddexp(0, -logit)
        with np.errstate(invalid="ignore"):  # NaN of a training that diverged
            mixed = np.logaddexp(own, taken)
            return mixed, np.exp(taken - mixed)

    def sample(self, drawn: Tensor, generator: torch.Generator) -> Tensor:
        """Records that the decoder drew, (n, d), with those of the component in its share."""
        chosen = torch.rand(len(drawn), 1, generator=generator, device=drawn.device)
        broad = self.background.sample(len(drawn), generator)
        return torch.where(chosen < self.weight, broad, drawn)
