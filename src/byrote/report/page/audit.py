"""A run as its page shows it: results, each computed once, and the records if they are shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from byrote.errors import CannotRead, CorruptFile, InvalidInput, printable
from byrote.report.conclusion import Conclusion, Findings, conclude
from byrote.report.format import call
from byrote.report.page.content import RecordContent
from byrote.report.page.record_content import Contents, contents_of
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.secret_extraction import SecretExtraction
from byrote.scores.gate.check import KINDS
from byrote.scores.gate.threshold import Gate, GatedRun, Measured
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.neighbors.near_duplicates import NearDuplicates
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.scores.neighbors.record_extraction import RecordExtraction
from byrote.scores.once import once
from byrote.scores.privacy.evidence import PrivacyEvidence
from byrote.scores.recitation.counterfactual import CounterfactualRecitation
from byrote.scores.run import Run

Result = TypeVar("Result")
LEVEL = 0.95  # of every interval on a page, each on its own


@dataclass(frozen=True, eq=False)
class Audit:
    """A run with what its page needs.

    Attributes
    ----------
    run, name
        The run, and what the page calls it.
    gate
        Its check against thresholds, or None.
    show_records
        Whether the page shows what records hold.
    anchor
        Start of the names of its places in the page, where there are several runs.
    """

    run: Run
    name: str
    gate: Gate | None = None
    show_records: bool = False
    anchor: str = ""

    def place(self, name: str) -> str:
        """Return the name of a place in the page that is this run's alone."""
        return f"{self.anchor}{name}"

    @property
    def description(self) -> Mapping[str, Any]:
        """Model, plan, data and seed as plain data."""
        return self.run.manifest.model_dump(mode="json")

    @property
    def model(self) -> str:
        """The model's class."""
        return self.run.manifest.model.name.rpartition(".")[2]

    @property
    def source(self) -> str:
        """Where the data are from, in words."""
        data = self.run.manifest.data
        if data.source == "memory" and self.run.has_canaries:
            return "a text in memory"
        if data.source == "memory":
            return "texts in memory" if data.texts else "an array in memory"
        return printable(data.source)

    @property
    def plan(self) -> str:
        """The plan as a call."""
        spec = dict(self.run.manifest.plan.spec)
        return call(spec.pop("kind"), spec)

    @cached_property
    def result(self) -> Findings:
        """What the run found, from its finished fits."""
        if self.run.has_canaries:
            return self.run.exposure(partial=True)
        return self.run.memorization(partial=True)

    @property
    def scores(self) -> MemorizationResult | None:
        """Memorization scores; None of a run with canaries."""
        return self.result if isinstance(self.result, MemorizationResult) else None

    @property
    def exposures(self) -> ExposureResult | None:
        """Exposures; None of a run without canaries."""
        return self.result if isinstance(self.result, ExposureResult) else None

    @cached_property
    def conclusion(self) -> Conclusion:
        """Verdict, headline and exit code."""
        return conclude(self.result, gate=self.gate, incomplete=self.run.incomplete)

    @cached_property
    def evidence(self) -> PrivacyEvidence | str:
        """Bounds and attacks, or why there are none."""
        try:
            return self.run.epsilon(partial=True)
        except InvalidInput as error:
            return str(error)

    @cached_property
    def neighbors(self) -> NeighborResult | str:
        """Tests of the samples' neighbours, or why there are none."""
        return _stored(self.run.neighbors, "byrote neighbors")

    @cached_property
    def near_duplicates(self) -> NearDuplicates | str:
        """Copies among the records, or why they are not known."""
        return _stored(self.run.near_duplicates, "byrote neighbors")

    @cached_property
    def recitation(self) -> CounterfactualRecitation | str:
        """What the kept models recite of the run's texts, or why it is not known."""
        return _stored(self.run.recitation, "byrote recite")

    @cached_property
    def extraction(self) -> SecretExtraction | RecordExtraction | str:
        """What was extracted from a kept model, or why it is not known."""
        return _stored(self.run.extraction, "byrote extract")

    @cached_property
    def contents(self) -> Contents | str:
        """What the records hold, or why the page does not show it."""
        if not self.show_records:
            return "what the records hold is left out (--show-records shows it)"
        try:
            return contents_of(self.run)
        except (InvalidInput, CorruptFile, CannotRead) as error:
            return f"what the records hold cannot be shown: {error}"

    def content(self, row: int) -> RecordContent | None:
        """Return what a record or a canary holds; None where the page does not show it."""
        return None if isinstance(self.contents, str) else self.contents(row)

    def redacted(self, named: str) -> list[str]:
        """Return why the page does not show what the records hold, after how it names them."""
        return [f"{named}; {self.contents}."] if isinstance(self.contents, str) else []

    @once
    def measured(self, name: str) -> Measured:
        """Measure what a threshold of the gate would judge, at 95 % on its own."""
        kind = KINDS[name]
        with np.errstate(invalid="ignore", divide="ignore"):
            return kind.measure(GatedRun(self.run, (1 - LEVEL) / 2), kind.least)


def _stored(load: Callable[[], Result | None], command: str) -> Result | str:
    """Return what a command left in a run, or why it is not known, without the run's place."""
    try:
        result = load()
    except InvalidInput:  # or what is there is of another run
        result = None
    except (CorruptFile, CannotRead):
        return f"what {command} left cannot be read"
    return f"{command} has not been run" if result is None else result
