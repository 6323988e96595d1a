"""Records of a study of mitigations, and the requests of the runs that audit them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.data import Records, load
from byrote.data.id_lists import encode_ids
from byrote.data.records import random_rows
from byrote.errors import IncompleteRun, InvalidInput
from byrote.models import Dequantized, Flow, contract, registry
from byrote.plans import Probes, design_of
from byrote.runs.files import write_atomically
from byrote.runs.request import Request, Settings
from byrote.scores.memorization.pruning import prune
from byrote.scores.run import Run
from byrote.studies.audit_kind import AuditRun, Pruning
from byrote.studies.null_model import NullModel
from byrote.studies.study import ScaledStudy

# A request, or a function that makes it from the study's folder and the earlier runs by name.
Planned = Request | Callable[[Path, Mapping[str, Run]], Request]


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
        least = max(2, *(run.records or 2 for run in scaled.runs))
        if not least <= count <= total - apart:
            raise InvalidInput(
                f"--records must leave {apart} of the {total} records of {source} for validation,"
                f" and be {least} or more; got {count}"
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
        for name, value in self._options().items():
            words += [f"--{name}", value]
        return words

    def _options(self) -> dict[str, str]:
        """Return how the records are read from their source."""
        options = self.audited.options
        return {name: options[name] for name in ("key", "labels") if name in options}

    def _request_all(self, run: AuditRun, settings: Settings) -> Request:
        records = self._records(run, settings.seed + run.seed)
        count = len(records)
        plan = Probes(min(run.probes or count, count), run.fits, pairs=run.pairs)
        scored = design_of(plan, count, settings.seed + run.probe_seed).scored
        return self._request(run, records, records.ids[scored], settings)

    def _records(self, run: AuditRun, seed: int) -> Records:
        """Return all records, or a subset, with their labels or random ones."""
        records = self.audited
        if run.records is not None:
            records = load(records.source, records=run.records, **self._options())
        if run.labels == "own":
            return records
        generator, labels = seeds.generator(seed, seeds.Purpose.CHOICE, len(records)), None
        if run.labels != "none":
            labels = generator.integers(run.labels, size=len(records))
        return replace(records, labels=labels)

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
        if run.null:
            model = NullModel(model, contract.as_input(model, self.validation.x))
        model, records = contract.prepared(model, records)
        return Request(
            model=model,
            records=records,
            plan=Probes(probes.tolist(), run.fits, pairs=run.pairs),
            settings=replace(settings, seed=settings.seed + run.seed, keep_models=run.keep_models),
        )


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
