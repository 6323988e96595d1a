"""A study at a scale, with what was overridden: from it to the request of an ordinary run."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byrote import checks
from byrote.data import Records, load
from byrote.errors import InvalidInput
from byrote.fits.request import Request, Settings
from byrote.models import registry
from byrote.plans import KFold
from byrote.studies.declaration import Scale, Study

COMPARED = ("folds", "repeats", "epochs", "draws", "redraw")  # what a scale may change of the paper


@dataclass(frozen=True)
class ChosenStudy:
    """A study at a scale.

    Attributes
    ----------
    study
        As declared.
    scale
        "small" or "paper".
    setting
        The scale's settings with those that were overridden.
    overridden
        By name: what was asked for in place of what (None: all records).
    """

    study: Study
    scale: str
    setting: Scale
    overridden: Mapping[str, tuple[int, int | None]]

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters of the model that the study sets."""
        own = {name: getattr(self.setting, name) for name in ("epochs", "draws", "redraw")}
        return {**self.study.model.parameters, **own}

    def load(self, data: str, **options: str | None) -> Records:
        """The records of the study.

        Raises
        ------
        InvalidInput
            If they cannot be loaded, are too few, or are no images of the study's shape.
        """
        image, count = self.study.data.image, self.setting.records
        records = load(data, image=image, records=count, **options)
        if records.shape != self.study.data.shape:
            words = "" if image is None else f" after --image {image}"
            raise InvalidInput(
                f"--data must hold {_images(self.study.data.shape)}{words} for the study"
                f" {self.study.name}; got {_images(records.shape)}"
            )
        return records

    def request(self, records: Records, settings: Settings) -> Request:
        """The run of the study."""
        return Request(
            model=registry.build(self.study.model.name, self.parameters),
            records=records,
            plan=KFold(self.setting.folds, repeats=self.setting.repeats),
            settings=settings,
            track=self.setting.track,
        )

    def score_command(self, records: Records, settings: Settings, out: Path) -> str:
        """The ``byrote score`` command that makes the same run."""
        setting, words = self.setting, ["byrote", "score", records.source]
        for name, value in records.options.items():
            words += [f"--{name}", value]
        words += ["--model", self.study.model.name]
        for name, value in self.parameters.items():
            words += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
        words += ["--folds", str(setting.folds), "--repeats", str(setting.repeats)]
        words += ["--track", ",".join(map(str, setting.track))]
        words += ["--keep-models", setting.keep_models]
        words += ["--seed", str(settings.seed), "--threads", str(settings.threads)]
        return shlex.join([*words, "--workers", str(settings.workers), "--out", str(out)])

    def departures(self, records: int) -> dict[str, tuple[Any, Any]]:
        """What differs from the published setting, by name: here, and in the paper."""
        paper = self.study.paper
        pairs = {name: (getattr(self.setting, name), getattr(paper, name)) for name in COMPARED}
        pairs["records"] = (records, self.study.data.records)
        return {name: (here, there) for name, (here, there) in pairs.items() if here != there}


def choose(
    study: Study,
    scale: str = "small",
    *,
    records: int | None = None,
    repeats: int | None = None,
    epochs: int | None = None,
) -> ChosenStudy:
    """A study at a scale, some of it overridden.

    Tracked epochs beyond the last are dropped; the last is always tracked.

    Raises
    ------
    InvalidInput
        If the scale is unknown or a number is none.

    Examples
    --------
    >>> from byrote.studies.declaration import load_study
    >>> chosen = choose(load_study("cifar10"), epochs=5, repeats=2)
    >>> chosen.setting.track, dict(chosen.overridden)
    ((2, 4, 5), {'epochs': (5, 10)})
    """
    declared = study.scale(scale)
    asked = {"records": records, "repeats": repeats, "epochs": epochs}
    given = {
        name: checks.integer(f"--{name}", value, at_least=1)
        for name, value in asked.items()
        if value is not None
    }
    last = given.get("epochs", declared.epochs)
    track = sorted({*(epoch for epoch in declared.track if epoch < last), last})
    setting = declared.model_copy(update={**given, "track": tuple(track)})
    changed = {
        name: (value, getattr(declared, name))
        for name, value in given.items()
        if value != getattr(declared, name)
    }
    return ChosenStudy(study, scale, setting, changed)


def _images(shape: tuple[int, ...]) -> str:
    """Records by their shape, in words."""
    if len(shape) == 1:
        return f"rows of {shape[0]} numbers"
    colour = "grey" if len(shape) == 2 else {1: "one-channel", 3: "colour"}.get(shape[2], "other")
    return f"{colour} images of {shape[0]} x {shape[1]} pixels"
