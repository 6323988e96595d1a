"""Data of a study at a scale, and the requests of its runs."""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.data import Corpus, Records, load, load_corpus
from byrote.data.canaries import Canary
from byrote.data.canary_records import Measurement
from byrote.data.id_lists import encode_ids
from byrote.data.records import random_rows
from byrote.errors import IncompleteRun, InvalidInput
from byrote.models import Dequantized, Flow, contract, registry
from byrote.plans import KFold, Probes, design_of
from byrote.runs.files import write_atomically
from byrote.runs.request import Request, Settings
from byrote.scores.exposure.score_exposure import exposure_request
from byrote.scores.memorization.pruning import prune
from byrote.scores.run import Run
from byrote.studies.kinds import AuditRun, CanaryRun, Pruning
from byrote.studies.planted_texts import StudyTexts
from byrote.studies.study import ScaledStudy

# A request, or a function that makes it from the study's folder and the earlier runs by name.
Planned = Request | Callable[[Path, Mapping[str, Run]], Request]


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


@dataclass(frozen=True, eq=False)
class StudyRecords:
    """The records of a study of mitigations, and others held out for validation."""

    scaled: ScaledStudy
    audited: Records
    validation: Records

    @classmethod
    def load(cls, scaled: ScaledStudy, data: str | None, **options: str | None) -> Self:
        """Load the records, and hold out a random subset of the others."""
        source = data or scaled.study.data
        everything = load(source, **options)
        total, apart = len(everything), scaled.size.validation
        count = max(total - apart, 0) if scaled.size.records is None else scaled.size.records
        if not 2 <= count <= total - apart:
            raise InvalidInput(
                f"--records must leave {apart} of the {total} records of {source} for validation,"
                f" and be 2 or more; got {count}"
            )
        rows = np.setdiff1d(random_rows(total, count + apart), random_rows(total, count))
        validation = replace(
            everything, x=everything.x[rows], ids=everything.ids[rows], labels=None
        )
        return cls(scaled, load(source, records=count, **options), validation)

    def requests(self, settings: Settings) -> dict[str, Planned]:
        """Return the request of each run by name; for pruned ones, a function of earlier runs."""
        return {
            run.name: self._request_all(run, settings)
            if run.pruned is None
            else self._request_pruned(run, run.pruned, settings)
            for run in self.scaled.runs
        }

    def source(self) -> list[str]:
        """Return the options that name the records."""
        words = ["--data", self.audited.source]
        for name in ("key", "labels"):
            words += (
                [f"--{name}", self.audited.options[name]] if name in self.audited.options else []
            )
        return words

    def _request_all(self, run: AuditRun, settings: Settings) -> Request:
        count = len(self.audited)
        plan = Probes(min(run.probes, count), run.fits)
        scored = design_of(plan, count, settings.seed + run.probe_seed).scored
        probes = self.audited.ids[scored]
        return self._request(run, self.audited, probes, settings)

    def _request_pruned(self, run: AuditRun, pruned: Pruning, settings: Settings) -> Planned:
        def request(out: Path, runs: Mapping[str, Run]) -> Request:
            if pruned.after not in runs:
                raise IncompleteRun(f"no fit of {pruned.after} is finished")
            ids, probes = remaining(runs[pruned.after], pruned, seed=settings.seed + run.seed)
            listed = out / f"{run.name}.csv"
            write_atomically(listed, encode_ids(ids, listed.suffix))
            stay = np.isin(self.audited.ids, ids)
            records = replace(
                self.audited,
                x=self.audited.x[stay],
                ids=self.audited.ids[stay],
                labels=None if self.audited.labels is None else self.audited.labels[stay],
                options={**self.audited.options, "only": str(listed.resolve())},
            )
            return self._request(run, records, probes, settings)

        return request

    def _request(
        self, run: AuditRun, records: Records, probes: NDArray[Any], settings: Settings
    ) -> Request:
        parameters = dict(run.model)
        if "epochs" in registry.settable(run.kind):
            parameters["epochs"] = run.epochs
        if run.validation:
            model = registry.build(run.kind, run.model)
            parameters["validation"] = contract.as_input(model, self.validation.x)
        model = registry.build(run.kind, parameters)
        if self.scaled.study.dequantized and not isinstance(model, Flow):
            model = Dequantized(model)
        model, records = contract.prepared(model, records)
        return Request(
            model=model,
            records=records,
            plan=Probes(probes.tolist(), run.fits),
            settings=replace(settings, seed=settings.seed + run.seed),
        )


StudyData = StudyImages | StudyText | StudyRecords | StudyTexts


def load_data(scaled: ScaledStudy, data: str | None = None, **options: str | None) -> StudyData:
    """Load the data of a study (default: the data set that it declares).

    Raises
    ------
    InvalidInput
        If the data cannot be loaded, are too few, or do not have the shape that the study declares.
    """
    if scaled.study.kind in ("exposure", "recitation"):
        of_texts = StudyText if scaled.study.kind == "exposure" else StudyTexts
        return of_texts.load(scaled, data)
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


def remaining(run: Run, pruning: Pruning, *, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the ids of the records that pruning keeps, and of the probes among them.

    Raises
    ------
    IncompleteRun
        If fits of the run are missing.
    """
    result = run.memorization()
    removed = prune(result, top=pruning.top).removed
    scored = ~np.isnan(result.score)
    gone = np.isin(result.ids, removed)
    if pruning.at == "random":
        generator = seeds.generator(seed, seeds.Purpose.CHOICE, len(result))
        rows = generator.choice(np.flatnonzero(scored), len(removed), replace=False)
        gone = np.isin(np.arange(len(result)), rows)
    return result.ids[~gone], result.ids[~gone & scored]
