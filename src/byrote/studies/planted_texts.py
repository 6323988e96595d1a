"""Texts of a study of recitation: some of them planted several times among the others."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.data.records import random_rows
from byrote.data.text_records import TextRecords
from byrote.data.text_sources import load_texts
from byrote.errors import InvalidInput
from byrote.models import contract, registry
from byrote.models.extras import check_installed
from byrote.plans import Grouped, Probes
from byrote.runs.request import Request, Settings
from byrote.scores.run import Run
from byrote.studies.audited_records import Planned
from byrote.studies.pretraining import pretrain
from byrote.studies.recitation_kind import PlantedRun, Pretraining
from byrote.studies.study import ScaledStudy


@dataclass(frozen=True, eq=False)
class StudyTexts:
    """The texts of a study of recitation, each long enough for a window."""

    scaled: ScaledStudy
    texts: TextRecords

    @classmethod
    def load(cls, scaled: ScaledStudy, data: str | None) -> Self:
        """Load the texts that are long enough, or a random subset of the scale's size."""
        study, runs = scaled.study, scaled.runs
        source = data or study.data
        texts = load_texts(source, unit=study.unit if source == study.data else None)
        length = max(run.prefix + run.suffix for run in runs)
        texts = texts.take(
            np.flatnonzero([len(text) >= length for text in texts.texts])  # of a character or more
        )
        needed = 1 + max(run.planted * len(run.copies) for run in runs)
        count = min(scaled.size.records or len(texts), len(texts))
        if count < needed:
            raise InvalidInput(
                f"--records must leave {needed} texts or more, and --data have as many of at least"
                f" {length} characters; got {count}"
            )
        return cls(scaled, texts.take(random_rows(len(texts), count)))

    def requests(self, settings: Settings) -> Mapping[str, Planned]:
        """Return the request of each run by name; runs that declare the same plant the same.

        Of runs that fine-tune: functions that pretrain the model in the study's folder first.
        """
        pretraining = self.scaled.study.pretraining
        if pretraining is None:
            return {run.name: self._request(run, settings) for run in self.scaled.runs}
        check_installed("transformers")
        return {run.name: self._fine_tuned(run, pretraining, settings) for run in self.scaled.runs}

    def source(self) -> list[str]:
        """Return the option that names the texts."""
        return ["--data", self.texts.source]

    def _fine_tuned(self, run: PlantedRun, pretraining: Pretraining, settings: Settings) -> Planned:
        def request(out: Path, runs: Mapping[str, Run]) -> Request:
            del runs
            folder = out.resolve() / "pretrained"
            pretrain(pretraining, folder, settings)
            whole = self._request(run, settings, path=str(folder))
            model, texts = contract.prepared(whole.model, whole.records)
            return replace(whole, model=model, records=texts)

        return request

    def _request(self, run: PlantedRun, settings: Settings, **parameters: Any) -> Request:
        copies = planted_copies(run, len(self.texts), settings.seed)
        texts, group = plant(self.texts, copies)
        probes = self.texts.ids[copies > 0].astype(str)
        return Request(
            model=registry.build(run.kind, {**run.model, "epochs": run.epochs, **parameters}),
            records=texts,
            plan=Grouped(Probes(probes.tolist(), run.fits, bystanders=0), group),
            settings=replace(settings, keep_models="all"),
        )


def planted_copies(run: PlantedRun, count: int, seed: int) -> NDArray[np.intp]:
    """Draw how often each text is planted, (count,); 0 for the others, which are there once."""
    levels = np.repeat(run.copies, run.planted)
    copies = np.zeros(count, dtype=np.intp)
    generator = seeds.generator(seed, seeds.Purpose.CHOICE, count)
    copies[generator.choice(count, len(levels), replace=False)] = levels
    return copies


def plant(texts: TextRecords, copies: NDArray[np.intp]) -> tuple[TextRecords, NDArray[np.intp]]:
    """Repeat the planted texts; return the records and the text of each, (n,).

    The label of a record is the number of copies of its text, and 0 of texts that are not planted;
    the first copy has the text's id.

    Examples
    --------
    >>> records, text = plant(TextRecords(["one", "two"], ids=["a", "b"]), np.array([0, 3]))
    >>> records.ids.tolist(), records.labels.tolist(), text.tolist()
    (['a', 'b', 'b, copy 2', 'b, copy 3'], [0, 3, 3, 3], [0, 1, 1, 1])
    """
    text = np.repeat(np.arange(len(texts)), np.maximum(copies, 1))
    number = np.arange(len(text)) - np.searchsorted(text, text)
    names = np.array(
        [
            f"{texts.ids[row]}, copy {before + 1}" if before else str(texts.ids[row])
            for row, before in zip(text, number, strict=True)
        ]
    )
    records = TextRecords(tuple(texts.texts[row] for row in text), names, copies[text])
    return records, text
