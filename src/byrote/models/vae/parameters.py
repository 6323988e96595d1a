"""Checks of a VAE's parameters and of its records, before any fit."""

from typing import Any

from byrote import checks
from byrote.errors import InvalidInput
from byrote.models.early_stopping import check_options
from byrote.models.privacy.dp import check_parameter
from byrote.models.spaces import SPACES, Space
from byrote.models.torch_utils import check_device, check_training
from byrote.models.vae.auto_draws import check_draws
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


def check_parameters(vae: Any) -> None:
    """Refuse parameters of a wrong type or in conflict; NumPy's numbers become Python's."""
    for name in ("latent_dim", "epochs", "batch_size", "features"):
        most = checks.WIDEST if name in ("latent_dim", "features") else checks.MOST
        setattr(vae, name, checks.integer(name, getattr(vae, name), at_least=1, at_most=most))
    vae.draws = check_draws(vae.draws)
    check_training(vae)
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
