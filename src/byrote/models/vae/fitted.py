"""What is asked of a fitted VAE: log-likelihoods, a bound, samples, weights."""

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted

from byrote import checks
from byrote.errors import InvalidInput
from byrote.models.torch_state import flushed_denormals
from byrote.models.vae import scoring, settings, weights
from byrote.models.vae.arithmetic import Arithmetic
from byrote.models.vae.autoencoder import AutoEncoder
from byrote.models.vae.importance import ImportanceSampling
from byrote.models.vae.spaces import Space, as_given
from byrote.models.vae.streams import Stream, generator_from, seed_of


class Fitted(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """The part of the estimator that needs a network, however that came about."""

    draws: int
    defensive: float
    redraw: bool
    noise_seed: int
    random_state: int | None
    device: str
    network_: AutoEncoder
    space_: Space
    arithmetic_: Arithmetic

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True  # images (n, h, w) or (n, h, w, c) as they are
        return tags

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Log p(x), (n,) nats, by importance sampling: of binary records, or per step of a pixel.

        Raises
        ------
        InvalidInput
            If records have another shape than in training or values that cannot be had.
        """
        found = self.importance(X)
        self.diagnostics_ = {
            "mc_error": found.standard_error.astype(np.float32),
            "effective_sample_size": found.effective_sample_size.astype(np.float32),
            "k_hat": found.k_hat.astype(np.float32),
        }
        if found.outlier is not None:
            self.diagnostics_["outlier"] = found.outlier.astype(np.float32)
        return found.log_prob

    def importance(self, X: ArrayLike) -> ImportanceSampling:
        """Log p(x) as ``score_samples`` gives it, with error, sample size and k-hat per record."""
        x, noise_seed = self._scorable(X)
        with flushed_denormals():
            return scoring.importance(
                self.network_,
                self.space_,
                x,
                noise_seed,
                self.draws,
                self._generator(Stream.LATENT),
                defensive=self.defensive,
                arithmetic=self.arithmetic_,
            )

    def loss(self, X: ArrayLike) -> float:
        """Mean negative evidence lower bound, nats per record, with one latent draw each.

        Its mean over draws bounds that of minus ``score_samples`` from above; it is as quick as an
        epoch without its steps, repeatable, and may be called while training is followed.
        """
        x, noise_seed = self._scorable(X)
        generator = self._generator(Stream.LOSS)
        with flushed_denormals():
            return scoring.mean_bound(self.network_, self.space_, x, noise_seed, generator)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Mean of ``score_samples``, nats per record."""
        del y
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1) -> NDArray[np.float32]:
        """Records drawn from the model, (n_samples, *shape of a record), pixels in [0, 1]."""
        check_is_fitted(self)
        n_samples = checks.integer("n_samples", n_samples, at_least=1)
        generator = self._generator(Stream.SAMPLE)
        return scoring.drawn(self.network_, self.space_, n_samples, generator)

    def get_weights(self) -> dict[str, NDArray[np.generic]]:
        """Everything that training made, as arrays by name; with ``set_weights`` it goes back."""
        check_is_fitted(self)
        return weights.to_arrays(self.network_, self.space_.shape)

    def _scorable(self, X: ArrayLike) -> tuple[NDArray[Any], int]:
        """Records that the fitted model can score, and the seed of their noise."""
        check_is_fitted(self)
        settings.check_parameters(self)
        x = as_given(X)
        if x.shape[1:] != self.space_.shape:
            raise InvalidInput(
                f"X must hold records of shape {self.space_.shape}; got {x.shape[1:]}"
            )
        self.space_.check(x)
        redrawn = seed_of(self.random_state, Stream.REDRAW)
        return x, redrawn if self.redraw else self.noise_seed

    def _generator(self, stream: Stream) -> torch.Generator:
        return generator_from(seed_of(self.random_state, stream), self.device)
