"""What a study of exposure is: named configurations, each a run, declared in a TOML file."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

from byrote import checks
from byrote.studies.toml_file import parse

NAMES = (
    "exposure-over-training",
    "exposure-by-insertions",
    "exposure-pareto",
    "skew-normal-fit",
    "dp-exposure",
)
SCALES = ("small", "full")

Texts = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]  # TOML has lists
Levels = Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1)]
Share = Annotated[float, Field(ge=0, lt=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Configuration(_Part):
    """One run of a study: what is trained, and what is planted and measured.

    ``track`` says whether exposure is measured after every report of training, too; ``model`` holds
    the parameters of the model named ``kind``, its epochs aside.
    """

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9.-]*$")]
    title: str
    patterns: Texts
    insertions: Levels
    canaries_per_level: PositiveInt
    controls: NonNegativeInt
    references: PositiveInt
    method: Literal["auto", "search", "none"]
    max_queries: PositiveInt
    held_out: Share
    within: Annotated[float, Field(gt=0, le=1)] = 1.0
    track: bool = False
    keep_models: Literal["none", "release"] = "none"
    fits: PositiveInt
    epochs: PositiveInt
    kind: str
    model: dict[str, Any]


class Scale(_Part):
    """How large a study is, and what that changes in all of its configurations.

    characters: of the text, its first ones; all if not given. epochs_at_most: where more are
    declared. settings, model: in place of the configurations' own.
    """

    characters: PositiveInt | None = None
    epochs_at_most: PositiveInt | None = None
    minutes: PositiveInt
    settings: dict[str, Any] = Field(default_factory=dict)
    model: dict[str, Any] = Field(default_factory=dict)


class ExposureStudy(_Part):
    """One study at two scales.

    Examples
    --------
    >>> study = load_exposure_study("exposure-over-training")
    >>> [one.name for one in study.configurations("full")], study.data
    (['by-epoch', 'by-batch'], 'python-help')
    """

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
    def _each_scale(self) -> "ExposureStudy":
        for scale in SCALES:
            names = [one.name for one in self.configurations(scale)]
            if len(set(names)) < len(names):
                raise ValueError("configurations must have different names")
        return self

    def scale(self, name: str) -> Scale:
        """One of the two, by name."""
        return self.full if checks.choice("--scale", name, SCALES) == "full" else self.small

    def configurations(self, scale: str) -> tuple[Configuration, ...]:
        """What is run at a scale: common settings, each configuration's own, and the scale's.

        A configuration's own may differ at one scale, in a table of that name.
        """
        size = self.scale(scale)
        return tuple(
            _shortened(Configuration(**_merged(self.common, _at(scale, own), vars(size))), size)
            for own in self.configuration
        )


def _at(scale: str, own: Mapping[str, Any]) -> dict[str, Any]:
    common = {name: value for name, value in own.items() if name not in SCALES}
    return {**common, **own.get(scale, {})}


def _merged(
    common: Mapping[str, Any], own: Mapping[str, Any], scale: Mapping[str, Any]
) -> dict[str, Any]:
    models = (common.get("model", {}), own.get("model", {}), scale["model"])
    model = {name: value for given in models for name, value in given.items()}
    return {**common, **own, **scale["settings"], "model": model}


def _shortened(configuration: Configuration, scale: Scale) -> Configuration:
    most = scale.epochs_at_most or configuration.epochs
    return configuration.model_copy(update={"epochs": min(configuration.epochs, most)})


def load_exposure_study(name: str) -> ExposureStudy:
    """A study that comes with byrote.

    Raises
    ------
    InvalidInput
        If there is none of that name; the message suggests the nearest.
    """
    checks.choice("study", name, NAMES)
    return parse_exposure_study(
        name, files("byrote.studies.exposure").joinpath(f"{name}.toml").read_text("utf-8")
    )


def parse_exposure_study(name: str, text: str) -> ExposureStudy:
    """A study from the text of its file.

    Raises
    ------
    CorruptFile
        If the text is no TOML, or not of the form of a study; the message says where.
    """
    return parse(ExposureStudy, name, text)
