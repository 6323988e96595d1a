"""Checks of a VAE's parameters and of its records, before any fit."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from byrote import checks
from byrote.data.formats.npy import load_array
from byrote.data.records import is_pixels
from byrote.errors import InvalidInput
from byrote.models.early_stopping import check_options
from byrote.models.privacy.dp import check_parameter
from byrote.models.vae.autoencoder import NETWORKS, NORMALIZATIONS, SIDE
from byrote.models.vae.likelihoods import LIKELIHOODS, SPACES_OF
from byrote.models.vae.mixed import (
    AUTO,
    BERNOULLI,
    MIXED,
    MixedColumns,
    check_columns,
    likelihood_of,
)
from byrote.models.vae.mixed import SPACE as COLUMNS
from byrote.models.vae.outlier import LEARNED
from byrote.models.vae.spaces import SPACES, Space, as_records, as_single

# A network begins near mean 0 and variance 1, and Adam moves each weight by at most the learning
# rate a step. Of standard normal columns moved and stretched, a VAE of the default size loses 0.02
# nats per value to the true density at mean 10 and 0.01 at standard deviation 10, 2 at mean 30, 40
# at standard deviation 100 after 30 epochs of 400 records; beyond, its weights become NaN.
FARTHEST = 10.0
_CHUNK_VALUES = 1 << 22


def check_parameters(vae: Any) -> None:
    """Refuse parameters of a wrong type or in conflict; NumPy's numbers become Python's."""
    for name in ("latent_dim", "epochs", "batch_size", "draws", "features"):
        most = checks.WIDEST if name in ("latent_dim", "features") else checks.MOST
        setattr(vae, name, checks.integer(name, getattr(vae, name), at_least=1, at_most=most))
    vae.noise_seed = checks.integer("noise_seed", vae.noise_seed, at_least=0)
    if not isinstance(vae.hidden, list | tuple) or not vae.hidden:
        raise InvalidInput(f"hidden must be a list of layer widths; got {checks.brief(vae.hidden)}")
    for width in vae.hidden:
        checks.integer("hidden", width, at_least=1, at_most=checks.WIDEST)
    vae.learning_rate = checks.positive("learning_rate", vae.learning_rate)
    if vae.random_state is not None:
        vae.random_state = checks.integer("random_state", vae.random_state, at_least=0)
    for name in ("redraw", "flips"):
        setattr(vae, name, checks.flag(name, getattr(vae, name)))
    checks.choice("network", vae.network, NETWORKS)
    checks.choice("normalization", vae.normalization, NORMALIZATIONS)
    _check_arithmetic(vae)
    space_of(likelihood_of(vae), vae.space)
    _check_columns(vae)
    vae.defensive = checks.share("defensive", vae.defensive)
    _check_mitigations(vae)
    _check_private(vae)
    check_device(vae.device)


def tolerates_bfloat16(vae: Any) -> bool:
    """Whether products in bfloat16 change log p by less than its Monte Carlo error.

    Not for a density with a scale: a mean off by a hundredth may be off by many standard
    deviations.
    """
    return vae.network == "fully-connected" and likelihood_of(vae) == BERNOULLI


def remedy(vae: Any) -> str:
    """Return the remedy for a training that diverged."""
    standardize = "bring the columns of X to mean 0 and deviation 1, or "
    lower = f"lower learning_rate={vae.learning_rate}"
    return standardize + lower if vae.space == "real" else lower


def space_of(likelihood: str, space: str) -> str:
    """Resolve ``space``, refusing one in which the likelihood makes no sense.

    Examples
    --------
    >>> space_of("gaussian", "auto")
    'logit'
    """
    checks.choice("likelihood", likelihood, (AUTO, *LIKELIHOODS, MIXED))
    checks.choice("space", space, ("auto", *SPACES, COLUMNS))
    allowed = (COLUMNS,) if likelihood == MIXED else SPACES_OF[likelihood]
    if space == "auto":
        return allowed[0]
    if space not in allowed:
        raise InvalidInput(
            f"space must be auto or {' or '.join(allowed)} with likelihood={likelihood!r};"
            f" got {space!r}"
        )
    return space


def space_for(vae: Any, shape: tuple[int, ...]) -> Space:
    """Return the space of records of this shape."""
    likelihood = likelihood_of(vae)
    if likelihood == MIXED:
        return MixedColumns(shape, vae.device, vae.columns)
    return SPACES[space_of(likelihood, vae.space)](shape, vae.device)


def _check_columns(vae: Any) -> None:
    if (likelihood := likelihood_of(vae)) != MIXED:
        if vae.columns is not None:
            raise InvalidInput(
                f"columns must be None unless likelihood is 'mixed'; got it with {likelihood!r}"
            )
        return
    check_columns(vae.columns)
    for name, only in (("network", "fully-connected"), ("outlier", None), ("dp", None)):
        if getattr(vae, name) != only:
            why = {"dp": ", whose guarantee would not cover the categories read from records"}
            raise InvalidInput(
                f"{name} must be {only!r} with likelihood='mixed'{why.get(name, '')};"
                f" got {checks.brief(getattr(vae, name))}"
            )


def check_shape(vae: Any, shape: tuple[int, ...]) -> None:
    """Refuse a record shape that the network, or a flip, cannot take."""
    if vae.flips and len(shape) < 2:
        raise InvalidInput(
            f"flips needs images, X of shape (n, h, w) or (n, h, w, c); got (n, {shape[0]})"
        )
    if vae.network == "convolutional" and (len(shape) < 2 or shape[:2] != (SIDE, SIDE)):
        raise InvalidInput(
            f"X must hold images of {SIDE} x {SIDE} pixels for network='convolutional';"
            f" got records of shape {shape}"
        )


def _check_arithmetic(vae: Any) -> None:
    checks.choice("precision", vae.precision, ("auto", "float32", "bfloat16"))
    if vae.precision == "bfloat16" and not tolerates_bfloat16(vae):
        raise InvalidInput(
            "precision must be float32 or auto unless the network is fully-connected and the"
            f" likelihood bernoulli; got 'bfloat16' with {vae.network} and {likelihood_of(vae)}"
        )
    if not (isinstance(vae.compile, str) and vae.compile == "auto"):
        try:
            vae.compile = checks.flag("compile", vae.compile)
        except InvalidInput:
            got = checks.brief(vae.compile)
            raise InvalidInput(f"compile must be True, False or auto; got {got}") from None


def _check_mitigations(vae: Any) -> None:
    vae.weight_decay = checks.share("weight_decay", vae.weight_decay)
    vae.robust = checks.share("robust", vae.robust)
    check_options(vae.patience, vae.validation)
    _check_outlier(vae)
    if vae.robust and vae.likelihood == "logistic-mixture":
        raise InvalidInput(
            "robust must be 0 with likelihood='logistic-mixture', whose beta-divergence has no"
            f" closed form; got {vae.robust!r}"
        )


def _check_outlier(vae: Any) -> None:
    if vae.outlier is None:
        return
    if isinstance(vae.outlier, str):
        checks.choice("outlier", vae.outlier, (LEARNED,))
    else:
        vae.outlier = checks.fraction("outlier", vae.outlier)
    if vae.likelihood == "logistic-mixture":
        raise InvalidInput(
            "outlier must be None with likelihood='logistic-mixture', for which there is no broad"
            f" component; got {vae.outlier!r}"
        )
    if vae.robust:
        raise InvalidInput(
            "outlier and robust exclude each other: the divergence of a mixture has no closed form;"
            f" got {vae.outlier!r} and {vae.robust!r}"
        )
    if vae.dp is not None:
        raise InvalidInput(
            "outlier must be None with dp: its broad component is the training records' marginals,"
            f" read without noise; got {vae.outlier!r}"
        )


def _check_private(vae: Any) -> None:
    check_parameter(vae.dp)
    if vae.dp is None:
        return
    if vae.network == "convolutional" and vae.normalization == "batch":
        raise InvalidInput(
            "normalization must be 'group' with dp and network='convolutional', for batch"
            " normalization mixes records; got 'batch'"
        )
    if vae.precision == "bfloat16":
        raise InvalidInput("precision must be float32 or auto with dp; got 'bfloat16'")
    if vae.compile is True:
        raise InvalidInput("compile must be False or auto with dp; got True")


def check_device(device: Any) -> None:
    """Refuse a device that PyTorch lacks here."""
    try:
        torch.empty(0, device=device)
    except Exception:  # PyTorch raises almost anything, by the device
        got = checks.brief(device)
        raise InvalidInput(f"device must be one that PyTorch has here; got {got}") from None


def scale_problem(space: Space, x: NDArray[Any]) -> str | None:
    """Describe columns of ``space="real"`` far from mean 0 and standard deviation 1, if any."""
    numbers = space.numbers(x)
    if not type(space).has_units or not numbers.size:
        return None
    mean, deviation = _moments(numbers)
    far = (np.abs(mean) > FARTHEST) | (deviation > FARTHEST)
    if not far.any():
        return None
    return (
        "X must have columns near mean 0 and standard deviation 1, neither beyond"
        f" {FARTHEST:g}; {far.sum()} of {far.size} are further off, up to a mean of"
        f" {mean[np.argmax(np.abs(mean))]:.2g} and a standard deviation of {deviation.max():.2g}:"
        " standardize columns first (--standardize)"
    )


def _moments(x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    flat = x.reshape(len(x), -1)
    chunk = max(1, _CHUNK_VALUES // flat.shape[1])
    blocks = [slice(start, start + chunk) for start in range(0, len(flat), chunk)]
    white = 255 if is_pixels(x) else 1
    with np.errstate(over="ignore"):  # what overflows is far enough
        mean = sum(flat[block].sum(axis=0, dtype=np.float64) for block in blocks) / len(x)
        squares = (((flat[block] - mean) ** 2).sum(axis=0) for block in blocks)
        return mean / white, np.sqrt(sum(squares) / len(x)) / white


def validation_records(validation: Any) -> NDArray[Any]:
    """Return validation records of an array or of a .npy file."""
    try:
        if isinstance(validation, str | Path):
            if not Path(validation).is_file():
                raise InvalidInput(f"{validation} is not a file")
            validation = load_array(str(validation)).x
        return as_records(validation)
    except InvalidInput as error:
        raise InvalidInput(f"validation must be records, or a .npy file of them: {error}") from None


class Checks(Protocol):
    """A space, or whatever else refuses records outside it."""

    def check(self, x: NDArray[Any]) -> None:
        """Refuse records outside."""


def check_validation(validation: Any, space: Checks, x: NDArray[Any]) -> None:
    """Refuse validation records outside the space, of another shape than x, or among x."""
    records = validation_records(validation)
    if records.shape[1:] != x.shape[1:]:
        raise InvalidInput(
            f"validation must hold records of the shape of X, {x.shape[1:]}; got"
            f" {records.shape[1:]}"
        )
    try:
        space.check(records)
    except InvalidInput as error:
        raise InvalidInput(f"validation: {error}") from None
    training = set(_digests(x))
    shared = sum(digest in training for digest in _digests(records))
    if shared:
        raise InvalidInput(
            "validation must hold records outside X, whose memorization is measured;"
            f" {shared} of {len(records)} are among X"
        )


def _digests(x: NDArray[Any]) -> Iterator[bytes]:
    """Yield a hash of each record's values, in float32."""
    chunk = max(1, _CHUNK_VALUES // x[0].size)
    for start in range(0, len(x), chunk):
        rows = as_single(x[start : start + chunk]).reshape(-1, x[0].size) + np.float32(0)
        for row in rows:  # -0.0 is 0.0
            yield hashlib.blake2b(row.tobytes(), digest_size=16).digest()
