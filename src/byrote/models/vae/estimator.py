"""The variational auto-encoder as a scikit-learn density estimator."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import clone

from byrote.models import files
from byrote.models.contract import OnEpoch
from byrote.models.divergence import check_loss, check_weights
from byrote.models.privacy import DP
from byrote.models.torch_state import flushed_denormals
from byrote.models.vae import assembly, scale, settings, weights
from byrote.models.vae.course import Course
from byrote.models.vae.fitted import Fitted
from byrote.models.vae.private import facts, private_of
from byrote.models.vae.spaces import Space, as_given
from byrote.models.vae.streams import Stream
from byrote.models.vae.training import Schedule, train
from byrote.models.vae.validation import checked


class VAE(Fitted):
    """Variational auto-encoder with the paper's networks and likelihoods (Table 1).

    Gaussian encoder with diagonal covariance, standard normal prior. For a Bernoulli likelihood
    values in [0, 1] are probabilities of binary pixels, made binary anew at every training step;
    for a Gaussian they are pixels, dequantized anew and modelled in logit space.

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
        Of the convolutional network: "batch", as in the paper, or "group" (32 groups of maps), in
        which records do not meet.
    likelihood
        "bernoulli"; "gaussian", its variances from the decoder; "shared-gaussian", with one learned
        variance; "logistic-mixture", over the 256 levels of a pixel.
    space
        In what form the model sees records: "binary" draws, dequantized pixels in "logit" space,
        "levels" of pixels, or "real" values as they are, for tables of numbers (Gaussians only)
        whose columns are near mean 0 and standard deviation 1, with a density in their units.
        "auto" is binary, logit or levels, by likelihood.
    flips
        Mirror images at random in training, each with probability 1/2 whenever it is seen.
    epochs, batch_size, learning_rate
        Training with Adam; the other settings of Adam are PyTorch's defaults.
    weight_decay
        In [0, 1): the network's weights shrink by ``learning_rate * weight_decay`` of themselves at
        each step, apart from the gradient (AdamW); the parameters of densities do not.
    robust
        Beta in [0, 1) of the beta-divergence that training minimises in place of minus log p(x | z)
        (Akrami et al. 2022), so that a record of small p(x | z) counts less; 0 for minus log p. A
        record's gradient is weighed by about p(x | z)^beta: sensible values are of the size of one
        over the nats in which records differ, 0.01 and less for images. Not for mixtures of
        logistics. Scores are log p as ever; only ``losses_`` are of the robust cost.
    outlier
        Weight w in (0, 1), or "learned" (from 0.01), of a broad component: the likelihood is
        (1 - w) p(x | z) + w p0(x), p0 from the training records' marginals, value by value. The
        decoder need not learn a record that p0 takes. Not for mixtures of logistics.
    dp
        A ``byrote.models.DP``: differentially private training, here with Adam, in float32 and
        uncompiled. What it promises, about a record, is in ``facts_``. A convolutional network
        needs ``normalization="group"``.
    patience, validation
        Stop after so many epochs in which the ``loss`` of validation records reached no new low,
        and keep the weights of the lowest; ``epochs`` is then the most. The records, an array or
        the path of a .npy file, are none of X; a run keeps their hash as a part of what model it
        is.
    draws
        Importance samples N per record in ``score_samples``.
    defensive
        Share, in [0, 1), of importance samples from a widened encoder (1.5 times its standard
        deviations): against weights without variance, at some cost elsewhere.
    redraw
        How records get their noise (binary draw, dequantization) when they are scored. False: one
        fixed draw per record, from its content and ``noise_seed``, the same in every fit. True: a
        new draw per fit, the authors' way, which adds the draw's variance to every score.
    noise_seed
        Seed of the fixed draw; a run sets it once for all its fits.
    random_state
        Seed of initial weights, batches and training noise at ``fit``, and of the importance
        samples at ``score_samples``, whose result is therefore repeatable.
    device
        PyTorch device.
    precision
        In which matrices are multiplied: "float32"; "bfloat16", several times as fast on processors
        with units for it, for the fully connected network with Bernoulli pixels; or "auto", the
        latter where it is clearly faster, by the clock: once in a process, and once in a run, which
        keeps to it.
    compile
        True to train and score by compiled functions (PyTorch's compiler, which needs one for C++;
        half a minute at the start), False not to, "auto" where that is possible and worth it. A
        convolutional network is only scored so.

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
        the head start in nats that the decoder still had at the end of training. With ``dp``,
        "privacy": the epsilon that was spent, how, and whether it promises anything. With
        ``patience``, "stopped": the epoch whose weights are kept, of how many, and its loss.

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
        likelihood: str = "bernoulli",
        space: str = "auto",
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
        draws: int = 256,
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
            If a value is outside [0, 1] (unless ``space="real"``) or between levels; a column is
            far from mean 0 and standard deviation 1 with ``space="real"``; the network takes no
            records of this shape; no noise keeps the promise of ``dp``; validation records are no
            such records, or among them; or a parameter cannot be used.
        """
        scale.refuse(self._checked_space(X), as_given(X))

    def _checked_space(self, X: ArrayLike) -> Space:
        settings.check_parameters(self)
        x = as_given(X)
        settings.check_shape(self, x.shape[1:])
        space = assembly.space_for(self, x.shape[1:])
        space.check(x)
        private_of(self, len(x))
        if self.validation is not None:
            checked(self.validation, space, x)
        return space

    def file_hashes(self) -> dict[str, str]:
        """Of the file of validation records, if there is one: a part of what model this is."""
        return files.hashes(validation=self.validation)

    def fit(self, X: ArrayLike, y: object = None, *, on_epoch: OnEpoch | None = None) -> "VAE":
        """Train on X, (n, d) or images, values in [0, 1], or images of bytes.

        With ``space="real"`` values may be any, and columns that are far from mean 0 and standard
        deviation 1 bring a warning: densities are then off by many nats.

        ``on_epoch(epoch, losses)`` is called after each epoch with its number, from 1, and
        ``{"train": mean negative bound, nats per record}``. It may score.

        Raises
        ------
        InvalidInput
            If a parameter or a value of X cannot be used.
        TrainingDiverged
            If the loss of an epoch, or a weight at the end, is not finite.
        """
        del y
        space, x = self._checked_space(X), as_given(X)
        scale.warn(space, x)
        assembly.arithmetic_for(self, x.shape).check(self.device)
        with flushed_denormals():
            self._make(x.shape)
            course = Course(self, x, self._recorder(on_epoch))
            times = (self.epochs, self.batch_size, self.learning_rate)
            arithmetic, dp = self.arithmetic_, private_of(self, len(x))
            schedule = Schedule(*times, self.flips, arithmetic, self.weight_decay, dp)
            self.facts_.update(facts(dp, self.network_))
            train(
                self.network_,
                x,
                self.space_,
                schedule,
                self._generator(Stream.TRAINING),
                course,
            )
            self.facts_.update(course.finished())
        check_weights(self.network_, settings.way_out(self))
        return self

    def set_weights(self, arrays: Mapping[str, ArrayLike]) -> "VAE":
        """Make this a fitted VAE with weights from ``get_weights`` of one with the same parameters.

        Raises
        ------
        InvalidInput
            If the weights do not fit the parameters.
        """
        settings.check_parameters(self)
        weights.check_sizes(self, arrays)
        shape = weights.record_shape(arrays)
        settings.check_shape(self, shape)
        made = clone(self)._make((0, *shape))
        weights.load(made.network_, arrays)
        for name, value in vars(made).items():
            if name.endswith("_"):
                setattr(self, name, value)
        return self

    def settled(self, shape: tuple[int, ...], fits: int = 1) -> "VAE":
        """A copy without "auto": what suits this machine, records of shape (n, ...) and fits."""
        return clone(self).set_params(**assembly.settled(self, shape, fits))

    def _make(self, shape: tuple[int, ...]) -> "VAE":
        """An untrained network for records of shape (n, ...)."""
        self.arithmetic_ = assembly.arithmetic_for(self, shape)
        self.space_ = assembly.space_for(self, shape[1:])
        self.network_ = assembly.untrained(self, self.space_)
        self.n_features_in_ = math.prod(shape[1:])
        self.losses_: list[float] = []
        self.facts_: dict[str, Any] = {}
        return self

    def _recorder(self, on_epoch: OnEpoch | None) -> Callable[[int, float], None]:
        def record(epoch: int, loss: float) -> None:
            self.losses_.append(loss)
            if self.patience is None and self.dp is None:  # which may end well all the same
                check_loss(loss, f"epoch {epoch}", settings.way_out(self))
            if on_epoch is not None:
                on_epoch(epoch, {"train": loss})

        return record
