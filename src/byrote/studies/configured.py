"""Studies of several runs: named configurations at two scales, declared in a TOML file."""

import shlex
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from byrote import checks
from byrote.studies.toml_file import parse

if TYPE_CHECKING:
    from byrote.fits.request import Settings

SCALES = ("small", "full")

Texts = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]  # TOML has lists
Name = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9.-]*$")]


class Part(BaseModel):
    """A part of a declaration."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Configuration(Part):
    """One run of a study.

    ``model`` holds the parameters of the model named ``kind``, its epochs aside.
    """

    name: Name
    title: str
    fits: PositiveInt
    epochs: PositiveInt
    kind: str
    model: dict[str, Any]


class Scale(Part):
    """How large a study is, and what that changes in all of its configurations.

    epochs_at_most: where more are declared. settings, model: in place of the configurations' own.
    """

    epochs_at_most: PositiveInt | None = None
    minutes: PositiveInt
    settings: dict[str, Any] = Field(default_factory=dict)
    model: dict[str, Any] = Field(default_factory=dict)


class ConfiguredStudy(Part):
    """One study at two scales; a kind of studies says which form its configurations have."""

    form: ClassVar[type[Configuration]] = Configuration

    name: str
    title: str
    source: str
    question: str
    data: str
    published: Texts
    common: dict[str, Any]
    configuration: Annotated[tuple[dict[str, Any], ...], Field(strict=False, min_length=1)]
    small: Scale
    full: Scale

    @model_validator(mode="after")
    def _each_scale(self) -> "ConfiguredStudy":
        for scale in SCALES:
            names = [one.name for one in self.configurations(scale)]
            if len(set(names)) < len(names):
                raise ValueError("configurations must have different names")
        return self

    def scale(self, name: str) -> Scale:
        """One of the two, by name."""
        return self.full if checks.choice("--scale", name, SCALES) == "full" else self.small

    def configurations(self, scale: str) -> tuple[Any, ...]:
        """What is run at a scale: common settings, each configuration's own, and the scale's.

        A configuration's own may differ at one scale, in a table of that name.
        """
        size = self.scale(scale)
        return tuple(
            _shortened(self.form(**_merged(self.common, _at(scale, own), vars(size))), size)
            for own in self.configuration
        )


def _at(scale: str, own: Mapping[str, Any]) -> dict[str, Any]:
    common = {name: value for name, value in own.items() if name not in SCALES}
    at_scale = own.get(scale, {})
    model = {**common.get("model", {}), **at_scale.get("model", {})}
    return {**common, **at_scale, "model": model}


def _merged(
    common: Mapping[str, Any], own: Mapping[str, Any], scale: Mapping[str, Any]
) -> dict[str, Any]:
    models = (common.get("model", {}), own["model"], scale["model"])
    model = {name: value for given in models for name, value in given.items()}
    return {**common, **own, **scale["settings"], "model": model}


def _shortened(configuration: Configuration, scale: Scale) -> Configuration:
    most = scale.epochs_at_most or configuration.epochs
    return configuration.model_copy(update={"epochs": min(configuration.epochs, most)})


Declared = TypeVar("Declared", bound=ConfiguredStudy)


def load_declared(form: type[Declared], package: str, name: str) -> Declared:
    """A study that comes with byrote, from its file in a package.

    Raises
    ------
    CorruptFile
        If the file is no TOML, or not of the form of a study; the message says where.
    """
    return parse(form, name, files(package).joinpath(f"{name}.toml").read_text("utf-8"))


def overrides(
    asked: Mapping[str, int | None], declared: Mapping[str, set[Any]]
) -> dict[str, tuple[int, Any]]:
    """What is asked for in place of what is declared, by name, where they differ.

    declared: the values of all configurations; where they are several, all are given back, sorted.

    Raises
    ------
    InvalidInput
        If a number is none.

    Examples
    --------
    >>> overrides({"fits": 3, "epochs": 5, "records": None}, {"fits": {2, 4}, "epochs": {5}})
    {'fits': (3, [2, 4])}
    """
    given = {
        name: checks.integer(f"--{name}", value, at_least=1)
        for name, value in asked.items()
        if value is not None
    }
    return {
        name: (value, _one(declared[name]))
        for name, value in given.items()
        if declared[name] != {value}
    }


def _one(values: set[Any]) -> Any:
    """The value that all have, or all of them."""
    return next(iter(values)) if len(values) == 1 else sorted(values)


def command_of(
    words: Sequence[str],
    scale: str,
    overridden: Mapping[str, tuple[int, Any]],
    settings: "Settings",
    out: Path,
) -> str:
    """The ``byrote study`` command that makes the same runs: of which study and data, in words."""
    given = ["--scale", scale]
    for name, (value, _) in overridden.items():
        given += [f"--{name}", str(value)]
    given += ["--seed", str(settings.seed), "--threads", str(settings.threads)]
    given += ["--workers", str(settings.workers), "--out", str(out)]
    return shlex.join(["byrote", "study", *words, *given])
