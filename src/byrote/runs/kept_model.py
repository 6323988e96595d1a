"""A kept model, ready to sample and score: its class and parameters from run.json, its weights."""

import importlib
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.errors import InvalidInput, RunMismatch
from byrote.models import contract
from byrote.models.weights import check_keepable, with_weights
from byrote.runs.determinism import controlled
from byrote.runs.job import job_of
from byrote.runs.manifest import ModelPart
from byrote.runs.reading import is_there
from byrote.runs.run_folder import RunFolder

_OWN = "byrote.models."
_OTHERS = ("sklearn.mixture._gaussian_mixture.GaussianMixture",)


def load(run: RunFolder, fit: int | None = None, model: Any = None) -> Any:
    """Load a model that a run keeps, as it was after training; see ``Run.model``."""
    number = run.design.release if fit is None else checks.integer("fit", fit, at_least=0)
    if not is_there(run.paths.model(number)):
        name, keep = ("the release model", "release") if fit is None else (f"fit {fit}", "all")
        raise InvalidInput(
            f"{run.paths.root} does not keep {name}; start the same run again with"
            f" keep_models={keep!r} (--keep-models {keep})"
        )
    job = job_of(run.design, number, run.manifest.seed)
    described = run.manifest.model
    unfitted = _built(described) if model is None else _checked(model, described)
    settled = contract.with_values(unfitted, run.manifest.settled)
    fresh = contract.seeded_clone(settled, training=job.training_seed, noise=job.noise_seed)
    fitted = with_weights(fresh, run.models.weights(number))
    contract.reseed(fitted, job.evaluation_seed)
    return fitted


def sample(
    run: RunFolder, n: int, *, seed: int = 0, fit: int | None = None, model: Any = None
) -> NDArray[Any]:
    """Draw records from a model that a run keeps; see ``Run.sample``."""
    n = checks.integer("n", n, at_least=1)
    seed = checks.seed("seed", seed)
    fitted = load(run, fit, model)
    contract.check_samples(fitted)
    own = seeds.integer(seed, seeds.Purpose.RELEASE, fold=2)
    contract.reseed(fitted, own)
    with controlled(own, run.manifest.threads, needs_torch=False):
        return contract.draw_samples(fitted, n, run.manifest.data.shape)


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
