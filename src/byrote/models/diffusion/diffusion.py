"""The diffusion model as a scikit-learn density estimator."""

import math
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import clone

from byrote.errors import InvalidInput
from byrote.models import identity, torch_utils
from byrote.models.contract import OnEpoch
from byrote.models.diffusion import parameters
from byrote.models.diffusion.auto_precision import precision_of
from byrote.models.diffusion.denoiser import Denoiser, moments
from byrote.models.diffusion.fitted_diffusion import FittedDiffusion
from byrote.models.diffusion.networks import U_NET, chosen_network, untrained
from byrote.models.diffusion.pixels import space_of
from byrote.models.diffusion.pretrained import PretrainedDenoiser, shape_of
from byrote.models.diffusion.training import Schedule, input_blocks, train
from byrote.models.early_stopping import (
    AfterEpoch,
    EarlyStopping,
    check_validation,
    validation_records,
)
from byrote.models.spaces import Space, as_records, scale_problem
from byrote.models.torch_utils import Stream, check_weights, flushed_denormals, loss_recorder


class Diffusion(FittedDiffusion):
    """Diffusion model for rows of numbers and small images, trained by maximum likelihood.

    A network learns to take noise of all levels between ``sigma_min`` and ``sigma_max`` away
    (preconditioned as in Karras et al. 2022), which bounds log p of records with noise
    ``sigma_min``. Levels are in units of what the network sees: images on [-1, 1], rows as they
    are, near mean 0 and standard deviation 1.

    Parameters
    ----------
    network
        "fully-connected" (``hidden``), "u-net" (``features``; images whose sides are multiples of
        4) or "auto": the U-Net for images from 16 x 16.
    hidden
        Widths of the fully connected layers.
    features
        Feature maps of the U-Net at half of the image's side; twice as many at a quarter.
    classes
        Number of labels that are conditions, ``y`` from 0 to ``classes`` - 1 in ``fit`` and
        ``score_samples``, in a run those of the records; None for a model without conditions.
    epochs, batch_size, learning_rate
        Training with Adam, PyTorch's defaults otherwise.
    patience, validation
        Stop after this number of epochs without a new lowest ``loss`` of validation records, and
        keep the weights of the lowest; ``epochs`` is then a maximum. The records, an array or the
        path of a .npy file, must not be in X; a run keeps their hash as a part of the model.
    sigma_min, sigma_max
        Lowest and highest level of noise. The lowest is a part of the question: scores are of
        records with this noise, grow without bound as it goes to 0, and are compared only with
        those of the same.
    levels, draws
        Levels of noise at which I-MMSE integrates, evenly spaced in log sigma, and draws of noise
        at each. Noise is from the record's content and ``noise_seed``, the same in every fit.
    estimator
        Of log p in ``score_samples``: "i-mmse"; "both", which adds that of the probability-flow ODE
        to ``diagnostics_``; or "ode", likewise, with the ODE's as the result. The ODE of a learned
        network has outliers that no number of steps cures.
    steps
        Steps of Heun's method in the ODE and in ``sample``.
    noise_seed
        Seed of the records' noise in scoring; a run sets it once for all its fits.
    random_state
        Seed of initial weights, batches and noise in ``fit``, and of ``sample``.
    device
        PyTorch device.
    precision
        Precision of matrix products: "float32", "bfloat16", or "auto", the latter if it is clearly
        faster when timed, once per process, and once for all fits of a run. The ODE and samples are
        always in float32.

    Attributes
    ----------
    losses_ : list of float
        Mean bound on minus log p of each epoch, nats per record.
    n_features_in_ : int
        Number of values per record.
    diagnostics_ : dict of str to (n,) float32
        Of the last ``score_samples``: "mc_error" (nats) of I-MMSE, due to the noise alone. With the
        ODE also "i_mmse" and "ode" (nats), and "estimates_differ": 1 where they differ by more than
        d/2 nats and four Monte Carlo errors (``scoring.differing``).
    facts_ : dict
        "sigma_min". With ``patience``, "stopped": the epoch whose weights are kept, the number of
        epochs, and the loss.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> model = Diffusion(hidden=(16,), epochs=2, estimator="both", random_state=0).fit(x)
    >>> model.score_samples(x).shape, model.sample(3).shape
    ((40,), (3, 3))
    >>> sorted(model.diagnostics_)
    ['estimates_differ', 'i_mmse', 'mc_error', 'ode']
    """

    takes_pixels = True  # bytes of images stand for 255ths, and stay bytes in memory
    private_parameters = ("validation",)

    def __init__(
        self,
        network: str = "auto",
        *,
        hidden: Sequence[int] = (256, 256, 256),
        features: int = 32,
        classes: int | None = None,
        epochs: int = 200,
        batch_size: int = 64,
        learning_rate: float = 2e-3,
        patience: int | None = None,
        validation: ArrayLike | str | Path | None = None,
        sigma_min: float = 0.02,
        sigma_max: float = 80.0,
        levels: int = 64,
        draws: int = 2,
        estimator: str = "i-mmse",
        steps: int = 64,
        noise_seed: int = 0,
        random_state: int | None = None,
        device: str = "cpu",
        precision: str = "auto",
    ) -> None:
        self.network = network
        self.hidden = hidden
        self.features = features
        self.classes = classes
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.patience = patience
        self.validation = validation
        self.sigma_min = sigma_min
        self.sigma_max = sigma_max
        self.levels = levels
        self.draws = draws
        self.estimator = estimator
        self.steps = steps
        self.noise_seed = noise_seed
        self.random_state = random_state
        self.device = device
        self.precision = precision

    @classmethod
    def of(
        cls, network: Any, scheduler: Any, shape: tuple[int, ...] | None = None, **settings: Any
    ) -> "Diffusion":
        """Wrap a network that was trained elsewhere, with its scheduler, as a fitted model.

        ``network`` is a PyTorch module such as ``UNet2DModel`` of the diffusers library, which is
        used without a copy, on its device and without conditions, and sees images on [-1, 1];
        ``scheduler`` has its ``alphas_cumprod``. Levels of noise are the network's own. ``shape``
        is that of a record (default: from the network's ``config``), ``settings`` are parameters of
        scoring: ``levels``, ``draws``, ``estimator``, ``steps``, ``noise_seed``.

        Raises
        ------
        InvalidInput
            If the scheduler or a setting cannot be read.
        """
        shape = shape_of(network, shape)
        channels = shape[2:] or (1,) if len(shape) > 1 else ()
        denoiser = PretrainedDenoiser(network, scheduler, (*channels, *shape[:2]))
        ends = {"sigma_min": denoiser.sigma_min, "sigma_max": denoiser.sigma_max}
        model = cls(
            **{"precision": "float32", "device": str(denoiser.mean.device)} | settings | ends
        )
        parameters.check_parameters(model)
        model._adopt(denoiser, shape)
        return model

    def check_input(self, X: ArrayLike) -> None:
        """Refuse records that the model cannot describe, before any fit.

        Raises
        ------
        InvalidInput
            If a parameter is not valid; images have values outside [0, 1]; a column of rows is
            constant, or far from mean 0 and standard deviation 1; the network does not take records
            of this shape; or validation records are unusable, or among X.
        """
        space, x = self._checked_space(X), as_records(X)
        problem = scale_problem(space, x) or parameters.constancy_problem(space, x)
        if problem is not None:
            raise InvalidInput(problem)

    def _checked_space(self, X: ArrayLike) -> Space:
        parameters.check_parameters(self)
        x = as_records(X)
        parameters.check_shape(self, x.shape[1:])
        space = space_of(x.shape[1:], self.device)
        space.check(x)
        if self.validation is not None:
            check_validation(self.validation, space, x)
        return space

    def file_hashes(self) -> dict[str, str]:
        """Return the hash of the file of validation records, if any: a part of the model."""
        return identity.hash_files(validation=self.validation)

    def fit(
        self, X: ArrayLike, y: ArrayLike | None = None, *, on_epoch: OnEpoch | None = None
    ) -> "Diffusion":
        """Train on X, rows of numbers (n, d) or images in [0, 1] or uint8, and labels y.

        Columns of rows far from mean 0 and standard deviation 1 cause a warning, as a network
        learns their density slowly. ``on_epoch(epoch, losses)`` is called after each epoch with its
        number, from 1, and ``{"train": mean bound on minus log p, nats per record}``; it may score.

        Raises
        ------
        InvalidInput
            If a parameter or a value of X or y is not valid.
        TrainingDiverged
            If the loss of an epoch, or a weight at the end, is not finite.
        """
        space, x = self._checked_space(X), as_records(X)
        labels = parameters.checked_labels(self.classes, y, len(x))
        problem = scale_problem(space, x)
        if problem is not None:  # of a part; check_input refuses the whole
            warnings.warn(problem, stacklevel=2)
        with flushed_denormals():
            denoiser = self._initialize(x.shape[1:])
            denoiser.learn_moments(*moments(input_blocks(space, x)))
            remedy = parameters.remedy(self)
            may_recover = self.patience is not None
            report = loss_recorder(
                self.losses_, on_epoch, report="epoch", remedy=None if may_recover else remedy
            )
            after_epoch = AfterEpoch(report, self._early_stopping())
            schedule = Schedule(self.epochs, self.batch_size, self.learning_rate, self.dtype_)
            conditions = parameters.as_tensor(labels, self.device)
            generator = self._generator(Stream.TRAINING)
            train(denoiser, x, conditions, space, schedule, generator, after_epoch)
            self.facts_.update(after_epoch.finish())
        check_weights(denoiser, remedy)
        return self

    def set_weights(self, arrays: Mapping[str, ArrayLike]) -> "Diffusion":
        """Make this a fitted model with weights from ``get_weights`` of one with these parameters.

        Raises
        ------
        InvalidInput
            If the weights do not fit the parameters.
        """
        parameters.check_parameters(self)
        shape = torch_utils.record_shape(arrays)
        parameters.check_shape(self, shape)
        is_u_net = chosen_network(self.network, shape) == U_NET
        torch_utils.check_sizes(
            arrays,
            of="Diffusion's parameters",
            layers=0 if is_u_net else len(self.hidden),
            hidden=0 if is_u_net else max(self.hidden),
            features=self.features if is_u_net else 0,
            classes=self.classes or 0,
        )
        loaded = clone(self)
        network = {name: value for name, value in arrays.items() if name != torch_utils.SHAPE}
        torch_utils.load(loaded._initialize(shape), network, of="Diffusion's parameters")
        torch_utils.adopt(self, loaded)
        return self

    def settled(self, shape: tuple[int, ...], fits: int = 1) -> "Diffusion":
        """Return a copy without "auto", for this machine and records of shape (n, ...)."""
        del fits
        parameters.check_parameters(self)
        return clone(self).set_params(precision=precision_of(self, shape[1:]))

    def _initialize(self, shape: tuple[int, ...]) -> Denoiser:
        network = untrained(self, shape, self.classes or 0)
        denoiser = Denoiser(network, math.prod(shape), self.sigma_min, self.sigma_max)
        self._adopt(denoiser.to(self.device), shape)
        return denoiser

    def _early_stopping(self) -> EarlyStopping | None:
        if self.patience is None:
            return None
        loss = partial(self.loss, validation_records(self.validation))
        return EarlyStopping(self.denoiser_, loss, self.patience)
