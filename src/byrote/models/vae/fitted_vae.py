"""A VAE but for its training: what it takes, log-likelihoods, a bound, samples, weights."""

from collections.abc import Mapping, Sequence
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin, clone
from sklearn.utils.validation import check_is_fitted

from byrote import checks
from byrote.errors import InvalidInput
from byrote.models import torch_utils
from byrote.models.arithmetic import Arithmetic
from byrote.models.auto_values import PilotFit
from byrote.models.privacy import DP
from byrote.models.spaces import Space, as_records
from byrote.models.torch_utils import (
    SHAPE,
    Stream,
    flushed_denormals,
    generator_from,
    seed_of,
)
from byrote.models.vae import auto_draws, scoring
from byrote.models.vae.autoencoder import AutoEncoder
from byrote.models.vae.mixed import MIXED, likelihood_of, with_columns
from byrote.models.vae.parameters import check_parameters
from byrote.models.vae.scoring import ImportanceSampling


class FittedVAE(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """The estimator but for its training; most of it needs a network, trained or loaded."""

    draws: int | str
    defensive: float
    redraw: bool
    noise_seed: int
    random_state: int | None
    likelihood: str
    columns: Sequence[str | int] | None
    dp: DP | None
    device: str
    network_: AutoEncoder
    space_: Space
    arithmetic_: Arithmetic

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True  # images (n, h, w) or (n, h, w, c), unflattened
        return tags

    takes_columns_by_name = True  # initial weights are drawn by place

    @property
    def takes_categories(self) -> bool:
        """Whether the likelihood is one of tables."""
        return likelihood_of(self) == MIXED

    @property
    def takes_units(self) -> bool:
        """Whether tables are not standardized: means and deviations are read without noise."""
        return self.dp is not None

    @property
    def needs_pilot(self) -> bool:
        """Whether the number of draws is to be resolved by two fits."""
        return self.draws == auto_draws.AUTO

    def settled_by(self, pilot: Sequence[PilotFit], fits: int) -> Self:
        """Return a copy whose number of draws suits the noise between two fits of a run."""
        draws = auto_draws.fewest_draws(pilot, fits)
        return cast("Self", clone(self).set_params(draws=draws))

    def prepared(self, X: Any) -> tuple[Self, Any]:
        """Return a copy that knows the columns, if X are records of a table, and X."""
        return with_columns(self, X), X

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Estimate log p(x), (n,) nats, by importance sampling: per binary record or pixel step.

        Raises
        ------
        InvalidInput
            If records have another shape than in training, or values outside the model's space.
        """
        estimates = self.importance(X)
        self.diagnostics_ = {
            "mc_error": estimates.standard_error.astype(np.float32),
            "effective_sample_size": estimates.effective_sample_size.astype(np.float32),
            "k_hat": estimates.k_hat.astype(np.float32),
        }
        if estimates.outlier is not None:
            self.diagnostics_["outlier"] = estimates.outlier.astype(np.float32)
        if estimates.changes is not None:
            self.diagnostics_ |= auto_draws.changes_by_name(estimates.changes)
        return estimates.log_prob

    def importance(self, X: ArrayLike) -> ImportanceSampling:
        """Estimate log p(x) with error, effective sample size and k-hat of each record."""
        x, noise_seed = self._scorable(X)
        with flushed_denormals():
            return scoring.importance_sample(
                self.network_,
                self.space_,
                x,
                noise_seed,
                auto_draws.number_of(self.draws),
                self._generator(Stream.LATENT),
                defensive=self.defensive,
                arithmetic=self.arithmetic_,
                fewer=auto_draws.FEWER if self.needs_pilot else (),
            )

    def loss(self, X: ArrayLike) -> float:
        """Estimate the mean negative evidence lower bound, in nats per record, by one draw each.

        In expectation at least minus the mean of ``score_samples``. Repeatable; it costs as much as
        an epoch without its steps, and may be called during tracked training.
        """
        x, noise_seed = self._scorable(X)
        generator = self._generator(Stream.LOSS)
        with flushed_denormals():
            return scoring.mean_bound(self.network_, self.space_, x, noise_seed, generator)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Compute the mean of ``score_samples``, in nats per record."""
        del y
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1) -> NDArray[np.float32]:
        """Draw records from the model, ``(n_samples, *shape)``, pixels in [0, 1]."""
        check_is_fitted(self)
        n_samples = checks.integer("n_samples", n_samples, at_least=1)
        generator = self._generator(Stream.SAMPLE)
        return scoring.draw_samples(self.network_, self.space_, n_samples, generator)

    def get_weights(self) -> dict[str, NDArray[np.generic]]:
        """Return everything learned, as arrays by name, for ``set_weights``."""
        check_is_fitted(self)
        shape = np.array(self.space_.shape, dtype=np.int64)
        return {SHAPE: shape, **torch_utils.to_arrays(self.network_)}

    def _scorable(self, X: ArrayLike) -> tuple[NDArray[Any], int]:
        """Return records that the fitted model can score, and the seed of their noise."""
        check_is_fitted(self)
        check_parameters(self)
        x = as_records(X)
        if x.shape[1:] != self.space_.shape:
            raise InvalidInput(
                f"X must hold records of shape {self.space_.shape}; got {x.shape[1:]}"
            )
        self.space_.check(x)
        redrawn = seed_of(self.random_state, Stream.REDRAW)
        return x, redrawn if self.redraw else self.noise_seed

    def _generator(self, stream: Stream) -> torch.Generator:
        return generator_from(seed_of(self.random_state, stream), self.device)


def check_weight_sizes(vae: Any, weights: Mapping[str, ArrayLike]) -> None:
    """Refuse a network larger than the weights, before it is made."""
    fully_connected = vae.network == "fully-connected"
    torch_utils.check_sizes(
        weights,
        of="VAE's parameters",
        layers=len(vae.hidden) if fully_connected else 0,
        latent_dim=vae.latent_dim,
        hidden=max(vae.hidden) if fully_connected else 0,
        features=0 if fully_connected else vae.features,
    )
