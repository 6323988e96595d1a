"""Weights of kept models as sealed safetensors files, marked with their run, fit and class."""

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
from byrote.runs import files, sealed
from byrote.runs.paths import RunPaths

_KEY = "byrote"


@dataclass(frozen=True)
class KeptModels:
    """The folder ``models`` of a run.

    release: the fit whose model is released. contents: by path, its weights from a check until
    they are used.
    """

    paths: RunPaths
    run_id: str
    model: str
    release: int
    contents: dict[Path, Any]

    def keep(self, fit: int, weights: Weights, facts: Mapping[str, Any]) -> None:
        """Write the weights of a fit and the facts about it."""
        files.make_folder(self.paths.models)
        self.contents.pop(self.paths.model(fit), None)
        # One key for all, the seal among them: safetensors writes several in any order.
        marks = {_KEY: sealed.blank_json({**facts, **self._marks(fit)})}
        sealed.write(self.paths.model(fit), bytearray(save(weights, marks)))

    def weights(self, fit: int) -> Weights:
        """Read the weights of a fit, or take those that a check has read."""
        checked = self.contents.pop(self.paths.model(fit), None)
        return self._read(fit) if checked is None else checked

    def _read(self, fit: int) -> Weights:
        path = self.paths.model(fit)
        with sealed.opened(path) as file, files.parsing(path):
            content = file.read()
            start = 8 + int.from_bytes(content[:8], "little")  # of the arrays, after the header
            facts = dict(json.loads(json.loads(content[8:start])["__metadata__"][_KEY]))
            try:
                weights = {name: array.copy() for name, array in load(content).items()}
            except SafetensorError as error:
                raise ValueError(error) from None
        if any(facts.get(name) != value for name, value in self._marks(fit).items()):
            raise ForeignFile(f"{path} belongs to another run or fit; move it away")
        return weights

    def unfinished(self, fits: Iterable[int]) -> tuple[list[int], list[CorruptFile]]:
        """Return the fits whose model is missing or damaged, and the errors of damaged files."""
        todo, damaged = [], []
        for fit in fits:
            path = self.paths.model(fit)
            if not files.file_exists(path):
                todo.append(fit)
                continue
            try:
                weights = self._read(fit)
                if fit == self.release:  # one model fits into memory, those of all fits may not
                    self.contents[path] = weights
            except ForeignFile:  # not ours to replace
                raise
            except CorruptFile as error:
                todo.append(fit)
                damaged.append(error)
        return todo, damaged

    def _marks(self, fit: int) -> Mapping[str, Any]:
        name = "release" if fit == RELEASE else fit
        return {"run_id": self.run_id, "fit": name, "class": self.model}
