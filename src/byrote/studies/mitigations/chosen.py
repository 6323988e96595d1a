"""A study of mitigations at a scale, with what was overridden: from it to its runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data import Records, load
from byrote.data.id_lists import encode_ids
from byrote.data.subsample import random_rows
from byrote.errors import InvalidInput
from byrote.fits.files import write_atomically
from byrote.fits.request import Request, Settings
from byrote.models import contract, registry
from byrote.plans import Probes, design_of
from byrote.studies.carrying import Asked
from byrote.studies.configured import command_of, overrides
from byrote.studies.mitigations.declaration import Configuration, MitigationStudy
from byrote.studies.mitigations.pruning import remaining


@dataclass(frozen=True, eq=False)
class StudyRecords:
    """The records that are audited, and others, set apart, that models may validate on."""

    audited: Records
    validation: Records


@dataclass(frozen=True)
class ChosenMitigationStudy:
    """A study at a scale.

    Attributes
    ----------
    study
        As declared.
    scale
        "small" or "full".
    configurations
        What is run, with what was overridden.
    records
        How many are audited; None for all but those set apart.
    overridden
        By name: what was asked for in place of what was declared (None: all records; several
        numbers where configurations differ).
    """

    study: MitigationStudy
    scale: str
    configurations: tuple[Configuration, ...]
    records: int | None
    overridden: Mapping[str, tuple[int, Any]]

    def load(self, data: str | None = None, **options: str | None) -> StudyRecords:
        """The records of the study: of the data set that it declares if none is named.

        Those set apart are a random choice of the rest.

        Raises
        ------
        InvalidInput
            If they cannot be loaded or are too few.
        """
        source = data or self.study.data
        everything = load(source, **options)
        there, apart = len(everything), self.study.scale(self.scale).validation
        count = max(there - apart, 0) if self.records is None else self.records
        if not 2 <= count <= there - apart:
            raise InvalidInput(
                f"--records must leave {apart} of the {there} records of {source} apart for"
                f" validation, and be 2 or more; got {count}"
            )
        more = random_rows(there, count + apart)
        rows = np.setdiff1d(more, random_rows(there, count))
        validation = replace(
            everything, x=everything.x[rows], ids=everything.ids[rows], labels=None
        )
        return StudyRecords(load(source, records=count, **options), validation)

    def requests(self, records: StudyRecords, settings: Settings) -> dict[str, Asked]:
        """The run of each configuration, by name; what is pruned is made of the runs before."""
        return {
            one.name: _first(one, records, settings)
            if one.pruned is None
            else partial(_later, one, records, settings)
            for one in self.configurations
        }

    def command(self, records: StudyRecords, settings: Settings, out: Path) -> str:
        """The ``byrote study`` command that makes the same runs."""
        audited = records.audited
        words = [self.study.name, "--data", audited.source]
        for name in ("key", "labels"):
            words += [f"--{name}", audited.options[name]] if name in audited.options else []
        return command_of(words, self.scale, self.overridden, settings, out)


def choose(
    study: MitigationStudy,
    scale: str = "small",
    *,
    records: int | None = None,
    fits: int | None = None,
    epochs: int | None = None,
) -> ChosenMitigationStudy:
    """A study at a scale, some of it overridden in all of its configurations.

    Raises
    ------
    InvalidInput
        If the scale is unknown or a number is none.

    Examples
    --------
    >>> from byrote.studies.mitigations.declaration import load_mitigation_study
    >>> chosen = choose(load_mitigation_study("onion"), fits=4, records=300)
    >>> chosen.configurations[0].fits, chosen.records, list(chosen.overridden)
    (4, 300, ['records', 'fits'])
    """
    declared = study.configurations(scale)
    before = {name: {getattr(one, name) for one in declared} for name in ("fits", "epochs")}
    before["records"] = {study.scale(scale).records}
    changed = overrides({"records": records, "fits": fits, "epochs": epochs}, before)
    own = {name: value for name, (value, _) in changed.items()}
    return ChosenMitigationStudy(
        study=study,
        scale=scale,
        records=own.pop("records", study.scale(scale).records),
        configurations=tuple(one.model_copy(update=own) for one in declared),
        overridden=changed,
    )


def _first(one: Configuration, records: StudyRecords, settings: Settings) -> Request:
    """A run of all records."""
    audited = records.audited
    drawn = Probes(min(one.probes, len(audited)), one.fits)
    chosen = design_of(drawn, len(audited), settings.seed + one.choice).scored
    probes = audited.ids if chosen is None else audited.ids[chosen]
    return _request(one, audited, probes, records, settings)


def _later(one: Configuration, records: StudyRecords, settings: Settings, out: Path) -> Request:
    """A run of the records that another run leaves, which a file beside the runs lists."""
    assert one.pruned is not None  # noqa: S101 (as the caller has found)
    left = remaining(out / one.pruned.after, one.pruned, seed=settings.seed + one.seed)
    path = out / f"{one.name}.csv"
    write_atomically(path, encode_ids(left.ids, path.suffix))
    audited = records.audited
    stay = np.isin(audited.ids, left.ids)
    some = replace(
        audited,
        x=audited.x[stay],
        ids=audited.ids[stay],
        labels=None if audited.labels is None else audited.labels[stay],
        options={**audited.options, "only": str(path.resolve())},
    )
    return _request(one, some, left.probes, records, settings)


def _request(
    one: Configuration,
    audited: Records,
    probes: NDArray[Any],
    records: StudyRecords,
    settings: Settings,
) -> Request:
    parameters = {**one.model, "epochs": one.epochs}
    if one.validation:
        model = registry.build(one.kind, one.model)
        parameters["validation"] = contract.as_input(model, records.validation.x)
    return Request(
        model=registry.build(one.kind, parameters),
        records=audited,
        plan=Probes(probes.tolist(), one.fits),
        settings=replace(settings, seed=settings.seed + one.seed),
    )
