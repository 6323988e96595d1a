"""Texts of a study of recitation that holds each of them out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from byrote.data.records import random_rows
from byrote.data.text_records import TextRecords
from byrote.data.text_sources import load_texts
from byrote.models import contract, registry
from byrote.models.extras import check_installed
from byrote.plans import KFold
from byrote.runs.request import Request, Settings
from byrote.scores.run import Run
from byrote.studies.audited_records import Planned
from byrote.studies.pretraining import train_tokenizer
from byrote.studies.recitation_kind import CrossValidatedRun
from byrote.studies.study import ScaledStudy


@dataclass(frozen=True, eq=False)
class HeldOutTexts:
    """The texts of a study, each in training in some fits and held out in others."""

    scaled: ScaledStudy
    texts: TextRecords

    @classmethod
    def load(cls, scaled: ScaledStudy, data: str | None) -> Self:
        """Load the texts, or a random subset of the scale's size."""
        texts = load_texts(data or scaled.study.data)
        count = min(scaled.size.records or len(texts), len(texts))
        return cls(scaled, texts.take(random_rows(len(texts), count)))

    def requests(self, settings: Settings) -> Mapping[str, Planned]:
        """Return functions that train the tokenizer in the study's folder and make the requests."""
        check_installed("transformers")
        return {run.name: self._planned(run, settings) for run in self.scaled.runs}

    def source(self) -> list[str]:
        """Return the option that names the texts."""
        return ["--data", self.texts.source]

    def _planned(self, run: CrossValidatedRun, settings: Settings) -> Planned:
        def request(out: Path, runs: Mapping[str, Run]) -> Request:
            del runs
            folder = out.resolve() / f"tokenizer-{run.vocabulary}"
            train_tokenizer(self.texts.texts, run.vocabulary, folder)
            parameters = {**run.model, "epochs": run.epochs, "tokenizer": str(folder)}
            model, texts = contract.prepared(registry.build(run.kind, parameters), self.texts)
            return Request(
                model=model,
                records=texts,
                plan=KFold(run.folds, repeats=run.repeats),
                settings=replace(settings, keep_models="all"),
            )

        return request
