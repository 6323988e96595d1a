"""The kinds of studies: published scores, exposure, mitigations and families, recitation."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from byrote import checks
from byrote.errors import InvalidInput
from byrote.studies.recitation_kind import RecitationStudy
from byrote.studies.study import (
    DeclaredRun,
    Integers,
    Name,
    Part,
    Scale,
    Study,
    Texts,
    read_declaration,
)

Fraction = Annotated[float, Field(gt=0, lt=1)]


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


class Pruning(Part):
    """Removal of a share of the records scored by another run.

    at: the most memorized ("highest"), or as many at random.
    """

    after: Name
    top: Fraction
    at: Literal["highest", "random"] = "highest"


class AuditRun(DeclaredRun):
    """A run whose probes are in half of the fits each.

    seed, probe_seed: added to the study's seed, for the run and for the choice of its probes.
    validation: pass the held-out records as the model's parameter ``validation``. baseline: name of
    the run that it is compared with.
    """

    fits: PositiveInt
    probes: PositiveInt
    seed: NonNegativeInt = 0
    probe_seed: NonNegativeInt = 0
    validation: bool = False
    pruned: Pruning | None = None
    baseline: Name = "plain"


class AuditScale(Scale):
    """A scale of a study of mitigations.

    validation: number of held-out records. records: size of a fixed random subset of the others
    (default: all). replications: number of repetitions of all rounds of pruning.
    """

    minutes: PositiveInt
    validation: PositiveInt
    records: PositiveInt | None = None
    replications: PositiveInt = 1


class PruningRounds(Part):
    """Rounds of pruning a share of the records and training again, with a random control."""

    rounds: PositiveInt
    top: Fraction


class MitigationStudy(Study):
    """A study of models that audit the same probes: mitigations, pruning, families of models.

    dequantized: all models score logits of levels made continuous, as flows do (``Dequantized``).

    Examples
    --------
    >>> study = load_study("onion")
    >>> [run.name for run in study.runs("small")][:4]
    ['1-all', '1-pruned-1', '1-pruned-2', '1-pruned-3']
    """

    kind: ClassVar[str] = "mitigations"
    run_form: ClassVar[type[DeclaredRun]] = AuditRun
    options: ClassVar[tuple[str, ...]] = ("records", "fits", "key", "labels")

    data: str
    published: Texts
    dequantized: bool = False
    small: AuditScale
    full: AuditScale
    pruning: PruningRounds | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        for scale in self.scales:
            earlier: set[str] = set()
            runs = self.runs(scale)
            for run in runs:
                if run.pruned is not None and run.pruned.after not in earlier:
                    raise ValueError(f"{run.name} must come after {run.pruned.after}")
                earlier.add(run.name)
            unknown = {run.baseline for run in runs} - earlier
            if unknown and self.pruning is None:
                raise ValueError(f"baseline must name a run; got {min(unknown)}")
        return self

    def runs(self, scale: str) -> tuple[Any, ...]:
        """Return the runs at a scale, or the rounds of pruning of each replication."""
        runs = super().runs(scale)
        if self.pruning is None:
            return runs
        replications = range(self.scale(scale).replications)
        return tuple(run for r in replications for run in _onion(runs[0], self.pruning, r))


def _onion(run: AuditRun, pruning: PruningRounds, replication: int) -> list[AuditRun]:
    """Return one replication: a run on all records, then the rounds of both ways of pruning."""
    seeds, label = {"seed": replication, "probe_seed": replication}, replication + 1
    runs = [run.model_copy(update={**seeds, "name": f"{label}-all"})]
    for at, word in (("highest", "pruned"), ("random", "random")):
        after = f"{label}-all"
        for number in range(1, pruning.rounds + 1):
            name = f"{label}-{word}-{number}"
            title = f"{run.title}, round {number}, {word}"
            pruned = Pruning(after=after, top=pruning.top, at=at)  # type: ignore[arg-type]
            named = {"name": name, "title": title, "pruned": pruned}
            runs.append(run.model_copy(update={**seeds, **named}))
            after = name
    return runs


_EXPOSURE = ("exposure-over-training", "exposure-by-insertions", "exposure-pareto",
             "skew-normal-fit", "dp-exposure")  # fmt: skip
FORMS: Mapping[str, type[Study]] = {
    **dict.fromkeys(("mnist-1e-3", "mnist-1e-4", "cifar10", "celeba"), ScoreStudy),
    **dict.fromkeys(_EXPOSURE, ExposureStudy),
    **dict.fromkeys(("mitigations", "onion", "families"), MitigationStudy),
    **dict.fromkeys(("recitation-by-copies",), RecitationStudy),
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
