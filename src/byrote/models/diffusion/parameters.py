"""Checks of a diffusion model's parameters and of its records, before any fit."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.models.diffusion.networks import FULLY_CONNECTED, SIDES, U_NET, chosen_network
from byrote.models.early_stopping import check_options
from byrote.models.spaces import Space
from byrote.models.torch_utils import check_device, check_training

ESTIMATORS = ("i-mmse", "both", "ode")
# Between levels, in log sigma. The trapezoid's error is 0.4 times its square as a share of a score,
# on two points whose score is known: a tenth here, 0.5 % at 64 levels from 1 to 1000.
WIDEST_STEP = 0.5


def check_parameters(model: Any) -> None:
    """Refuse parameters of a wrong type or in conflict; NumPy's numbers become Python's."""
    for name in ("epochs", "batch_size", "draws", "features"):
        most = checks.WIDEST if name == "features" else checks.MOST
        setattr(model, name, checks.integer(name, getattr(model, name), at_least=1, at_most=most))
    check_training(model)
    if model.classes is not None:
        model.classes = checks.integer("classes", model.classes, at_least=1, at_most=checks.WIDEST)
    checks.choice("network", model.network, ("auto", FULLY_CONNECTED, U_NET))
    checks.choice("precision", model.precision, ("auto", "float32", "bfloat16"))
    checks.choice("estimator", model.estimator, ESTIMATORS)
    check_options(model.patience, model.validation)
    if model.classes is not None and model.validation is not None:
        raise InvalidInput("validation must be None with classes: its records have no labels")
    check_noise(model)
    check_device(model.device)


def check_noise(model: Any) -> None:
    """Refuse levels of noise that are out of order, or too few for the range."""
    for name in ("sigma_min", "sigma_max"):
        setattr(model, name, checks.positive(name, getattr(model, name)))
    if model.sigma_min >= model.sigma_max:
        raise InvalidInput(
            f"sigma_min must be below sigma_max={model.sigma_max:g}; got {model.sigma_min:g}"
        )
    fewest = 1 + math.ceil(math.log(model.sigma_max / model.sigma_min) / WIDEST_STEP)
    for name in ("levels", "steps"):
        number = checks.integer(name, getattr(model, name), at_least=2)
        if number < fewest:
            raise InvalidInput(
                f"{name} must be at least {fewest} from sigma_min={model.sigma_min:g} to"
                f" sigma_max={model.sigma_max:g}, or scores are off by more than a tenth; got"
                f" {number}"
            )
        setattr(model, name, number)


def check_shape(model: Any, shape: tuple[int, ...]) -> None:
    """Refuse a record shape that the network cannot take."""
    if chosen_network(model.network, shape) != U_NET:
        return
    if len(shape) < 2:
        raise InvalidInput(
            f"X must hold images, (n, h, w) or (n, h, w, c), for network={U_NET!r}; got rows of"
            f" {shape[0]} numbers (network={FULLY_CONNECTED!r} takes them)"
        )
    if shape[0] % SIDES or shape[1] % SIDES:
        raise InvalidInput(
            f"X must hold images whose sides are multiples of {SIDES} for network={U_NET!r}; got"
            f" {shape[0]} x {shape[1]} (--image pad=N adds a border)"
        )


def constancy_problem(space: Space, x: NDArray[Any]) -> str | None:
    """Describe columns of rows that are constant, if any."""
    if not type(space).has_units:
        return None
    constant = int((x.min(axis=0) == x.max(axis=0)).sum())
    if not constant:
        return None
    these = (
        "is constant and has no density: leave it"
        if constant == 1
        else ("are constant and have no density: leave them")
    )
    return f"X must have columns that vary; {constant} of {x.shape[1]} {these} out (--drop NAME)"


def checked_labels(classes: int | None, y: ArrayLike | None, n: int) -> NDArray[np.int64] | None:
    """Return labels, (n,) from 0 to ``classes`` - 1, or None for a model without conditions."""
    if classes is None:
        return None
    if y is None:
        raise InvalidInput(f"y must hold labels, from 0 to {classes - 1}, with classes; got none")
    labels = checks.array("y", y)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise InvalidInput(
            f"y must be an integer label for each of {n} records; got {labels.dtype} of shape"
            f" {labels.shape}"
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise InvalidInput(
            f"y must lie between 0 and {classes - 1} with classes={classes}; got"
            f" {labels.min()} to {labels.max()}"
        )
    return labels.astype(np.int64)


def as_tensor(labels: NDArray[np.int64] | None, device: str) -> torch.Tensor | None:
    """Return labels as a tensor."""
    return None if labels is None else torch.from_numpy(labels).to(device)


def remedy(model: Any) -> str:
    """Return the remedy for a training that diverged."""
    return f"lower learning_rate={model.learning_rate}"
