"""Loading of kept models: class and parameters from run.json, weights from their file."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from byrote import checks, seeds
from byrote.data.records import Records
from byrote.errors import InvalidInput, RunMismatch
from byrote.models import auto_values, contract
from byrote.models.sampling import check_samples, draw_samples
from byrote.models.weights import check_keepable, with_weights
from byrote.runs.determinism import controlled
from byrote.runs.files import file_exists
from byrote.runs.job import job_of
from byrote.runs.kinds.registry import kind_of
from byrote.runs.manifest import ModelPart
from byrote.runs.run_folder import RunFolder

_BYROTE = "byrote.models."
_SKLEARN = ("sklearn.mixture._gaussian_mixture.GaussianMixture",)


def load(run: RunFolder, fit: int | None = None, model: Any = None) -> Any:
    """Load a kept model as it was after training; see ``Run.model``."""
    number = run.design.release if fit is None else checks.integer("fit", fit, at_least=0)
    if not file_exists(run.paths.model(number)):
        name, keep = ("the release model", "release") if fit is None else (f"fit {fit}", "all")
        raise InvalidInput(
            f"{run.paths.root} does not keep {name}; start the same run again with"
            f" keep_models={keep!r} (--keep-models {keep})"
        )
    job = job_of(run.design, number, run.manifest.seed)
    description = run.manifest.model
    unfitted = _rebuilt(description) if model is None else _checked(model, description)
    settled = auto_values.with_values(unfitted, run.manifest.settled)
    fresh = contract.seeded_clone(settled, training=job.training_seed, noise=job.noise_seed)
    fitted = with_weights(fresh, run.models.weights(number))
    contract.reseed(fitted, job.evaluation_seed)
    return fitted


def sample(
    run: RunFolder, n: int, seed: int, fit: int | None, model: Any, records: Callable[[], Records]
) -> Any:
    """Draw records from a kept model; see ``Run.sample``. ``records`` gives those of the run."""
    n = checks.integer("n", n, at_least=1)
    seed = checks.seed("seed", seed)
    fitted = load(run, fit, model)
    check_samples(fitted)
    sampling_seed = seeds.integer(seed, seeds.Purpose.RELEASE, fold=2)
    contract.reseed(fitted, sampling_seed)
    with controlled(sampling_seed, run.manifest.threads, needs_torch=False):
        samples = draw_samples(fitted, n, run.manifest.data.shape)
    if not run.manifest.data.table:
        return samples
    kind: Any = kind_of(records(), fitted)
    return kind.in_units(samples)


def _checked(model: Any, description: ModelPart) -> Any:
    contract.check_model(model)
    check_keepable(model, "release")
    differences = description.differences(ModelPart.of(model))
    if differences:
        raise RunMismatch(f"model must be the run's: {'; '.join(differences)}")
    return model


def _rebuilt(description: ModelPart) -> Any:
    """Rebuild the unfitted model, of known classes only: a file must not choose what is imported.

    A parameter that run.json holds only as a hash cannot be restored.
    """
    if not _known(description.name):
        raise InvalidInput(
            f"model must be given, unfitted: the run's is {description.name}, which is not byrote's"
        )
    try:
        model = _constructed(description.name, description.parameters)
        same = not description.differences(ModelPart.of(model))
    except (ImportError, AttributeError, TypeError, ValueError):
        same = False
    if not same:
        raise InvalidInput(
            f"model must be given, unfitted: {description.name} cannot be made again from run.json"
        )
    return model


def _known(path: str) -> bool:
    return path.startswith(_BYROTE) or path in _SKLEARN


def _constructed(path: str, parameters: Mapping[str, Any]) -> Any:
    module, _, name = path.rpartition(".")
    model_class = getattr(importlib.import_module(module), name)
    if not (isinstance(model_class, type) and model_class.__module__ == module):
        raise TypeError(path)
    return model_class(**{key: _value(value) for key, value in parameters.items()})


def _value(value: Any) -> Any:
    """Restore a parameter from its plain form, models of known classes included."""
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, dict) and _known(str(value.get("class"))):
        return _constructed(value["class"], {k: v for k, v in value.items() if k != "class"})
    return value
