"""The variational auto-encoder as a scikit-learn density estimator."""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted

from byrote import checks
from byrote.data.records import as_values
from byrote.errors import InvalidInput
from byrote.models.contract import OnEpoch
from byrote.models.noise import binarized
from byrote.models.torch_state import flushed_denormals, seeded
from byrote.models.vae.importance import log_prob
from byrote.models.vae.networks import FullyConnected
from byrote.models.vae.training import Schedule, train

_ROWS_AT_A_TIME = 4096  # records made binary and scored together, to bound memory


class Stream(IntEnum):
    """What a seed that is made from ``random_state`` is for."""

    INITIAL = 0
    TRAINING = 1
    REDRAW = 2
    LATENT = 3
    SAMPLE = 4


class VAE(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """Variational auto-encoder with the paper's fully connected networks (Table 1).

    Gaussian encoder with diagonal covariance, standard normal prior, Bernoulli decoder. Values in
    [0, 1] are taken as probabilities of binary pixels and made binary anew at every training step.

    Parameters
    ----------
    latent_dim
        Size of the latent space.
    hidden
        Widths of the encoder's hidden layers; the decoder mirrors them.
    epochs, batch_size, learning_rate
        Training with Adam; the other settings of Adam are PyTorch's defaults.
    draws
        Importance samples N per record in ``score_samples``.
    redraw
        How records are made binary when they are scored. False: one fixed draw per record, from its
        content and ``noise_seed``, the same in every fit. True: a new draw per fit, the authors'
        way, which adds the draw's variance to every score.
    noise_seed
        Seed of the fixed draw; a run sets it once for all its fits.
    random_state
        Seed of initial weights, batches and training noise at ``fit``, and of the importance
        samples at ``score_samples``, whose result is therefore repeatable.
    device
        PyTorch device.

    Attributes
    ----------
    losses_ : list of float
        Mean negative evidence lower bound of each epoch, nats per record.
    n_features_in_ : int
        Number of values per record.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((20, 6))
    >>> model = VAE(latent_dim=2, hidden=(8,), epochs=2, draws=16, random_state=0).fit(x)
    >>> model.score_samples(x).shape, model.sample(3).shape
    ((20,), (3, 6))
    """

    def __init__(
        self,
        latent_dim: int = 16,
        *,
        hidden: Sequence[int] = (512, 256),
        epochs: int = 100,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        draws: int = 256,
        redraw: bool = False,
        noise_seed: int = 0,
        random_state: int | None = None,
        device: str = "cpu",
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.draws = draws
        self.redraw = redraw
        self.noise_seed = noise_seed
        self.random_state = random_state
        self.device = device

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True  # images (n, h, w) or (n, h, w, c) as they are
        return tags

    def check_input(self, X: ArrayLike) -> None:
        """Refuse records that are no probabilities, before any fit.

        Raises
        ------
        InvalidInput
            If a value is outside [0, 1].
        """
        x = as_values("X", X)
        outside = np.count_nonzero(x < 0) + np.count_nonzero(x > 1)
        if outside:
            raise InvalidInput(
                f"X must lie in [0, 1] for a Bernoulli decoder; got {outside} of {x.size} values"
                " outside"
            )

    def fit(self, X: ArrayLike, y: object = None, *, on_epoch: OnEpoch | None = None) -> "VAE":
        """Train on X, (n, d) or images, values in [0, 1].

        ``on_epoch(epoch, losses)`` is called after each epoch with its number, from 1, and
        ``{"train": mean negative bound, nats per record}``.

        Raises
        ------
        InvalidInput
            If a parameter or a value of X cannot be used.
        """
        del y
        self._check_parameters()
        self.check_input(X)
        x = as_values("X", X)
        self.shape_ = x.shape[1:]
        self.n_features_in_ = int(np.prod(self.shape_))
        initial, training = self._seed(Stream.INITIAL), self._seed(Stream.TRAINING)
        with flushed_denormals():
            with seeded(initial):
                network = FullyConnected(self.n_features_in_, self.latent_dim, tuple(self.hidden))
            self.network_ = network.to(self.device)
            self.losses_: list[float] = []
            train(
                self.network_,
                self._tensor(_flat(x)),
                Schedule(self.epochs, self.batch_size, self.learning_rate),
                self._generator(training),
                self._recorder(on_epoch),
            )
        return self

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Log p(x) of the binary records, (n,) nats, by importance sampling.

        Raises
        ------
        InvalidInput
            If records have another shape than in training or values outside [0, 1].
        """
        check_is_fitted(self)
        self._check_parameters()
        self.check_input(X)
        x = as_values("X", X)
        if x.shape[1:] != self.shape_:
            raise InvalidInput(f"X must hold records of shape {self.shape_}; got {x.shape[1:]}")
        noise_seed = self._seed(Stream.REDRAW) if self.redraw else self.noise_seed
        generator = self._generator(self._seed(Stream.LATENT))
        result = np.empty(len(x))
        with flushed_denormals():
            for start in range(0, len(x), _ROWS_AT_A_TIME):
                rows = slice(start, start + _ROWS_AT_A_TIME)
                binary = self._tensor(binarized(_flat(x[rows]), noise_seed))
                result[rows] = log_prob(self.network_, binary, self.draws, generator).cpu()
        return result

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Mean of ``score_samples``, nats per record."""
        del y
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1) -> NDArray[np.float32]:
        """Binary records drawn from the model, (n_samples, *shape of a record)."""
        check_is_fitted(self)
        checks.integer("n_samples", n_samples, at_least=1)
        generator = self._generator(self._seed(Stream.SAMPLE))
        with torch.no_grad():
            z = torch.randn((n_samples, self.latent_dim), generator=generator, device=self.device)
            drawn = torch.bernoulli(torch.sigmoid(self.network_.decode(z)), generator=generator)
        return np.asarray(drawn.cpu().numpy().reshape(n_samples, *self.shape_))

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """What the model learned: the network's arrays by name, and the shape of a record."""
        check_is_fitted(self)
        arrays = {
            name: tensor.detach().cpu().numpy().copy()
            for name, tensor in self.network_.state_dict().items()
        }
        return {**arrays, "shape_": np.array(self.shape_, dtype=np.int64)}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> "VAE":
        """Take what ``get_weights`` gave; the model is then as after ``fit``.

        Raises
        ------
        InvalidInput
            If the arrays are not those of this network.
        """
        self._check_parameters()
        arrays = {name: torch.tensor(value) for name, value in weights.items()}
        shape = arrays.pop("shape_", None)
        if shape is None:
            raise InvalidInput("weights must hold the shape of a record, shape_; it is missing")
        self.shape_ = tuple(shape.tolist())
        self.n_features_in_ = int(np.prod(self.shape_))
        network = FullyConnected(self.n_features_in_, self.latent_dim, tuple(self.hidden))
        try:
            network.load_state_dict(arrays)
        except RuntimeError:
            raise InvalidInput("weights must be those of a VAE with these parameters") from None
        self.network_ = network.to(self.device)
        return self

    def _check_parameters(self) -> None:
        for name in ("latent_dim", "epochs", "batch_size", "draws"):
            checks.integer(name, getattr(self, name), at_least=1)
        checks.integer("noise_seed", self.noise_seed, at_least=0)
        if not isinstance(self.hidden, list | tuple) or not self.hidden:
            raise InvalidInput(f"hidden must be a list of layer widths; got {self.hidden!r}")
        for width in self.hidden:
            checks.integer("hidden", width, at_least=1)
        checks.positive("learning_rate", self.learning_rate)
        if self.random_state is not None:
            checks.integer("random_state", self.random_state, at_least=0)
        if not isinstance(self.redraw, bool):
            raise InvalidInput(f"redraw must be True or False; got {self.redraw!r}")
        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, TypeError, AssertionError):  # what PyTorch raises, by the device
            raise InvalidInput(
                f"device must be one that PyTorch has here; got {self.device!r}"
            ) from None

    def _recorder(self, on_epoch: OnEpoch | None) -> Callable[[int, float], None]:
        def record(epoch: int, loss: float) -> None:
            self.losses_.append(loss)
            if on_epoch is not None:
                on_epoch(epoch, {"train": loss})

        return record

    def _tensor(self, x: NDArray[np.float32]) -> torch.Tensor:
        # PyTorch shares memory only with arrays that may be written; what it is given stays as is.
        return torch.from_numpy(x if x.flags.writeable else x.copy()).to(self.device)

    def _seed(self, stream: "Stream") -> int:
        return int(np.random.SeedSequence(self.random_state).generate_state(len(Stream))[stream])

    def _generator(self, seed: int) -> torch.Generator:
        return torch.Generator(device=self.device).manual_seed(seed)


def _flat(x: NDArray[Any]) -> NDArray[np.float32]:
    """(n, d) float32, the same memory where it can be."""
    return x.reshape(len(x), -1).astype(np.float32, copy=False)
