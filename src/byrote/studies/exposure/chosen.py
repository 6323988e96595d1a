"""A study of exposure at a scale, with what was overridden: from it to the requests of its runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from byrote.data.canaries import Canary
from byrote.data.canary_records import Measurement
from byrote.data.corpus import Corpus, load_corpus
from byrote.errors import InvalidInput
from byrote.fits.request import Request, Settings
from byrote.models import catalogue
from byrote.scores.exposure.score_exposure import exposure_request
from byrote.studies.configured import command_of, overrides
from byrote.studies.exposure.declaration import Configuration, ExposureStudy


@dataclass(frozen=True)
class ChosenExposureStudy:
    """A study at a scale.

    Attributes
    ----------
    study
        As declared.
    scale
        "small" or "full".
    configurations
        What is run, with what was overridden.
    characters
        Of the text, its first ones; None for all.
    overridden
        By name: what was asked for in place of what was declared (None: all characters; several
        numbers where configurations differ).
    """

    study: ExposureStudy
    scale: str
    configurations: tuple[Configuration, ...]
    characters: int | None
    overridden: Mapping[str, tuple[int, Any]]

    def load(self, data: str | None = None) -> Corpus:
        """The text of the study: what it declares if none is named.

        Raises
        ------
        InvalidInput
            If it cannot be loaded or is too short.
        """
        return load_corpus(data or self.study.data, characters=self.characters)

    def requests(self, corpus: Corpus, settings: Settings) -> dict[str, Request]:
        """The run of each configuration, by name; seed, workers and the like are shared."""
        return {one.name: request_of(one, corpus, settings) for one in self.configurations}

    def command(self, corpus: Corpus, settings: Settings, out: Path) -> str:
        """The ``byrote study`` command that makes the same runs."""
        words = [self.study.name, "--data", corpus.source]
        return command_of(words, self.scale, self.overridden, settings, out)


def choose(
    study: ExposureStudy,
    scale: str = "small",
    *,
    characters: int | None = None,
    fits: int | None = None,
    epochs: int | None = None,
) -> ChosenExposureStudy:
    """A study at a scale, some of it overridden in all of its configurations.

    Raises
    ------
    InvalidInput
        If the scale is unknown or a number is none.

    Examples
    --------
    >>> from byrote.studies.exposure.declaration import load_exposure_study
    >>> chosen = choose(load_exposure_study("skew-normal-fit"), epochs=1)
    >>> [one.epochs for one in chosen.configurations], list(chosen.overridden)
    ([1], ['epochs'])
    """
    declared = study.configurations(scale)
    before = {name: {getattr(one, name) for one in declared} for name in ("fits", "epochs")}
    before["characters"] = {study.scale(scale).characters}
    asked = {"characters": characters, "fits": fits, "epochs": epochs}
    changed = overrides(asked, before)
    own = {name: value for name, (value, _) in changed.items()}
    return ChosenExposureStudy(
        study=study,
        scale=scale,
        characters=own.pop("characters", study.scale(scale).characters),
        configurations=tuple(one.model_copy(update=own) for one in declared),
        overridden=changed,
    )


def request_of(configuration: Configuration, corpus: Corpus, settings: Settings) -> Request:
    """The run of a configuration."""
    one = configuration
    model = catalogue.build(one.kind, {**one.model, "epochs": one.epochs})
    asked: dict[str, Any] = {
        "insertions": one.insertions,
        "canaries_per_level": one.canaries_per_level,
        "controls": one.controls,
        "fits": one.fits,
        "measurement": Measurement(one.references, one.method, one.max_queries),
        "held_out": one.held_out,
        "within": one.within,
        "settings": replace(settings, keep_models=one.keep_models),
    }
    patterns = [Canary(text) for text in one.patterns]
    request = exposure_request(model, corpus, patterns, **asked)
    return replace(request, track=range(1, reports_of(request) + 1)) if one.track else request


def reports_of(request: Request) -> int:
    """How often the model of a run will report in each of its fits.

    Raises
    ------
    InvalidInput
        If fits have texts so different in length that they do not report equally often.
    """
    design = request.plan.draw(request.context())
    counts = {request.reports(design, fit) or 0 for fit in range(design.fits)}
    if len(counts) > 1:
        raise InvalidInput(
            "a study that follows training by batches needs fits that report equally often;"
            f" got {', '.join(map(str, sorted(counts)))} reports"
        )
    return counts.pop()
