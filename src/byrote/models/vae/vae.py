"""The variational auto-encoder as a scikit-learn density estimator."""

import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import clone

from byrote.errors import InvalidInput
from byrote.models import identity, torch_utils
from byrote.models.contract import OnEpoch
from byrote.models.early_stopping import check_validation
from byrote.models.privacy import DP
from byrote.models.privacy.dp_sgd import private_training
from byrote.models.spaces import Space, as_records, scale_problem
from byrote.models.torch_utils import Stream, check_weights, flushed_denormals, loss_recorder
from byrote.models.vae import parameters
from byrote.models.vae.auto_arithmetic import arithmetic_for, resolve_auto
from byrote.models.vae.autoencoder import untrained
from byrote.models.vae.fitted_vae import FittedVAE, check_weight_sizes
from byrote.models.vae.training import AfterEpochOfVAE, Schedule, train


class VAE(FittedVAE):
    """Variational auto-encoder with the paper's networks and likelihoods (Table 1).

    Gaussian encoder with diagonal covariance, standard normal prior. With a Bernoulli likelihood
    values in [0, 1] are probabilities of binary pixels, binarized anew at every training step; with
    a Gaussian they are pixels, dequantized anew and modelled in logit space.

    Parameters
    ----------
    latent_dim
        Size of the latent space.
    network
        "fully-connected" (``hidden``) or "convolutional" (``features``; 32 x 32 images only).
    hidden
        Widths of the fully connected encoder's hidden layers; the decoder mirrors them.
    features
        Feature multiplier F of the convolutional network.
    normalization
        Normalization in the convolutional network: "batch", as in the paper, or "group" (32 groups
        of maps), which does not mix records.
    likelihood
        "bernoulli"; "gaussian", with variances from the decoder; "shared-gaussian", with one
        learned variance; "logistic-mixture", over the 256 levels of a pixel; "mixed", for tables of
        numbers (Gaussian), categories and missing values. "auto": mixed for tables, or Bernoulli.
    space
        Form in which the model sees records: "binary" draws, dequantized pixels in "logit" space,
        "levels" of pixels, or "real" values, unchanged, for tables of numbers (Gaussians only)
        whose columns are near mean 0 and standard deviation 1, with a density in their units.
        "auto" is binary, logit or levels, by likelihood; "columns" for mixed.
    columns
        What the columns of a table hold, for a mixed likelihood: "number", "number?" (some are
        missing) or a number of categories, coded from 0. A run sets it from its table.
    flips
        Mirror images at random in training, each time with probability 1/2.
    epochs, batch_size, learning_rate
        Training with Adam; the other settings of Adam are PyTorch's defaults.
    weight_decay
        In [0, 1): the network's weights shrink by ``learning_rate * weight_decay`` of themselves at
        each step, separately from the gradient (AdamW); the parameters of densities do not.
    robust
        Beta in [0, 1) of the beta-divergence minimized in training instead of minus log p(x | z)
        (Akrami et al. 2022); 0 for minus log p. A record's gradient is weighed by about
        p(x | z)^beta: sensible values are about one over the nats by which records differ, 0.01 and
        less for images. Not for mixtures of logistics. Scores remain log p; only ``losses_`` are of
        the robust cost.
    outlier
        Weight w in (0, 1), or "learned" (from 0.01), of a broad component: the likelihood is
        (1 - w) p(x | z) + w p0(x), p0 from the training records' marginals, value by value. The
        decoder need not learn a record that p0 takes. Not for mixtures of logistics.
    dp
        A ``byrote.models.DP``: differentially private training, here with Adam, in float32 and
        uncompiled. Its guarantee, about a record, is in ``facts_``. A convolutional network needs
        ``normalization="group"``.
    patience, validation
        Stop after this number of epochs without a new lowest ``loss`` of validation records, and
        keep the weights of the lowest; ``epochs`` is then a maximum. The records, an array or the
        path of a .npy file, must not be in X; a run keeps their hash as a part of the model.
    draws
        Number N of importance samples per record in ``score_samples``; "auto" is 256, or fewer in
        runs where retraining is so noisy that ``mean_log`` is at most 5 % less exact by them.
    defensive
        Share, in [0, 1), of the encoder's importance samples from a widened one (1.5 times its
        standard deviations): bounds the variance of weights, at some cost elsewhere.
    redraw
        Noise of records (binary draw, dequantization) in scoring. False: one fixed draw per record,
        from its content and ``noise_seed``, the same in every fit. True: a new draw per fit, as the
        authors do, which adds the draw's variance to every score.
    noise_seed
        Seed of the fixed draw; a run sets it once for all its fits.
    random_state
        Seed of initial weights, batches and training noise in ``fit``, and of the importance
        samples in ``score_samples``, whose result is therefore repeatable.
    device
        PyTorch device.
    precision
        Precision of matrix products: "float32"; "bfloat16", for the fully connected network with
        Bernoulli pixels, several times as fast on processors with units for it; or "auto", the
        latter if it is clearly faster when timed, once per process, and once for all fits of a run.
    compile
        True to train and score by compiled functions (PyTorch's compiler needs one for C++; half a
        minute at the start), False not to, "auto" if that is possible and worth it. A convolutional
        network is compiled only for scoring.

    Attributes
    ----------
    losses_ : list of float
        Mean negative evidence lower bound of each epoch, nats per record.
    n_features_in_ : int
        Number of values per record.
    diagnostics_ : dict of str to (n,) float32
        Of the last ``score_samples``: "mc_error" (nats), "effective_sample_size" and "k_hat" of
        each record (see ``ImportanceSampling``); with ``outlier``, "outlier" is the posterior
        probability that the record is of that component.
    facts_ : dict
        With ``outlier``, "outlier": its weight, the share of training records that it takes, and
        the decoder's head start, nats, at the end of training. With ``dp``, "privacy": a
        ``byrote.models.DPGuarantee``. With ``patience``, "stopped": the epoch whose weights are
        kept, the number of epochs, and the loss.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).random((20, 6))
    >>> model = VAE(latent_dim=2, hidden=(8,), epochs=2, draws=16, random_state=0).fit(x)
    >>> model.score_samples(x).shape, model.sample(3).shape
    ((20,), (3, 6))
    >>> bool((model.importance(x).effective_sample_size <= 16).all())
    True
    """

    takes_pixels = True  # bytes of images stand for 255ths, and stay bytes in memory
    private_parameters = ("validation",)

    def __init__(
        self,
        latent_dim: int = 16,
        *,
        network: str = "fully-connected",
        hidden: Sequence[int] = (512, 256),
        features: int = 32,
        normalization: str = "batch",
        likelihood: str = "auto",
        space: str = "auto",
        columns: Sequence[str | int] | None = None,
        flips: bool = False,
        epochs: int = 100,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        robust: float = 0.0,
        outlier: float | str | None = None,
        dp: DP | None = None,
        patience: int | None = None,
        validation: ArrayLike | str | Path | None = None,
        draws: int | str = 256,
        defensive: float = 0.0,
        redraw: bool = False,
        noise_seed: int = 0,
        random_state: int | None = None,
        device: str = "cpu",
        precision: str = "auto",
        compile: str | bool = "auto",  # noqa: A002 (the name in PyTorch)
    ) -> None:
        self.latent_dim = latent_dim
        self.network = network
        self.hidden = hidden
        self.features = features
        self.normalization = normalization
        self.likelihood = likelihood
        self.space = space
        self.columns = columns
        self.flips = flips
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.robust = robust
        self.outlier = outlier
        self.dp = dp
        self.patience = patience
        self.validation = validation
        self.draws = draws
        self.defensive = defensive
        self.redraw = redraw
        self.noise_seed = noise_seed
        self.random_state = random_state
        self.device = device
        self.precision = precision
        self.compile = compile

    def check_input(self, X: ArrayLike) -> None:
        """Refuse records that the model cannot describe, before any fit.

        Raises
        ------
        InvalidInput
            If a parameter is not valid; values are outside [0, 1] (unless ``space="real"``) or
            between levels; a column is far from mean 0 and standard deviation 1 with
            ``space="real"``; the network does not take records of this shape; no noise meets the
            guarantee of ``dp``; or validation records are unusable, or among X.
        """
        problem = scale_problem(self._checked_space(X), as_records(X))
        if problem is not None:
            raise InvalidInput(problem)

    def _checked_space(self, X: ArrayLike) -> Space:
        parameters.check_parameters(self)
        x = as_records(X)
        parameters.check_shape(self, x.shape[1:])
        space = parameters.space_for(self, x.shape[1:])
        space.check(x)
        private_training(self, len(x))
        if self.validation is not None:
            check_validation(self.validation, space, x)
        return space

    def file_hashes(self) -> dict[str, str]:
        """Return the hash of the file of validation records, if any: a part of the model."""
        return identity.hash_files(validation=self.validation)

    def fit(self, X: ArrayLike, y: object = None, *, on_epoch: OnEpoch | None = None) -> "VAE":
        """Train on X, (n, d) or images: values in [0, 1], or uint8.

        With ``space="real"`` values are not limited; columns far from mean 0 and standard deviation
        1 cause a warning, as densities are then off by many nats. ``on_epoch(epoch, losses)`` is
        called after each epoch with its number, from 1, and ``{"train": mean negative bound, nats
        per record}``; it may score.

        Raises
        ------
        InvalidInput
            If a parameter or a value of X is not valid.
        TrainingDiverged
            If the loss of an epoch, or a weight at the end, is not finite.
        """
        del y
        space, x = self._checked_space(X), as_records(X)
        problem = scale_problem(space, x)
        if problem is not None:  # of a part; check_input refuses the whole
            warnings.warn(problem, stacklevel=2)
        arithmetic_for(self, x.shape).check(self.device)
        with flushed_denormals():
            self._initialize(x.shape)
            may_recover = self.patience is not None or self.dp is not None
            remedy = None if may_recover else parameters.remedy(self)
            report = loss_recorder(self.losses_, on_epoch, report="epoch", remedy=remedy)
            after_epoch = AfterEpochOfVAE(self, x, report)
            private = private_training(self, len(x))
            if private is not None:
                self.facts_["privacy"] = private.guarantee(self.network_)
            schedule = Schedule(
                self.epochs, self.batch_size, self.learning_rate, self.flips, self.arithmetic_,
                self.weight_decay, private,
            )  # fmt: skip
            generator = self._generator(Stream.TRAINING)
            train(self.network_, x, self.space_, schedule, generator, after_epoch)
            self.facts_.update(after_epoch.finish())
            self.facts_["model"] = {
                "parameters": sum(w.numel() for w in self.network_.parameters())
            }
        check_weights(self.network_, parameters.remedy(self))
        return self

    def set_weights(self, arrays: Mapping[str, ArrayLike]) -> "VAE":
        """Make this a fitted VAE with weights from ``get_weights`` of one with the same parameters.

        Raises
        ------
        InvalidInput
            If the weights do not fit the parameters.
        """
        parameters.check_parameters(self)
        check_weight_sizes(self, arrays)
        shape = torch_utils.record_shape(arrays)
        parameters.check_shape(self, shape)
        loaded = clone(self)._initialize((0, *shape))
        network = {name: value for name, value in arrays.items() if name != torch_utils.SHAPE}
        torch_utils.load(loaded.network_, network, of="VAE's parameters")
        torch_utils.adopt(self, loaded)
        return self

    def settled(self, shape: tuple[int, ...], fits: int = 1) -> "VAE":
        """Return a copy without "auto", for this machine, records of shape (n, ...) and fits."""
        return clone(self).set_params(**resolve_auto(self, shape, fits))

    def _initialize(self, shape: tuple[int, ...]) -> "VAE":
        self.arithmetic_ = arithmetic_for(self, shape)
        self.space_ = parameters.space_for(self, shape[1:])
        self.network_ = untrained(self, self.space_)
        self.n_features_in_ = math.prod(shape[1:])
        self.losses_: list[float] = []
        self.facts_: dict[str, Any] = {}
        return self
