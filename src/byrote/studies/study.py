"""Studies: named runs, findings and published results, declared in a TOML file at two scales."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from byrote import checks
from byrote.errors import CorruptFile

Texts = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]  # TOML has lists
Integers = Annotated[tuple[PositiveInt, ...], Field(strict=False)]
Name = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9.-]*$")]


class Part(BaseModel):
    """A part of a declaration."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DeclaredRun(Part):
    """One run of a study.

    ``model`` holds the parameters, except the epochs, of the built-in model named ``kind``.
    """

    name: Name
    title: str
    epochs: PositiveInt
    kind: str
    model: dict[str, Any]

    def override(self, settings: Mapping[str, int]) -> Self:
        """Return the run with other settings."""
        return self.model_copy(update=dict(settings))


class Scale(Part):
    """What one scale changes in all runs of a study.

    epochs_at_most: upper limit of the epochs of a run. settings, model: replace those of the runs.
    """

    epochs_at_most: PositiveInt | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    model: dict[str, Any] = Field(default_factory=dict)


class Study(Part):
    """One study at two scales.

    Subclasses declare a kind of study: the form of its runs, the names of its scales, and the
    options of ``byrote study`` that apply to it.
    """

    kind: ClassVar[str]
    run_form: ClassVar[type[DeclaredRun]]
    scales: ClassVar[tuple[str, str]] = ("small", "full")
    options: ClassVar[tuple[str, ...]]

    name: str
    title: str
    source: str
    question: str = ""
    findings: Texts
    common: dict[str, Any] = Field(default_factory=dict)
    run: Annotated[tuple[dict[str, Any], ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _check_runs(self) -> Self:
        for scale in self.scales:
            names = [run.name for run in self.runs(scale)]
            if len(set(names)) < len(names):
                raise ValueError("runs must have different names")
        return self

    def scale(self, name: str) -> Any:
        """Return one of the two scales by name."""
        return getattr(self, checks.choice("--scale", name, self.scales))

    def runs(self, scale: str) -> tuple[Any, ...]:
        """Return the runs at a scale, in the order in which they are executed.

        A run's settings replace the common ones, the scale's replace both. A table named like a
        scale holds settings of the run for this scale only.
        """
        size = self.scale(scale)
        return tuple(self._run_at(scale, size, table) for table in self.run)

    def _run_at(self, scale: str, size: Scale, table: Mapping[str, Any]) -> DeclaredRun:
        always = {name: value for name, value in table.items() if name not in self.scales}
        layers = [self.common, always, table.get(scale, {}), size.settings]
        models = [*(layer.get("model", {}) for layer in layers), size.model]
        merged = {name: value for layer in layers for name, value in layer.items()}
        merged["model"] = {name: value for model in models for name, value in model.items()}
        try:
            run = self.run_form(**merged)
        except ValidationError as error:
            raise ValueError(f"{merged.get('name')} at scale {scale}: {_first(error)}") from None
        most = size.epochs_at_most or run.epochs
        return run.model_copy(update={"epochs": min(run.epochs, most)})


@dataclass(frozen=True)
class ScaledStudy:
    """A study at one scale, with overrides.

    overridden: by name, the new value and the declared one (None: all records or characters; a list
    where runs differ).
    """

    study: Any
    scale: str
    size: Any
    runs: tuple[Any, ...]
    overridden: Mapping[str, tuple[int, Any]]


def at_scale(study: Study, scale: str = "small", **overrides: int | None) -> ScaledStudy:
    """Return a study at a scale, with settings overridden in all runs.

    Raises
    ------
    InvalidInput
        If the scale is unknown, or a setting is not a positive integer.

    Examples
    --------
    >>> from byrote.studies.kinds import load_study
    >>> scaled = at_scale(load_study("onion"), records=300, fits=4, epochs=None)
    >>> scaled.runs[0].fits, scaled.size.records, dict(scaled.overridden)
    (4, 300, {'records': (300, None), 'fits': (4, 12)})
    """
    size, runs = study.scale(scale), study.runs(scale)
    values = {
        name: checks.integer(f"--{name}", value, at_least=1)
        for name, value in overrides.items()
        if value is not None
    }
    of_size = {name: value for name, value in values.items() if name in type(size).model_fields}
    of_runs = {name: value for name, value in values.items() if name not in of_size}
    declared = {name: {getattr(size, name)} for name in of_size}
    declared |= {name: {getattr(run, name) for run in runs} for name in of_runs}
    return ScaledStudy(
        study=study,
        scale=scale,
        size=size.model_copy(update=of_size),
        runs=tuple(run.override(of_runs) for run in runs),
        overridden={
            name: (value, _one_or_all(declared[name]))
            for name, value in values.items()
            if declared[name] != {value}
        },
    )


def _one_or_all(values: set[Any]) -> Any:
    return next(iter(values)) if len(values) == 1 else sorted(values)


Declared = TypeVar("Declared", bound=Study)


def read_declaration(form: type[Declared], name: str) -> Declared:
    """Read the study of this name that comes with byrote."""
    text = files("byrote.studies").joinpath(f"{name}.toml").read_text("utf-8")
    return parse_declaration(form, name, text)


def parse_declaration(form: type[Declared], name: str, text: str) -> Declared:
    """Parse the TOML text of a study.

    Raises
    ------
    CorruptFile
        If the text is not TOML, or does not declare a study of this form.
    """
    try:
        return form(name=name, **tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise CorruptFile(f"{name}.toml is not TOML: {error}") from None
    except ValidationError as error:
        raise CorruptFile(f"{name}.toml does not declare a study: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"].removeprefix("Value error, ")
