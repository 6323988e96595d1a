"""What a study is: the form of its TOML file."""

from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from byrote import checks
from byrote.studies.toml_file import parse

NAMES = ("mnist-1e-3", "mnist-1e-4", "cifar10", "celeba")
SCALES = ("small", "paper")

Whole = Annotated[tuple[PositiveInt, ...], Field(strict=False)]  # TOML has lists


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DataPart(_Part):
    """How the data are loaded, the shape of a record then, and how many the paper has."""

    image: str | None = None
    shape: Whole
    records: PositiveInt


class ModelPart(_Part):
    """The model by its name in the catalogue, and the parameters that both scales share."""

    name: str
    parameters: dict[str, Any]


class PublishedFigure(_Part):
    """A figure as printed: a number, words, or both; neither where the paper gives none."""

    value: float | None = None
    note: str = ""

    def __str__(self) -> str:
        number = "" if self.value is None else f"{self.value:,g}"
        return " ".join(filter(None, [self.note, number])) or "–"


class Published(_Part):
    """What the paper reports of the scores M, in nats, and of the highly memorized records."""

    median: PublishedFigure = PublishedFigure()
    minimum: PublishedFigure = PublishedFigure()
    maximum: PublishedFigure = PublishedFigure()
    q95: PublishedFigure = PublishedFigure()
    central_share: PublishedFigure = PublishedFigure()


class Scale(_Part):
    """How large the study is: its K-fold plan, training, evaluation, and number of records."""

    folds: Annotated[int, Field(ge=2)]
    repeats: PositiveInt
    epochs: PositiveInt
    draws: PositiveInt
    redraw: bool
    track: Whole
    records: PositiveInt | None = None
    keep_models: Literal["release", "all"]

    @model_validator(mode="after")
    def _in_order(self) -> "Scale":
        if list(self.track) != sorted(set(self.track)) or max(self.track, default=0) > self.epochs:
            raise ValueError("track must rise and end by the last epoch")
        return self


class Study(_Part):
    """One experiment of the paper at two scales.

    Examples
    --------
    >>> study = load_study("mnist-1e-3")
    >>> study.paper.folds, study.paper.repeats, str(study.published.median)
    (10, 10, '4.4')
    """

    name: str
    title: str
    source: str
    data: DataPart
    model: ModelPart
    published: Published
    paper: Scale
    small: Scale

    def scale(self, name: str) -> Scale:
        """One of the two, by name."""
        return self.paper if checks.choice("--scale", name, SCALES) == "paper" else self.small


def load_study(name: str) -> Study:
    """A study that comes with byrote.

    Raises
    ------
    InvalidInput
        If there is none of that name; the message suggests the nearest.
    """
    checks.choice("study", name, NAMES)
    return parse_study(name, files("byrote.studies").joinpath(f"{name}.toml").read_text("utf-8"))


def parse_study(name: str, text: str) -> Study:
    """A study from the text of its file.

    Raises
    ------
    CorruptFile
        If the text is no TOML, or not of the form of a study; the message says where.
    """
    return parse(Study, name, text)
