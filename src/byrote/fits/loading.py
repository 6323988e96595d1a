"""A kept model, ready to sample and score: its class and parameters from run.json, its weights."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.errors import InvalidInput, RunMismatch
from byrote.fits.job import job_of
from byrote.fits.manifest import ModelPart
from byrote.fits.paths import RunPaths
from byrote.fits.reading import is_there
from byrote.fits.store import RunFolder
from byrote.fits.surroundings import controlled
from byrote.models import contract, resolve_auto
from byrote.models.weights import check_keepable, with_weights

_OWN = "byrote.models."
_OTHERS = ("sklearn.mixture._gaussian_mixture.GaussianMixture",)


def load_model(store: str | Path, *, fit: int | None = None, model: Any = None) -> Any:
    """A model that a run keeps, as it was after training.

    Parameters
    ----------
    store
        A run folder made with ``keep_models``.
    fit
        Number of a fit of the plan, kept by ``keep_models="all"``; if not given, the release model,
        trained on all records.
    model
        An unfitted model of the run's class and parameters: needed for a class of your own, which
        no file may name to be imported. It is copied.

    Returns
    -------
    The fitted model. Chance in ``score_samples`` and ``sample`` comes from the fit's own seed.

    Raises
    ------
    InvalidInput
        If there is no run or no such model in the folder, or ``model`` is needed.
    RunMismatch
        If ``model`` is not the run's.
    CorruptFile
        If the weights are damaged or belong to another run.

    Examples
    --------
    >>> import byrote, numpy as np, tempfile
    >>> from sklearn.mixture import GaussianMixture
    >>> x = np.random.default_rng(0).normal(size=(40, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run, plan = folder + "/run", byrote.KFold(2, repeats=2)
    ...     result = byrote.score_memorization(
    ...         GaussianMixture(), x, plan=plan, store=run, keep_models="release"
    ...     )
    ...     release = byrote.load_model(run)
    >>> bool(np.allclose(release.means_[0], x.mean(axis=0)))
    True
    """
    run = RunFolder.open(RunPaths(checks.path("store", store)))
    number = run.design.release if fit is None else checks.integer("fit", fit, at_least=0)
    if not is_there(run.paths.model(number)):
        name, keep = ("the release model", "release") if fit is None else (f"fit {fit}", "all")
        raise InvalidInput(
            f"{store} does not keep {name}; start the same run again with keep_models={keep!r}"
            f" (--keep-models {keep})"
        )
    job = job_of(run.design, number, run.manifest.seed)
    described = run.manifest.model
    unfitted = _built(described) if model is None else _checked(model, described)
    settled = resolve_auto.with_values(unfitted, run.manifest.settled)
    fresh = contract.seeded_clone(settled, training=job.training_seed, noise=job.noise_seed)
    fitted = with_weights(fresh, run.models.weights(number))
    contract.reseed(fitted, job.evaluation_seed)
    return fitted


def draw_samples(
    store: str | Path, n: int, *, seed: int = 0, fit: int | None = None, model: Any = None
) -> NDArray[Any]:
    """Samples from a model that a run keeps, in the shape of its records.

    Parameters
    ----------
    store, fit, model
        As for ``load_model``: the release model if not said otherwise.
    n
        How many.
    seed
        Decides the samples, also of a model that draws from a global generator.

    Returns
    -------
    numpy.ndarray
        (n, *shape of a record). The same for the same n and seed; fewer are not the first of more.

    Raises
    ------
    InvalidInput, RunMismatch, CorruptFile
        As ``load_model``; and if the model has no ``sample`` or what it gives are no records.

    Examples
    --------
    >>> import byrote, numpy as np, tempfile
    >>> from sklearn.mixture import GaussianMixture
    >>> x = np.random.default_rng(0).normal(size=(40, 3, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run, plan = folder + "/run", byrote.KFold(2, repeats=2)
    ...     result = byrote.score_memorization(
    ...         GaussianMixture(), x, plan=plan, store=run, keep_models="release"
    ...     )
    ...     samples = byrote.draw_samples(run, 5)
    >>> samples.shape
    (5, 3, 2)
    """
    n = checks.integer("n", n, at_least=1)
    seed = checks.seed("seed", seed)
    fitted = load_model(store, fit=fit, model=model)
    contract.check_samples(fitted)
    manifest = RunFolder.open(RunPaths(checks.path("store", store))).manifest
    own = seeds.integer(seed, seeds.Purpose.RELEASE, fold=2)
    contract.reseed(fitted, own)
    with controlled(own, manifest.threads, needs_torch=False):
        return contract.draw_samples(fitted, n, manifest.data.shape)


def _checked(model: Any, described: ModelPart) -> Any:
    contract.check_model(model)
    check_keepable(model, "release")
    differences = described.differences(ModelPart.of(model))
    if differences:
        raise RunMismatch(f"model must be the run's: {'; '.join(differences)}")
    return model


def _built(described: ModelPart) -> Any:
    """The unfitted model, of byrote's own classes alone: a file must not choose what is imported.

    A parameter that run.json holds only as a hash cannot be given back.
    """
    if not _known(described.name):
        raise InvalidInput(
            f"model must be given, unfitted: the run's is {described.name}, which is not byrote's"
        )
    try:
        model = _constructed(described.name, described.parameters)
        same = not described.differences(ModelPart.of(model))
    except (ImportError, AttributeError, TypeError, ValueError):
        same = False
    if not same:
        raise InvalidInput(
            f"model must be given, unfitted: {described.name} cannot be made again from run.json"
        )
    return model


def _known(path: str) -> bool:
    return path.startswith(_OWN) or path in _OTHERS


def _constructed(path: str, parameters: Mapping[str, Any]) -> Any:
    module, _, name = path.rpartition(".")
    found = getattr(importlib.import_module(module), name)
    if not (isinstance(found, type) and found.__module__ == module):
        raise TypeError(path)
    return found(**{key: _value(value) for key, value in parameters.items()})


def _value(value: Any) -> Any:
    """A parameter from its plain form; parts of a model that are byrote's too are made again."""
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, dict) and _known(str(value.get("class"))):
        return _constructed(value["class"], {k: v for k, v in value.items() if k != "class"})
    return value
