"""What a study of exposure is: named configurations, each a run, declared in a TOML file."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from byrote import checks
from byrote.studies import configured
from byrote.studies.configured import ConfiguredStudy, Texts, load_declared
from byrote.studies.toml_file import parse

NAMES = (
    "exposure-over-training",
    "exposure-by-insertions",
    "exposure-pareto",
    "skew-normal-fit",
    "dp-exposure",
)

Levels = Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Configuration(configured.Configuration):
    """One run of a study: what is trained, and what is planted and measured.

    ``track`` says whether exposure is measured after every report of training, too.
    """

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


class Scale(configured.Scale):
    """How large a study is. characters: of the text, its first ones; all if not given."""

    characters: PositiveInt | None = None


class ExposureStudy(ConfiguredStudy):
    """One study at two scales.

    Examples
    --------
    >>> study = load_exposure_study("exposure-over-training")
    >>> [one.name for one in study.configurations("full")], study.data
    (['by-epoch', 'by-batch'], 'python-help')
    """

    form: ClassVar[type[configured.Configuration]] = Configuration

    small: Scale
    full: Scale

    def scale(self, name: str) -> Scale:
        """One of the two, by name."""
        found = super().scale(name)
        assert isinstance(found, Scale)  # noqa: S101 (as declared above)
        return found


def load_exposure_study(name: str) -> ExposureStudy:
    """A study that comes with byrote.

    Raises
    ------
    InvalidInput
        If there is none of that name; the message suggests the nearest.
    """
    checks.choice("study", name, NAMES)
    return load_declared(ExposureStudy, "byrote.studies.exposure", name)


def parse_exposure_study(name: str, text: str) -> ExposureStudy:
    """A study from the text of its file.

    Raises
    ------
    CorruptFile
        If the text is no TOML, or not of the form of a study; the message says where.
    """
    return parse(ExposureStudy, name, text)
