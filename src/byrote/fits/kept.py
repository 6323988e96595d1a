"""Kept models: weights as safetensors, each file marked with its run, its fit and its class.

The format has no checksum, so the marks hold one of names, types, shapes and values.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from byrote.errors import CorruptFile, ForeignFile
from byrote.fits import files
from byrote.fits.paths import RunPaths
from byrote.models.weights import Weights
from byrote.plans.design import RELEASE

_KEY = "byrote"


@dataclass(frozen=True)
class KeptModels:
    """The folder ``models`` of a run."""

    paths: RunPaths
    run_id: str
    model: str

    def keep(self, fit: int, weights: Weights, facts: Mapping[str, Any]) -> None:
        """Write the weights of a fit, and what is known of it."""
        files.make_folder(self.paths.models)
        facts = {**facts, **self._marks(fit), "sha256": _digest(weights)}
        # One key for all: safetensors writes several in any order.
        files.write_atomically(self.paths.model(fit), save(weights, {_KEY: json.dumps(facts)}))

    def weights(self, fit: int) -> Weights:
        """The weights of a fit.

        Raises
        ------
        CorruptFile
            If the file is truncated, altered or not byrote's.
        ForeignFile
            If it belongs to another run, fit or class.
        """
        path = self.paths.model(fit)
        weights, facts = _read(path)
        if any(facts.get(name) != value for name, value in self._marks(fit).items()):
            raise ForeignFile(f"{path} belongs to another run or fit; move it away")
        if facts.get("sha256") != _digest(weights):
            raise CorruptFile(f"{path} is damaged: its values are not those that were written")
        return weights

    def unfinished(self, fits: Iterable[int]) -> tuple[list[int], list[CorruptFile]]:
        """Those of some fits whose model is still to do, and why some that have a file are.

        Raises
        ------
        ForeignFile
            If a file belongs to another run: it is not ours to replace.
        """
        todo, damaged = [], []
        for fit in fits:
            if not self.paths.model(fit).is_file():
                todo.append(fit)
                continue
            try:
                self.weights(fit)
            except ForeignFile:
                raise
            except CorruptFile as error:
                todo.append(fit)
                damaged.append(error)
        return todo, damaged

    def _marks(self, fit: int) -> Mapping[str, Any]:
        name = "release" if fit == RELEASE else fit
        return {"run_id": self.run_id, "fit": name, "class": self.model}


def _read(path: Path) -> tuple[Weights, dict[str, Any]]:
    try:
        with safe_open(path, framework="np") as file:
            facts = json.loads((file.metadata() or {})[_KEY])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no dict)
        if not isinstance(facts, dict):
            raise TypeError
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise CorruptFile(
            f"{path} is damaged and cannot be read ({type(error).__name__})"
        ) from None
    return weights, facts


def _digest(weights: Weights) -> str:
    digest = hashlib.sha256()
    for name, array in sorted(weights.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
