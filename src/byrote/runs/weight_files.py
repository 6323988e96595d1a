"""Kept models: weights as safetensors, each file sealed, marked with its run, fit and class."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load, save

from byrote.errors import CorruptFile, ForeignFile
from byrote.models.weights import Weights
from byrote.plans.design import RELEASE
from byrote.runs import files, reading, sealed
from byrote.runs.paths import RunPaths

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
        # One key for all, the seal among them: safetensors writes several in any order.
        marks = {_KEY: sealed.blank_json({**facts, **self._marks(fit)})}
        sealed.write(self.paths.model(fit), bytearray(save(weights, marks)))

    def weights(self, fit: int) -> Weights:
        """The weights of a fit.

        Raises
        ------
        CorruptFile
            If the file is truncated, altered or not byrote's.
        ForeignFile
            If it belongs to another run, fit or class.
        CannotRead
            If the disk does not give it, or there is no memory for it.
        """
        path = self.paths.model(fit)
        weights, facts = _read(path)
        if any(facts.get(name) != value for name, value in self._marks(fit).items()):
            raise ForeignFile(f"{path} belongs to another run or fit; move it away")
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
            if not reading.is_there(self.paths.model(fit)):
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
    with sealed.opened(path) as file, reading.parsed(path):
        content = file.read()
        start = 8 + int.from_bytes(content[:8], "little")  # of the arrays, after the header
        facts = dict(json.loads(json.loads(content[8:start])["__metadata__"][_KEY]))
        try:
            return {name: array.copy() for name, array in load(content).items()}, facts
        except SafetensorError as error:
            raise ValueError(error) from None
