"""The command that makes a run, from its description."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from byrote.models import registry
from byrote.models.defaults import is_hugging_face
from byrote.report.settings import changed_parameters
from byrote.runs.manifest import PlanPart
from byrote.scores.run import Run

_PLANS = ("kfold", "leave-one-out", "subset", "probes")
_OPTIONS = {"records": "probes", "per_level": "canaries-per-level"}  # named otherwise by plans
_WITHOUT = ("chosen",)  # expressed by other options


def command_of(run: Run) -> str:
    """Return the command that makes a run with the same numbers.

    Empty for records in memory, plans made in Python, and secrets or probes that were chosen one by
    one: no command can name them.

    Examples
    --------
    >>> import byrote, numpy as np, tempfile
    >>> from sklearn.neighbors import KernelDensity
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/x.npy", np.random.default_rng(0).normal(size=(20, 2)))
    ...     records, plan = byrote.load(f"{folder}/x.npy"), byrote.KFold(2, repeats=3)
    ...     model = KernelDensity(bandwidth=0.5)
    ...     _ = byrote.score_memorization(model, records, plan=plan, out=f"{folder}/run")
    ...     command = command_of(byrote.open_run(f"{folder}/run"))
    >>> command.split(" --plan ")[1]
    'kfold --folds 2 --repeats 3 --seed 0 --threads 1'
    """
    manifest, spec = run.manifest, dict(run.manifest.plan.spec)
    kind = str(spec.pop("kind"))
    spec |= _complete(manifest.plan)
    chosen = spec.get("chosen") or isinstance(spec.get("records"), list)
    if manifest.data.source == "memory" or chosen or kind not in (*_PLANS, "insertions"):
        return ""
    words = ["byrote", "expose" if run.has_canaries else "score", manifest.data.source]
    words += _options(manifest.data.options)
    words += _model(run)
    words += _insertions(run, spec) if run.has_canaries else ["--plan", kind, *_options(spec)]
    words += ["--looks", str(len(looks))] if (looks := manifest.plan.looks) else []
    words += ["--stop-when", manifest.stop_when] if manifest.stop_when else []
    words += ["--track", ",".join(map(str, manifest.track))] if manifest.track else []
    return shlex.join([*words, "--seed", str(manifest.seed), "--threads", str(manifest.threads)])


def _complete(plan: PlanPart) -> dict[str, Any]:
    """Return the size of the complete plan of a run that may have stopped before."""
    sizes = {"fits", "repeats"} & plan.spec.keys() if plan.looks else ()
    return {size: plan.spec[size] * plan.looks[-1] // plan.fits for size in sizes}


def _model(run: Run) -> list[str]:
    model = run.manifest.model
    name = registry.short_name(model.name) or ":".join(model.name.rsplit(".", 1))
    settings = changed_parameters(model.model_dump())
    if is_hugging_face(model.name) and settings.get("path"):
        name = f"hf:{settings.pop('path')}"
    words = ["--model", name]
    for key, value in settings.items():
        plain = _without_class(value)
        words += ["--set", f"{key}={plain if isinstance(plain, str) else json.dumps(plain)}"]
    return words


def _without_class(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: part for key, part in value.items() if key != "class" and part is not None}
    return value


def _insertions(run: Run, spec: dict[str, Any]) -> list[str]:
    """Return the options of an insertion plan, of the patterns of its canaries and of references.

    The share of the text that is held out is not in the run folder.
    """
    canaries = run.folder.canaries
    words = [word for pattern in canaries.patterns for word in ("--canary", pattern.text)]
    levels = ",".join(map(str, spec.pop("levels")))
    measured = {name: canaries.measurement[name] for name in ("references", "max_queries")}
    return [*words, "--insertions", levels, *_options(spec), *_options(measured)]


def _options(values: Mapping[str, Any]) -> list[str]:
    words = []
    for name, value in values.items():
        if value in (None, False) or name in _WITHOUT:
            continue
        option = f"--{_OPTIONS.get(name, name).replace('_', '-')}"
        words += [option] if value is True else [option, str(value)]
    return words
