"""Callbacks after each epoch of a VAE's training: reports, early stopping, outliers."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from byrote.models.early_stopping import EarlyStopping
from byrote.models.torch_utils import Stream, generator_from, seed_of
from byrote.models.vae import scoring
from byrote.models.vae.arithmetic import Arithmetic
from byrote.models.vae.autoencoder import AutoEncoder
from byrote.models.vae.outlier import Outlier
from byrote.models.vae.parameters import validation_records
from byrote.models.vae.spaces import Space

_DRAWS = 16  # importance samples that decide whether a training record is an outlier


class AfterEpoch:
    """Called after each epoch: reports its loss, then does what the VAE's options ask for.

    ``vae`` is an estimator with an untrained network, ``x`` (n, *shape) are its training records.
    """

    def __init__(
        self, vae: Any, x: NDArray[np.generic], report: Callable[[int, float], None]
    ) -> None:
        self._vae, self._report = vae, report
        self._outlier: OutlierSchedule | None = None
        if vae.outlier is not None:
            component = vae.network_.outlier
            self._outlier = OutlierSchedule(vae.network_, component, vae.space_, x, vae.noise_seed)
        self._stopping = _early_stopping(vae) if vae.patience is not None else None

    def __call__(self, epoch: int, loss: float) -> bool:
        """Whether training stops here."""
        self._report(epoch, loss)
        if self._outlier is not None:
            self._outlier.after_epoch()
        return self._stopping is not None and self._stopping.stops()

    def finish(self) -> dict[str, Any]:
        """Restore the best weights where training may stop early, and return facts."""
        facts: dict[str, Any] = {}
        if self._stopping is not None:
            self._stopping.restore()
            facts["stopped"] = self._stopping.facts()
        if self._outlier is not None:
            seed = seed_of(self._vae.random_state, Stream.LATENT)
            generator = generator_from(seed, self._vae.device)
            facts["outlier"] = self._outlier.facts(self._vae.arithmetic_, generator)
        return facts


def _early_stopping(vae: Any) -> EarlyStopping:
    """By the bound of the validation records, with the same noise after each epoch."""
    x, seed = validation_records(vae.validation), seed_of(vae.random_state, Stream.LOSS)

    def loss() -> float:
        generator = generator_from(seed, vae.device)
        return scoring.mean_bound(vae.network_, vae.space_, x, vae.noise_seed, generator)

    return EarlyStopping(vae.network_, loss, vae.patience)


class OutlierSchedule:
    """Gives the outlier component the training records' marginals, then phases it in.

    ``x`` are (n, *shape) training records, ``noise_seed`` is the seed of their fixed noise.
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
        self._outlier.background.learn(inputs for inputs, _ in self._inputs())

    @torch.no_grad()
    def after_epoch(self) -> None:
        """Lower the decoder's head start as far as it can do without."""
        if self._outlier.has_head_start:
            leads = [self._leads(inputs) for inputs, _ in self._inputs()]
            self._outlier.lower_head_start(np.concatenate(leads))

    def facts(self, arithmetic: Arithmetic, generator: torch.Generator) -> dict[str, float]:
        """The weight, the share of training records that are outliers, the remaining head start.

        A record is an outlier if its responsibility, by few importance samples, is above 1/2. The
        decoder's head start, nats, is above 0 after too little training, or where more than a tenth
        of the records are outliers.
        """
        estimates = scoring.importance_sample(
            self._model,
            self._space,
            self._x,
            self._noise_seed,
            _DRAWS,
            generator,
            defensive=0.0,
            arithmetic=Arithmetic(arithmetic.dtype),
        )
        outliers = np.asarray(estimates.outlier) > 0.5
        return {
            "weight": self._outlier.weight,
            "share": float(outliers.mean()),
            "head_start": float(self._outlier.head_start),
        }

    def _leads(self, x: torch.Tensor) -> NDArray[np.float32]:
        blocks = x.split(max(1, scoring.BLOCK // self._model.width))
        return np.concatenate([self._block_leads(block) for block in blocks])

    def _block_leads(self, x: torch.Tensor) -> NDArray[np.float32]:
        code, _ = self._model.encode(x)
        return self._outlier.lead(self._model.log_likelihood(x, code), x).cpu().numpy()

    def _inputs(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return scoring.input_blocks(self._model, self._space, self._x, self._noise_seed)
