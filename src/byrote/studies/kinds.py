"""The kinds of studies: published scores, exposure, mitigations and families, recitation."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from byrote import checks
from byrote.errors import InvalidInput
from byrote.studies.audit_kind import MitigationStudy
from byrote.studies.recitation_kind import CounterfactualStudy, RecitationStudy
from byrote.studies.study import (
    DeclaredRun,
    Integers,
    Part,
    Scale,
    Study,
    Texts,
    read_declaration,
)


class KFoldRun(DeclaredRun):
    """A run with a K-fold plan."""

    folds: Annotated[int, Field(ge=2)]
    repeats: PositiveInt
    track: Integers
    keep_models: Literal["release", "all"]

    @model_validator(mode="after")
    def _check_track(self) -> Self:
        if list(self.track) != sorted(set(self.track)) or max(self.track, default=0) > self.epochs:
            raise ValueError("track must be increasing and not exceed the last epoch")
        return self

    def override(self, settings: Mapping[str, int]) -> Self:
        """Return the run with other settings; it tracks its last epoch, and none after it."""
        last = settings.get("epochs", self.epochs)
        track = (*(epoch for epoch in self.track if epoch < last), last)
        return self.model_copy(update={**settings, "track": track})

    def scaled_settings(self) -> dict[str, Any]:
        """Return the settings that a scale may change, by name."""
        settings = {name: getattr(self, name) for name in ("folds", "repeats", "epochs")}
        return {**settings, **{name: self.model[name] for name in ("draws", "redraw")}}


class ScoreScale(Scale):
    """A scale of a study of scores. records: size of a fixed random subset (default: all)."""

    records: PositiveInt | None = None


class Images(Part):
    """Transformation and shape of the images, and the number of records in the paper."""

    image: str | None = None
    shape: Integers
    records: PositiveInt


class PublishedFigure(Part):
    """A printed figure: a number, words, or both; neither if the paper gives none."""

    value: float | None = None
    note: str = ""

    def __str__(self) -> str:
        number = "" if self.value is None else f"{self.value:,g}"
        return " ".join(filter(None, [self.note, number])) or "–"


class PublishedScores(Part):
    """Figures of the paper: the scores M in nats, and the highly memorized records."""

    median: PublishedFigure = PublishedFigure()
    minimum: PublishedFigure = PublishedFigure()
    maximum: PublishedFigure = PublishedFigure()
    q95: PublishedFigure = PublishedFigure()
    central_share: PublishedFigure = PublishedFigure()


class ScoreStudy(Study):
    """An experiment of the paper: one run, its scores compared with the published ones."""

    kind: ClassVar[str] = "scores"
    run_form: ClassVar[type[DeclaredRun]] = KFoldRun
    scales: ClassVar[tuple[str, str]] = ("small", "paper")
    options: ClassVar[tuple[str, ...]] = (
        "records", "repeats", "validation", "validation_part", "key", "labels", "dry_run",
    )  # fmt: skip

    images: Images
    published: PublishedScores
    small: ScoreScale
    paper: ScoreScale


class CanaryRun(DeclaredRun):
    """A run that plants canaries and measures their exposure.

    track: also measure after every report of training.
    """

    fits: PositiveInt
    patterns: Texts
    insertions: Annotated[Integers, Field(min_length=1)]
    canaries_per_level: PositiveInt
    controls: NonNegativeInt
    references: PositiveInt
    method: Literal["auto", "search", "none"]
    max_queries: PositiveInt
    held_out: Annotated[float, Field(ge=0, lt=1)]
    within: Annotated[float, Field(gt=0, le=1)] = 1.0
    track: bool = False
    keep_models: Literal["none", "release"] = "none"


class TextScale(Scale):
    """A scale of a study of exposure. characters: use the first N of the text (default: all)."""

    minutes: PositiveInt
    characters: PositiveInt | None = None


class ExposureStudy(Study):
    """A study of the exposure of planted secrets."""

    kind: ClassVar[str] = "exposure"
    run_form: ClassVar[type[DeclaredRun]] = CanaryRun
    options: ClassVar[tuple[str, ...]] = ("fits", "characters")

    data: str
    published: Texts
    small: TextScale
    full: TextScale


_SCORES = ("mnist-1e-3", "mnist-1e-4", "cifar10", "celeba")
_EXPOSURE = ("exposure-over-training", "exposure-by-insertions", "exposure-pareto",
             "skew-normal-fit", "dp-exposure")  # fmt: skip
_AUDITS = ("mitigations", "onion", "families", "diffusion-size", "random-labels")
FORMS: Mapping[str, type[Study]] = {
    **dict.fromkeys(("mnist-1e-3", "mnist-1e-4", "cifar10", "celeba"), ScoreStudy),
    **dict.fromkeys(_EXPOSURE, ExposureStudy),
    **dict.fromkeys(_AUDITS, MitigationStudy),
    "recitation-by-copies": RecitationStudy,
    "fine-tuned-on-mails": RecitationStudy,
    "memorized-or-predictable": CounterfactualStudy,
}
NAMES = tuple(FORMS)


def load_study(name: str) -> Any:
    """Load a study that comes with byrote.

    Raises
    ------
    InvalidInput
        If the name is unknown; the message suggests the nearest.

    Examples
    --------
    >>> study = load_study("mnist-1e-3")
    >>> study.runs("paper")[0].folds, str(study.published.median)
    (10, '4.4')
    """
    return read_declaration(FORMS[checks.choice("study", name, NAMES)], name)


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """Reject options that do not apply to a study.

    Raises
    ------
    InvalidInput
        If an option does not apply, or the study is unknown.
    """
    form = FORMS[checks.choice("study", name, NAMES)]
    for option in sorted({option for kind in FORMS.values() for option in kind.options}):
        if option not in form.options and options.get(option) not in (None, False):
            applicable = ", ".join(map(_spelled, (*form.options, "epochs")))
            raise InvalidInput(
                f"{_spelled(option)} does not apply to the study {name}; use {applicable}"
            )
    if form is ScoreStudy and options.get("data") is None:
        raise InvalidInput(f"--data must name the data set for the study {name}")


def _spelled(option: str) -> str:
    return f"--{option.replace('_', '-')}"
