"""Small density estimators with known behaviour, importable by worker processes."""

import os
import random
import signal
import time
import warnings
from pathlib import Path
from typing import ClassVar

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.base import BaseEstimator, DensityMixin


class KnownVariance(DensityMixin, BaseEstimator):
    """Gaussian with known unit variance and fitted mean: scores have a closed form."""

    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        return self

    def score_samples(self, X):
        return norm.logpdf(X, self.mean_).sum(axis=1)


class Kernel(DensityMixin, BaseEstimator):
    """Gaussian kernel density of bandwidth 1, by its definition."""

    def fit(self, X, y=None):
        self.X_ = X
        return self

    def score_samples(self, X):
        squared = ((X[:, None] - self.X_[None]) ** 2).sum(axis=2)
        constant = 0.5 * X.shape[1] * np.log(2 * np.pi) + np.log(len(self.X_))
        return logsumexp(-squared / 2, axis=1) - constant


class PureNoise(DensityMixin, BaseEstimator):
    """Log-likelihoods that are retraining noise alone: nothing is ever learned.

    common adds one shift per fit to all records.
    """

    def __init__(self, spread=1.0, common=0.0, random_state=None):
        self.spread = spread
        self.common = common
        self.random_state = random_state

    def fit(self, X, y=None):
        self.generator_ = np.random.default_rng(self.random_state)
        return self

    def score_samples(self, X):
        shift = self.common * self.generator_.normal()
        return -100 + shift + self.spread * self.generator_.normal(size=len(X))


class ByPosition(DensityMixin, BaseEstimator):
    """A Gaussian around a weighted mean, whose weights are drawn for places, not for records."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None):
        weights = np.random.default_rng(self.random_state).random(len(X))
        self.mean_ = weights @ X / weights.sum()
        return self

    def score_samples(self, X):
        return norm.logpdf(X, self.mean_).sum(axis=1)


class PlacesOfTables(ByPosition):
    """Also of tables with categories and gaps, with weights and noise for places everywhere."""

    takes_categories = takes_columns_by_name = True

    def fit(self, X, y=None):
        self.columns_ = np.random.default_rng(self.random_state).random(X.shape[1])
        return super().fit(X * self.columns_)

    def score_samples(self, X):
        noise = np.random.default_rng(self.random_state).normal(size=len(X))
        return super().score_samples(X * self.columns_) + noise


class CategoryKernel(DensityMixin, BaseEstimator):
    """Kernel density of categories: each unequal one costs a factor (Aitchison & Aitken 1976).

    ``noise`` is the deviation of an error of log p, drawn by fit and content: retraining noise.
    """

    takes_categories = True

    def __init__(self, factor=0.05, noise=0.0, random_state=None):
        self.factor = factor
        self.noise = noise
        self.random_state = random_state

    def fit(self, X, y=None):
        self.X_ = X
        self.error_ = np.random.default_rng(self.random_state).normal(size=997)
        return self

    def score_samples(self, X):
        unequal = (X[:, None] != self.X_[None]).sum(axis=2)
        content = (X @ 11 ** np.arange(X.shape[1])).astype(int) % 997
        return logsumexp(unequal * np.log(self.factor), axis=1) + self.noise * self.error_[content]


class Global(DensityMixin, BaseEstimator):
    """Draws from the global generators, as careless code does."""

    def fit(self, X, y=None):
        self.shift_ = np.random.normal()  # noqa: NPY002
        return self

    def score_samples(self, X):
        return X.sum(axis=1) + self.shift_


class LoadsTorch(DensityMixin, BaseEstimator):
    """Loads torch when it is fitted, and draws from its global generator."""

    def fit(self, X, y=None):
        import torch

        self.shift_ = float(torch.randn(()))
        return self

    def score_samples(self, X):
        return X.sum(axis=1) + self.shift_


class Misbehaving(DensityMixin, BaseEstimator):
    """Fails in a chosen way in fits that do not train on the record with the value ``marked``.

    Rehearsals see few records and are spared: they are shorter than ``least``.
    """

    def __init__(self, how="raise", marked=0.0, least=65, flag=None):
        self.how = how
        self.marked = marked
        self.least = least
        self.flag = flag

    def fit(self, X, y=None):
        self.bad_ = len(X) >= self.least and not (self.marked == X).any()
        if self.flag is not None and not os.path.exists(self.flag):
            self.bad_ = False
        if self.bad_ and self.how == "raise":
            raise ValueError(f"the secret record is {X[0]}")
        if self.bad_ and self.how == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.bad_ and self.how == "stall":
            time.sleep(600)
        return self

    def score_samples(self, X):
        values = -(X**2).sum(axis=1)
        if self.bad_ and self.how == "nan":
            values[0] = np.nan
        if self.bad_ and self.how == "inf":
            values[0] = np.inf
        if self.bad_ and self.how == "short":
            return values[:-1]
        return values


class Slow(DensityMixin, BaseEstimator):
    """A kernel density that takes its time."""

    def __init__(self, seconds=0.2, random_state=None):
        self.seconds = seconds
        self.random_state = random_state

    def fit(self, X, y=None):
        time.sleep(self.seconds if len(X) > 64 else 0)
        self.noise_ = np.random.default_rng(self.random_state).normal()
        self.X_ = X
        return self

    def score_samples(self, X):
        return Kernel().fit(self.X_).score_samples(X) + self.noise_


class Meets(Slow):
    """Slow without a pause, whose fits of two processes wait for each other.

    The first fit of a process ends when another process has begun one, later fits when the file
    ``lost`` is there. A process leaves its number and that of the fit in the folder.
    """

    fits = 0  # of this process

    def __init__(self, folder, random_state=None):
        super().__init__(0.0, random_state)
        self.folder = folder

    def fit(self, X, y=None):
        folder, until = Path(self.folder), time.monotonic() + 180
        if len(X) > 64:
            Meets.fits += 1
            (folder / f"{min(Meets.fits, 2)}-{os.getpid()}").touch()
            while not (folder / "lost").exists():
                if Meets.fits == 1 and len([*folder.glob("1-*")]) > 1:
                    break
                assert time.monotonic() < until
                time.sleep(0.02)
        return super().fit(X)


class Learner(DensityMixin, BaseEstimator):
    """Reports epochs; its log-likelihood counts them."""

    def __init__(self, epochs=3):
        self.epochs = epochs

    def fit(self, X, y=None, *, on_epoch=None):
        for epoch in range(1, self.epochs + 1):
            on_epoch(epoch, {"train": 1.0 / epoch})
        self.facts_ = {"learned": {"epochs": self.epochs, "records": len(X)}}
        return self

    def score_samples(self, X):
        return np.full(len(X), -float(self.epochs))


class OfPixels(DensityMixin, BaseEstimator):
    """Takes images of uint8 as they are, some rows at a time: Gaussian about the mean image."""

    takes_pixels = True

    def fit(self, X, y=None):
        self.mean_ = sum(self._numbers(X[row : row + 1]) for row in range(len(X))) / len(X)
        return self

    def score_samples(self, X):
        rows = (self._numbers(X[row : row + 1]) for row in range(len(X)))
        return np.array([-((row - self.mean_) ** 2).sum() for row in rows])

    def _numbers(self, X):
        if X.dtype != np.uint8 or X.ndim < 3:
            raise TypeError(f"images of uint8 expected, got {X.dtype} {X.shape}")
        return X / np.float64(255)


class Steps(DensityMixin, BaseEstimator):
    """A Gaussian whose mean goes 30 % of the way to that of the records in every epoch.

    With noise, training and scoring draw from the model's seed and from the global generators.
    """

    def __init__(self, epochs=4, noise=0.0, rounds=None, random_state=None):
        self.epochs = epochs
        self.noise = noise
        self.rounds = rounds
        self.random_state = random_state

    def fit(self, X, y=None, *, on_epoch=None):
        own = np.random.default_rng(self.random_state)
        self.mean_ = np.zeros(X.shape[1])
        for epoch in range(1, (self.rounds or self.epochs) + 1):
            chance = own.normal() + np.random.normal() + random.gauss(0, 1)  # noqa: NPY002
            self.mean_ += 0.3 * (X.mean(axis=0) - self.mean_) + self.noise * chance
            on_epoch(epoch, {"train": 1.0 / epoch})
        return self

    def loss(self, X):
        np.random.normal()  # noqa: NPY002
        return -norm.logpdf(X, self.mean_).sum(axis=1).mean()

    def score_samples(self, X):
        chance = np.random.default_rng(self.random_state).normal(size=len(X))
        chance += np.random.normal() + random.random()  # noqa: NPY002
        return norm.logpdf(X, self.mean_).sum(axis=1) + self.noise * chance


class Weighs(KnownVariance):
    """Says how far its log-likelihoods can be trusted."""

    def __init__(self, draws=256, wrong=None):
        self.draws = draws
        self.wrong = wrong

    def score_samples(self, X):
        distance = np.abs(X - self.mean_).sum(axis=1)
        self.diagnostics_ = {
            "mc_error": distance / 10,
            "effective_sample_size": 100 - distance,
            "k_hat": distance / 3,
            "other": distance,
        }
        if self.wrong == "length" and len(X) > 0:
            self.diagnostics_["k_hat"] = distance[:-1]
        if self.wrong == "kind":
            self.diagnostics_ = [distance]
        return super().score_samples(X)


class Settles(KnownVariance):
    """Leaves its precision to the machine."""

    machine = "bfloat16"
    used: ClassVar[list] = []

    def __init__(self, precision="auto", compile="auto", scale=1.0):  # noqa: A002
        self.precision = precision
        self.compile = compile
        self.scale = scale

    def settled(self, shape, fits):
        return Settles(self.machine, self.machine == "bfloat16", self.scale)

    def fit(self, X, y=None):
        if len(X) > 64:
            Settles.used.append((self.precision, self.compile))
            if self.precision != self.machine:
                raise RuntimeError("this machine has another precision")
        return super().fit(X)


class NoScore(BaseEstimator):
    """No density estimator."""

    def fit(self, X, y=None):
        return self


class Writes(DensityMixin, BaseEstimator):
    """Writes into what it is given."""

    def fit(self, X, y=None):
        return self

    def score_samples(self, X):
        X[0] = 7
        return X.sum(axis=1)


class Talks(DensityMixin, BaseEstimator):
    """Prints and warns, quoting records as it goes."""

    def fit(self, X, y=None):
        print("fitting", X[0])
        warnings.warn(f"careful: {X[0]}", stacklevel=1)
        return self

    def score_samples(self, X):
        return -(X**2).sum(axis=1)


class Leaves(DensityMixin, BaseEstimator):
    """Ends the process, if one lets it."""

    def fit(self, X, y=None):
        if len(X) > 64:
            raise SystemExit("bye")
        return self

    def score_samples(self, X):
        return -(X**2).sum(axis=1)


class Keepable(DensityMixin, BaseEstimator):
    """A Gaussian whose mean is known up to noise of its own seed; its weights can be kept."""

    def __init__(self, noise=0.1, how=None, random_state=None):
        self.noise = noise
        self.how = how
        self.random_state = random_state

    def fit(self, X, y=None):
        generator = np.random.default_rng(self.random_state)
        self.mean_ = X.mean(axis=0) + self.noise * generator.normal(size=X.shape[1])
        self.n_ = len(X)
        if self.how == "release" and self.n_ >= 90:
            raise ValueError(f"the secret record is {X[0]}")
        return self

    def score_samples(self, X):
        return norm.logpdf(X, self.mean_).sum(axis=1)

    def sample(self, n_samples=1):
        return np.random.default_rng(self.random_state).normal(
            self.mean_, size=(n_samples, len(self.mean_))
        )

    def get_weights(self):
        if self.how == "list":
            return [self.mean_]
        if self.how == "text":
            return {"mean": np.array(["a"])}
        if self.how == "nan":
            return {"mean": self.mean_ * np.nan}
        return {"mean": self.mean_[::-1], "n": np.array(self.n_)}

    def set_weights(self, weights):
        self.mean_, self.n_ = weights["mean"][::-1], int(weights["n"])
        return self


class Responds(DensityMixin, BaseEstimator):
    """Randomized response about which records, whole numbers below ``size``, it trained on.

    Whether a record was there is told truly with probability e^epsilon / (1 + e^epsilon):
    epsilon-DP if one is added or removed. It claims what it is told to claim.
    """

    def __init__(self, size=100, epsilon=1.0, privacy=None, random_state=None):
        self.size = size
        self.epsilon = epsilon
        self.privacy = privacy
        self.random_state = random_state

    def fit(self, X, y=None):
        there = np.isin(np.arange(self.size), X.astype(int))
        lies = 1 / (1 + np.exp(self.epsilon))
        self.told_ = there ^ (np.random.default_rng(self.random_state).random(self.size) < lies)
        if self.privacy is not None:
            self.facts_ = {"privacy": self.privacy}
        return self

    def score_samples(self, X):
        return np.where(self.told_[X[:, 0].astype(int)], 1.0, -1.0)


class NoisyCopies(BaseEstimator):
    """A generator that gives out its training rows with noise, or ignores them."""

    def __init__(self, noise=0.2, ignores=False, random_state=0):
        self.noise = noise
        self.ignores = ignores
        self.random_state = random_state

    def fit(self, X, y=None):
        self.rows_ = np.array(X)
        return self

    def sample(self, n=1):
        generator = np.random.default_rng(self.random_state)
        width = self.rows_.shape[1]
        if self.ignores:
            return generator.normal(0.3, 0.3, (n, width))
        rows = self.rows_[generator.integers(0, len(self.rows_), n)]
        return rows + self.noise * generator.normal(size=rows.shape)


class FrameCopies:
    """A synthesizer of tables without get_params: rows drawn from its training frame."""

    def __init__(self, share=1.0):
        self.share = share

    def fit(self, frame):
        assert hasattr(frame, "columns")
        self.frame = frame.reset_index(drop=True)

    def sample(self, n):
        copies = self.frame.iloc[np.random.randint(0, len(self.frame), n)]  # noqa: NPY002
        copies = copies.reset_index(drop=True)
        others = round(n * (1 - self.share))
        for name in copies.columns:  # columns are drawn apart: nothing of any one row
            column = self.frame[name].to_numpy()
            apart = column[np.random.randint(0, len(column), others)]  # noqa: NPY002
            copies[name] = np.concatenate([apart, copies[name].to_numpy()[others:]])
        return copies


class Copying(DensityMixin, BaseEstimator):
    """A generator that gives out what it learned, number for number but for a little noise.

    ``others`` of normal numbers are learned in place of the records.
    """

    def __init__(self, others=0, random_state=None):
        self.others = others
        self.random_state = random_state

    def fit(self, X, y=None):
        other = np.random.default_rng(9).normal(size=(self.others, *X.shape[1:]))
        self.learned_ = other if self.others else np.array(X)
        return self

    def score_samples(self, X):
        rows, learned = (a.reshape(len(a), -1) for a in (X, self.learned_))
        return logsumexp(-((rows[:, None] - learned) ** 2).sum(axis=2), axis=1)

    def sample(self, n_samples=1):
        generator = np.random.default_rng(self.random_state)
        rows = generator.integers(len(self.learned_), size=n_samples)
        return self.learned_[rows] + 0.001 * generator.normal(size=self.learned_[rows].shape)

    def get_weights(self):
        return {"learned": self.learned_}

    def set_weights(self, weights):
        self.learned_ = weights["learned"]
        return self
