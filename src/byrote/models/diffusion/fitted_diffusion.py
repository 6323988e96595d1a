"""A diffusion model but for its training: log-likelihoods, a bound, samples, weights."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted

from byrote import checks
from byrote.errors import InvalidInput
from byrote.models import torch_utils
from byrote.models.diffusion import parameters
from byrote.models.diffusion.auto_precision import dtype_of
from byrote.models.diffusion.denoiser import Denoiser
from byrote.models.diffusion.pixels import space_of
from byrote.models.diffusion.pretrained import PretrainedDenoiser
from byrote.models.diffusion.scoring import Scorer, differing, rows_at_once
from byrote.models.diffusion.training import mean_bound
from byrote.models.spaces import Space, as_records
from byrote.models.torch_utils import SHAPE, Stream, flushed_denormals, generator_from, seed_of


class FittedDiffusion(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """The estimator but for its training; most of it needs a denoiser, trained or loaded."""

    classes: int | None
    sigma_min: float
    levels: int
    draws: int
    estimator: str
    steps: int
    noise_seed: int
    random_state: int | None
    device: str
    denoiser_: Denoiser | PretrainedDenoiser
    space_: Space
    dtype_: torch.dtype

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True  # images (n, h, w) or (n, h, w, c), unflattened
        return tags

    @property
    def takes_labels(self) -> bool:
        """Whether records have labels, as conditions."""
        return self.classes is not None

    def score_samples(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.float64]:
        """Estimate log p of records with noise sigma_min, (n,) nats; of images, per pixel step.

        ``y``, (n,) labels, for a model with ``classes``.

        Raises
        ------
        InvalidInput
            If records have another shape than in training, or values outside the model's space.
        """
        x, labels = self._scorable(X, y)
        scorer = self._scorer()
        with flushed_denormals():
            estimates = scorer.by_i_mmse(x, labels, self.levels, self.draws)
            self.diagnostics_ = {"mc_error": estimates.standard_error.astype(np.float32)}
            if self.estimator == "i-mmse":
                return estimates.log_prob
            by_flow = scorer.by_flow(x, labels, self.steps)
        differ = differing(estimates, by_flow, x[0].size)
        self.diagnostics_["estimates_differ"] = differ.astype(np.float32)
        self.diagnostics_["i_mmse"] = estimates.log_prob.astype(np.float32)
        self.diagnostics_["ode"] = by_flow.astype(np.float32)
        return by_flow if self.estimator == "ode" else estimates.log_prob

    def loss(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Estimate the mean bound on minus log p, nats per record, by one level of noise each.

        In expectation minus the mean of ``score_samples``. Repeatable; it costs as much as an epoch
        without its steps, and may be called during tracked training.
        """
        check_is_fitted(self, "denoiser_")
        if isinstance(self.denoiser_, PretrainedDenoiser):
            return -self.score(X, y)
        x, labels = self._scorable(X, y)
        generator, rows = self._generator(Stream.LOSS), self._scorer().rows
        with flushed_denormals():
            return mean_bound(self.denoiser_, x, labels, self.space_, generator, rows)

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Compute the mean of ``score_samples``, in nats per record."""
        return float(self.score_samples(X, y).mean())

    def sample(self, n_samples: int = 1, y: ArrayLike | None = None) -> NDArray[np.float32]:
        """Draw records by Heun's method, ``(n_samples, *shape)``, pixels in [0, 1].

        ``y``, (n_samples,) labels, for a model with ``classes`` (default: each in turn).
        """
        check_is_fitted(self, "denoiser_")
        n = checks.integer("n_samples", n_samples, at_least=1)
        if self.classes is not None and y is None:
            y = np.arange(n) % self.classes
        labels = parameters.checked_labels(self.classes, y, n)
        given = parameters.as_tensor(labels, self.device)
        with flushed_denormals():
            return self._scorer().sample(n, given, self.steps, self._generator(Stream.SAMPLE))

    def get_weights(self) -> dict[str, NDArray[np.generic]]:
        """Return everything learned, as arrays by name, for ``set_weights``."""
        check_is_fitted(self, "denoiser_")
        shape = np.array(self.space_.shape, dtype=np.int64)
        return {SHAPE: shape, **torch_utils.to_arrays(self.denoiser_)}

    def _adopt(self, denoiser: Denoiser | PretrainedDenoiser, shape: tuple[int, ...]) -> None:
        """Become a fitted model of records of this shape."""
        self.dtype_ = dtype_of(self, shape)
        self.space_ = space_of(shape, self.device)
        self.denoiser_ = denoiser.eval()
        self.n_features_in_ = math.prod(shape)
        self.losses_: list[float] = []
        self.facts_: dict[str, Any] = {"sigma_min": self.sigma_min}

    def _scorer(self) -> Scorer:
        rows = rows_at_once(self.denoiser_.width)
        return Scorer(self.denoiser_, self.space_, self.noise_seed, self.dtype_, rows)

    def _scorable(
        self, X: ArrayLike, y: ArrayLike | None
    ) -> tuple[NDArray[Any], torch.Tensor | None]:
        """Return records that the fitted model can score, and their labels."""
        check_is_fitted(self, "denoiser_")
        parameters.check_parameters(self)
        x = as_records(X)
        if x.shape[1:] != self.space_.shape:
            raise InvalidInput(
                f"X must hold records of shape {self.space_.shape}; got {x.shape[1:]}"
            )
        self.space_.check(x)
        labels = parameters.checked_labels(self.classes, y, len(x))
        return x, parameters.as_tensor(labels, self.device)

    def _generator(self, stream: Stream) -> torch.Generator:
        return generator_from(seed_of(self.random_state, stream), self.device)
