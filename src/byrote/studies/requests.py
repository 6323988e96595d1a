"""Data of a study at a scale, and the requests of its runs."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from byrote.data import Corpus, Records, load, load_corpus
from byrote.data.canaries import Canary
from byrote.data.canary_records import Measurement
from byrote.errors import InvalidInput
from byrote.models import registry
from byrote.plans import KFold
from byrote.runs.request import Request, Settings
from byrote.scores.exposure.score_exposure import exposure_request
from byrote.studies.audited_records import Planned, StudyRecords
from byrote.studies.held_out_texts import HeldOutTexts
from byrote.studies.kinds import CanaryRun
from byrote.studies.planted_texts import StudyTexts
from byrote.studies.study import ScaledStudy


@dataclass(frozen=True, eq=False)
class StudyImages:
    """The images of a study of scores."""

    scaled: ScaledStudy
    records: Records

    @classmethod
    def load(cls, scaled: ScaledStudy, data: str | None, **options: str | None) -> Self:
        """Load the images, in the shape that the study declares."""
        images = scaled.study.images
        records = load(data or "", image=images.image, records=scaled.size.records, **options)
        if records.shape != images.shape:
            words = "" if images.image is None else f" after --image {images.image}"
            raise InvalidInput(
                f"--data must hold {_described(images.shape)}{words} for the study"
                f" {scaled.study.name}; got {_described(records.shape)}"
            )
        return cls(scaled, records)

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the model that the study sets, those that a scale changes last."""
        run = self.scaled.runs[0]
        changed = {name: run.model[name] for name in ("draws", "redraw")}
        fixed = {name: value for name, value in run.model.items() if name not in changed}
        return {**fixed, "epochs": run.epochs, **changed}

    def requests(self, settings: Settings) -> dict[str, Planned]:
        """Return the request of the run."""
        run = self.scaled.runs[0]
        request = Request(
            model=registry.build(run.kind, self.parameters),
            records=self.records,
            plan=KFold(run.folds, repeats=run.repeats),
            settings=replace(settings, keep_models=run.keep_models),
            track=run.track,
        )
        return {run.name: request}

    def source(self) -> list[str]:
        """Return the options that name the images."""
        return ["--data", self.records.source]

    def score_command(self, settings: Settings, out: Path) -> str:
        """Return the ``byrote score`` command that makes the same run."""
        run, words = self.scaled.runs[0], ["byrote", "score", self.records.source]
        for name, value in self.records.options.items():
            words += [f"--{name}", value]
        words += ["--model", run.kind]
        for name, value in self.parameters.items():
            words += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
        words += ["--folds", str(run.folds), "--repeats", str(run.repeats)]
        words += ["--track", ",".join(map(str, run.track)), "--keep-models", run.keep_models]
        return shlex.join([*words, *_settings(settings, out)])


def _described(shape: tuple[int, ...]) -> str:
    if len(shape) == 1:
        return f"rows of {shape[0]} numbers"
    colour = "grey" if len(shape) == 2 else {1: "one-channel", 3: "colour"}.get(shape[2], "other")
    return f"{colour} images of {shape[0]} x {shape[1]} pixels"


@dataclass(frozen=True, eq=False)
class StudyText:
    """The text of a study of exposure."""

    scaled: ScaledStudy
    corpus: Corpus

    @classmethod
    def load(cls, scaled: ScaledStudy, data: str | None) -> Self:
        """Load the text, up to the number of characters of the scale."""
        return cls(
            scaled, load_corpus(data or scaled.study.data, characters=scaled.size.characters)
        )

    def requests(self, settings: Settings) -> dict[str, Planned]:
        """Return the request of each run by name; all share the settings."""
        return {run.name: self._request(run, settings) for run in self.scaled.runs}

    def source(self) -> list[str]:
        """Return the option that names the text."""
        return ["--data", self.corpus.source]

    def _request(self, run: CanaryRun, settings: Settings) -> Request:
        model = registry.build(run.kind, {**run.model, "epochs": run.epochs})
        planted: dict[str, Any] = {
            "insertions": run.insertions,
            "canaries_per_level": run.canaries_per_level,
            "controls": run.controls,
            "fits": run.fits,
            "measurement": Measurement(run.references, run.method, run.max_queries),
            "held_out": run.held_out,
            "within": run.within,
            "settings": replace(settings, keep_models=run.keep_models),
        }
        patterns = [Canary(text) for text in run.patterns]
        request = exposure_request(model, self.corpus, patterns, **planted)
        return (
            replace(request, track=range(1, count_reports(request) + 1)) if run.track else request
        )


def count_reports(request: Request) -> int:
    """Return the number of reports of the model in each fit of a run.

    Raises
    ------
    InvalidInput
        If fits differ in their number of reports.
    """
    design = request.plan.draw(request.context())
    counts = {request.reports(design, fit) or 0 for fit in range(design.fits)}
    if len(counts) > 1:
        raise InvalidInput(
            "fits of a study that tracks batches must have the same number of reports;"
            f" got {', '.join(map(str, sorted(counts)))}"
        )
    return counts.pop()


StudyData = StudyImages | StudyText | StudyRecords | StudyTexts | HeldOutTexts
_OF_TEXTS: Mapping[str, type[StudyText | StudyTexts | HeldOutTexts]] = {
    "exposure": StudyText,
    "recitation": StudyTexts,
    "counterfactual": HeldOutTexts,
}


def load_data(scaled: ScaledStudy, data: str | None = None, **options: str | None) -> StudyData:
    """Load the data of a study (default: the data set that it declares).

    Raises
    ------
    InvalidInput
        If the data cannot be loaded, are too few, or do not have the shape that the study declares.
    """
    if scaled.study.kind in _OF_TEXTS:
        return _OF_TEXTS[scaled.study.kind].load(scaled, data)
    kind = StudyImages if scaled.study.kind == "scores" else StudyRecords
    return kind.load(scaled, data, **options)


def study_command(data: StudyData, settings: Settings, out: Path) -> str:
    """Return the ``byrote study`` command that makes the same runs."""
    scaled = data.scaled
    words = ["byrote", "study", scaled.study.name, *data.source(), "--scale", scaled.scale]
    for name, (value, _) in scaled.overridden.items():
        words += [f"--{name}", str(value)]
    return shlex.join([*words, *_settings(settings, out)])


def _settings(settings: Settings, out: Path) -> list[str]:
    words = ["--seed", str(settings.seed), "--threads", str(settings.threads)]
    return [*words, "--workers", str(settings.workers), "--out", str(out)]
