"""What a VAE's parameters may be, alone, together, and for records of a shape."""

from typing import Any

import torch

from byrote import checks
from byrote.errors import InvalidInput
from byrote.models.stopping import check_options
from byrote.models.vae import private
from byrote.models.vae.autoencoder import LIKELIHOODS, NETWORKS
from byrote.models.vae.networks import NORMALIZATIONS, SIDE
from byrote.models.vae.outlier import LEARNED
from byrote.models.vae.spaces import SPACES

# The spaces in which a likelihood makes sense; the first is meant by "auto".
_SPACES_OF = {
    "bernoulli": ("binary",),
    "gaussian": ("logit", "real"),
    "shared-gaussian": ("logit", "real"),
    "logistic-mixture": ("levels",),
}


def check_parameters(model: Any) -> None:
    """Refuse what cannot be used, before any work; numbers of NumPy become Python's own.

    Raises
    ------
    InvalidInput
        If a parameter of the VAE is of the wrong kind, or two do not go together.
    """
    for name in ("latent_dim", "epochs", "batch_size", "draws", "features"):
        most = checks.WIDEST if name in ("latent_dim", "features") else checks.MOST
        setattr(model, name, checks.integer(name, getattr(model, name), at_least=1, at_most=most))
    model.noise_seed = checks.integer("noise_seed", model.noise_seed, at_least=0)
    if not isinstance(model.hidden, list | tuple) or not model.hidden:
        got = checks.brief(model.hidden)
        raise InvalidInput(f"hidden must be a list of layer widths; got {got}")
    for width in model.hidden:
        checks.integer("hidden", width, at_least=1, at_most=checks.WIDEST)
    model.learning_rate = checks.positive("learning_rate", model.learning_rate)
    if model.random_state is not None:
        model.random_state = checks.integer("random_state", model.random_state, at_least=0)
    for name in ("redraw", "flips"):
        setattr(model, name, checks.flag(name, getattr(model, name)))
    checks.choice("network", model.network, NETWORKS)
    checks.choice("normalization", model.normalization, NORMALIZATIONS)
    _check_arithmetic(model)
    space_of(model.likelihood, model.space)
    model.defensive = checks.share("defensive", model.defensive)
    _check_mitigations(model)
    private.check(model)
    _check_device(model.device)


def tolerates_bfloat16(model: Any) -> bool:
    """Whether products in bfloat16 change log p by little beside its Monte Carlo error.

    Not where a density has a scale: a mean that is wrong by a hundredth is many deviations off.
    """
    return model.network == "fully-connected" and model.likelihood == "bernoulli"


def way_out(model: Any) -> str:
    """What helps a training that diverged."""
    standardize = "bring the columns of X to mean 0 and deviation 1, or "
    lower = f"lower learning_rate={model.learning_rate}"
    return standardize + lower if model.space == "real" else lower


def space_of(likelihood: str, space: str) -> str:
    """The space that is meant, if the likelihood has a meaning in it.

    Examples
    --------
    >>> space_of("gaussian", "auto")
    'logit'
    """
    checks.choice("likelihood", likelihood, LIKELIHOODS)
    checks.choice("space", space, ("auto", *SPACES))
    allowed = _SPACES_OF[likelihood]
    if space == "auto":
        return allowed[0]
    if space not in allowed:
        raise InvalidInput(
            f"space must be auto or {' or '.join(allowed)} with likelihood={likelihood!r};"
            f" got {space!r}"
        )
    return space


def check_shape(model: Any, shape: tuple[int, ...]) -> None:
    """Refuse records of a shape that the network, or a flip, cannot take.

    Raises
    ------
    InvalidInput
        If the records are no images where images are needed, or not of 32 x 32 pixels.
    """
    if model.flips and len(shape) < 2:
        raise InvalidInput(
            f"flips needs images, X of shape (n, h, w) or (n, h, w, c); got (n, {shape[0]})"
        )
    if model.network == "convolutional" and (len(shape) < 2 or shape[:2] != (SIDE, SIDE)):
        raise InvalidInput(
            f"X must hold images of {SIDE} x {SIDE} pixels for network='convolutional';"
            f" got records of shape {shape}"
        )


def _check_arithmetic(model: Any) -> None:
    checks.choice("precision", model.precision, ("auto", "float32", "bfloat16"))
    if model.precision == "bfloat16" and not tolerates_bfloat16(model):
        raise InvalidInput(
            "precision must be float32 or auto unless the network is fully-connected and the"
            f" likelihood bernoulli; got 'bfloat16' with {model.network} and {model.likelihood}"
        )
    if not (isinstance(model.compile, str) and model.compile == "auto"):
        try:
            model.compile = checks.flag("compile", model.compile)
        except InvalidInput:
            got = checks.brief(model.compile)
            raise InvalidInput(f"compile must be True, False or auto; got {got}") from None


def _check_mitigations(model: Any) -> None:
    model.weight_decay = checks.share("weight_decay", model.weight_decay)
    model.robust = checks.share("robust", model.robust)
    check_options(model.patience, model.validation)
    _check_outlier(model)
    if model.robust and model.likelihood == "logistic-mixture":
        raise InvalidInput(
            "robust must be 0 with likelihood='logistic-mixture', whose beta-divergence has no"
            f" closed form; got {model.robust!r}"
        )


def _check_outlier(model: Any) -> None:
    if model.outlier is None:
        return
    if isinstance(model.outlier, str):
        checks.choice("outlier", model.outlier, (LEARNED,))
    else:
        model.outlier = checks.fraction("outlier", model.outlier)
    if model.likelihood == "logistic-mixture":
        raise InvalidInput(
            "outlier must be None with likelihood='logistic-mixture', for which there is no broad"
            f" component; got {model.outlier!r}"
        )
    if model.robust:
        raise InvalidInput(
            "outlier and robust exclude each other: the divergence of a mixture has no closed form;"
            f" got {model.outlier!r} and {model.robust!r}"
        )
    if model.dp is not None:
        raise InvalidInput(
            "outlier must be None with dp: its broad component is the training records' marginals,"
            f" read without noise; got {model.outlier!r}"
        )


def _check_device(device: Any) -> None:
    try:
        torch.empty(0, device=device)
    except Exception:  # PyTorch raises almost anything, by the device
        got = checks.brief(device)
        raise InvalidInput(f"device must be one that PyTorch has here; got {got}") from None
