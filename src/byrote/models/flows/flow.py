"""Normalizing flows as a scikit-learn density estimator."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin, clone
from sklearn.utils.validation import check_is_fitted

from byrote import checks
from byrote.data.records import Records
from byrote.errors import InvalidInput
from byrote.models import identity, torch_utils
from byrote.models.contract import OnEpoch
from byrote.models.early_stopping import check_validation
from byrote.models.flows import parameters
from byrote.models.flows.networks import Density, untrained
from byrote.models.flows.spaces import Space
from byrote.models.flows.training import after_epoch_of, draw_inputs, log_prob, remedy, train
from byrote.models.privacy import DP
from byrote.models.privacy.dp_sgd import private_training
from byrote.models.spaces import as_records
from byrote.models.torch_utils import (
    SHAPE,
    Stream,
    check_weights,
    flushed_denormals,
    generator_from,
    record_shape,
    seed_of,
)

_SPACE = "space."  # before the names of what a space learned, in the weights


class Flow(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """Normalizing flow: an exact density by invertible networks, trained by maximum likelihood.

    Tables of numbers are seen at mean 0 and standard deviation 1 of the training records, and their
    density is in their own units. Images and other records of L levels, and whole numbers in
    tables, are made continuous by uniform noise: new at each step of training; in scoring one draw
    for each record, from its content and ``noise_seed``, the same in every fit. Their density is
    per level.

    Parameters
    ----------
    kind
        "nsf", neural splines (Durkan et al. 2019), or "maf", masked autoregressive (Papamakarios et
        al. 2017): each value given those before it; samples take as many passes as there are
        values. "realnvp" (Dinh et al. 2017) or "nice" (Dinh et al. 2015): couplings of two halves
        of the values, affine or additive. "affine": a normal distribution of any mean and
        covariance, without a network.
    transforms, hidden, bins
        Number of transforms, widths of the hidden layers of each, and bins of a spline.
    levels
        Number of levels of every value, which are whole numbers from 0 or multiples of 1/(L - 1) in
        [0, 1]; "real", if values are real numbers; or, for tables, a list of "whole" and "real" for
        the columns. None: recognized in the records, in those of all fits by a run.
    epochs, batch_size, learning_rate
        Training with Adam; the other settings of Adam are PyTorch's defaults.
    weight_decay
        In [0, 1): weights shrink by ``learning_rate * weight_decay`` of themselves at each step
        (AdamW).
    dp
        A ``byrote.models.DP``: differentially private training. Its guarantee, about a record, is
        in ``facts_``. Numbers are then not standardized, as this reads records without noise.
    patience, validation
        Stop after this number of epochs without a new lowest ``loss`` of validation records, and
        keep the weights of the lowest; ``epochs`` is then a maximum. The records, an array or the
        path of a .npy file, must not be in X; a run keeps their hash as a part of the model.
    noise_seed
        Seed of the noise of levels; a run sets it once for all its fits.
    random_state
        Seed of initial weights, batches and samples.
    device
        PyTorch device.

    Attributes
    ----------
    losses_ : list of float
        Mean of minus log p in each epoch, nats per record.
    levels_ : int or list of str
        ``levels`` as given or recognized.
    n_features_in_ : int
        Number of values per record.
    facts_ : dict
        "levels": as ``levels_``, for a number of levels. With ``dp``, "privacy": a
        ``byrote.models.DPGuarantee``. With ``patience``, "stopped": the epoch whose weights are
        kept, the number of epochs, and the loss.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(10, 2, size=(100, 2))
    >>> model = Flow(kind="affine", epochs=20, random_state=0).fit(x)
    >>> model.score_samples(x).shape, model.sample(3).shape
    ((100,), (3, 2))
    >>> model.levels_
    ['real', 'real']
    """

    takes_pixels = True  # bytes of images are levels, and stay bytes in memory
    takes_units = True  # it standardizes tables itself, after the noise of whole numbers
    private_parameters = ("validation",)

    def __init__(
        self,
        kind: str = "nsf",
        *,
        transforms: int = 3,
        hidden: Sequence[int] = (64, 64),
        bins: int = 8,
        levels: int | str | Sequence[str] | None = None,
        epochs: int = 100,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        dp: DP | None = None,
        patience: int | None = None,
        validation: ArrayLike | str | Path | None = None,
        noise_seed: int = 0,
        random_state: int | None = None,
        device: str = "cpu",
    ) -> None:
        self.kind = kind
        self.transforms = transforms
        self.hidden = hidden
        self.bins = bins
        self.levels = levels
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dp = dp
        self.patience = patience
        self.validation = validation
        self.noise_seed = noise_seed
        self.random_state = random_state
        self.device = device

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True  # images (n, h, w) or (n, h, w, c), unflattened
        return tags

    def prepared(self, X: Any) -> tuple[Self, Any]:
        """Return a copy with ``levels`` as recognized in all records, and X.

        Raises
        ------
        InvalidInput
            If a parameter is not valid, a column is constant, or levels are unusable.
        """
        parameters.check_parameters(self)
        columns = X.columns if isinstance(X, Records) else None
        if columns is not None and columns.first_not_number() is not None:
            return self, X  # a run refuses such tables
        x = X.x if isinstance(X, Records) else as_records(X)
        names = None if columns is None else columns.names
        levels = parameters.resolved_levels(self.levels, x, names)
        return clone(self).set_params(levels=levels), X

    def check_input(self, X: ArrayLike) -> None:
        """Refuse records that the model cannot describe, before any fit.

        Raises
        ------
        InvalidInput
            If a parameter is not valid; a column is constant; values are not those of ``levels``;
            no noise meets the guarantee of ``dp``; or validation records are unusable, or among X.
        """
        self._checked_space(as_records(X))

    def _checked_space(self, x: NDArray[Any]) -> tuple[Any, Space]:
        parameters.check_parameters(self)
        levels = parameters.resolved_levels(self.levels, x)
        space = parameters.space_of(self, levels, math.prod(x.shape[1:]))
        space.learn(x)
        space.check(x)
        private_training(self, len(x))
        if self.validation is not None:
            check_validation(self.validation, space, x)
        return levels, space

    def file_hashes(self) -> dict[str, str]:
        """Return the hash of the file of validation records, if any: a part of the model."""
        return identity.hash_files(validation=self.validation)

    def fit(self, X: ArrayLike, y: object = None, *, on_epoch: OnEpoch | None = None) -> "Flow":
        """Train on X, (n, d) or images.

        ``on_epoch(epoch, losses)`` is called after each epoch with its number, from 1, and
        ``{"train": mean of minus log p, nats per record}``; it may score.

        Raises
        ------
        InvalidInput
            If a parameter or a value of X is not valid.
        TrainingDiverged
            If the loss of an epoch, or a weight at the end, is not finite.
        """
        del y
        x = as_records(X)
        levels, space = self._checked_space(x)
        with flushed_denormals():
            self._initialize(levels, space, x.shape[1:])
            private = private_training(self, len(x))
            if private is not None:
                self.facts_["privacy"] = private.guarantee(self.network_)
            after_epoch = after_epoch_of(self, on_epoch)
            train(self, x, self._generator(Stream.TRAINING), private, after_epoch)
            self.facts_.update(after_epoch.finish())
        check_weights(self.network_, remedy(self))
        return self

    def _initialize(self, levels: Any, space: Space, shape: tuple[int, ...]) -> None:
        self.levels_, self.space_, self.shape_ = levels, space, shape
        self.n_features_in_ = math.prod(shape)
        self.network_: Density = untrained(self, self.n_features_in_)
        self.losses_: list[float] = []
        self.facts_: dict[str, Any] = {"levels": levels} if isinstance(levels, int) else {}

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute log p(x), (n,) nats: in the units of tables, per level of images.

        Raises
        ------
        InvalidInput
            If records have another shape than in training, or values other than the levels.
        """
        check_is_fitted(self)
        x = as_records(X)
        if x.shape[1:] != self.shape_:
            raise InvalidInput(f"X must hold records of shape {self.shape_}; got {x.shape[1:]}")
        self.space_.check(x)
        with flushed_denormals():
            return log_prob(self, x)

    def loss(self, X: ArrayLike) -> float:
        """Compute the mean of minus log p, in nats per record."""
        return -self.score(X)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Compute the mean of ``score_samples``, in nats per record."""
        del y
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1) -> NDArray[Any]:
        """Draw records from the model, ``(n_samples, *shape)``."""
        check_is_fitted(self)
        n_samples = checks.integer("n_samples", n_samples, at_least=1)
        y = draw_inputs(self.network_, n_samples, self._generator(Stream.SAMPLE))
        return self.space_.records(y).reshape(n_samples, *self.shape_)

    def get_weights(self) -> dict[str, NDArray[np.generic]]:
        """Return everything learned, as arrays by name, for ``set_weights``."""
        check_is_fitted(self)
        space = {f"{_SPACE}{name}": value for name, value in self.space_.arrays().items()}
        shape = np.array(self.shape_, dtype=np.int64)
        return {SHAPE: shape, **space, **torch_utils.to_arrays(self.network_)}

    def set_weights(self, arrays: Mapping[str, ArrayLike]) -> "Flow":
        """Make this a fitted flow by weights from ``get_weights`` of one with the same parameters.

        Raises
        ------
        InvalidInput
            If the weights do not fit the parameters.
        """
        parameters.check_parameters(self)
        shape = record_shape(arrays)
        parameters.check_weight_sizes(self, arrays, math.prod(shape))
        parts = {name.removeprefix(_SPACE): arrays[name] for name in arrays if _SPACE in name}
        loaded = clone(self)
        loaded._initialize(*parameters.loaded_space(self, parts, math.prod(shape)), shape)
        network = {n: v for n, v in arrays.items() if n != SHAPE and _SPACE not in n}
        torch_utils.load(loaded.network_, network, of="Flow's parameters")
        torch_utils.adopt(self, loaded)
        return self

    def _generator(self, stream: Stream) -> torch.Generator:
        return generator_from(seed_of(self.random_state, stream), self.device)
