"""The outlier component while a VAE trains: what it learns, and when it takes part."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from byrote.models.vae import scoring
from byrote.models.vae.arithmetic import Arithmetic
from byrote.models.vae.autoencoder import AutoEncoder
from byrote.models.vae.importance import BLOCK
from byrote.models.vae.outlier import Outlier
from byrote.models.vae.spaces import Space

_DRAWS = 16  # importance samples by which a training record is of the outlier component or not


class OutlierCourse:
    """Gives the component the training records' marginals, then lets it take part by and by.

    Parameters
    ----------
    model, outlier
        The model, and the component that it has.
    x, noise_seed
        Training records, (n, *shape), and the seed of their fixed noise.
    """

    def __init__(
        self,
        model: AutoEncoder,
        outlier: Outlier,
        space: Space,
        x: NDArray[Any],
        noise_seed: int,
    ) -> None:
        self._model, self._outlier, self._space = model, outlier, space
        self._x, self._noise_seed = x, noise_seed
        self._outlier.background.learn(seen for seen, _ in self._seen())

    @torch.no_grad()
    def after_epoch(self) -> None:
        """Let the component take part as far as the decoder can do with it."""
        if self._outlier.waits:
            self._outlier.give_way(np.concatenate([self._lead(x) for x, _ in self._seen()]))

    def facts(self, arithmetic: Arithmetic, generator: torch.Generator) -> dict[str, float]:
        """The weight, the share of training records that are of the component, and what is left.

        A record is of it if its responsibility, by few importance samples, is above 1/2. What is
        left is of the decoder's head start, nats: above 0 after too little training, or where more
        than a tenth of the records are outliers.
        """
        found = scoring.importance(
            self._model,
            self._space,
            self._x,
            self._noise_seed,
            _DRAWS,
            generator,
            defensive=0.0,
            arithmetic=Arithmetic(arithmetic.dtype),
        )
        taken = np.asarray(found.outlier) > 0.5
        return {
            "weight": self._outlier.weight,
            "share": float(taken.mean()),
            "head_start": float(self._outlier.head_start),
        }

    def _lead(self, x: torch.Tensor) -> NDArray[np.float32]:
        blocks = x.split(max(1, BLOCK // self._model.width))
        return np.concatenate([self._lead_of(block) for block in blocks])

    def _lead_of(self, x: torch.Tensor) -> NDArray[np.float32]:
        code, _ = self._model.encode(x)
        return self._outlier.lead(self._model.log_likelihood(x, code), x).cpu().numpy()

    def _seen(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return scoring.seen_blocks(self._model, self._space, self._x, self._noise_seed)
