"""The exposures of a run, fit by fit, computed from its log-likelihoods without training."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.attacks.ranks import Ranks
from byrote.columnar import Tabular
from byrote.display import Displayed
from byrote.runs import sealed
from byrote.runs.kinds.canaries import RANK_COLUMNS, RANK_METHODS
from byrote.runs.record_files import PlantedCanaries
from byrote.runs.run_folder import RunFolder
from byrote.runs.table import Table
from byrote.scores.exposure.best_estimate import (
    best_estimate,
    estimate_from_references,
    exposure_of_ranks,
    within_certain_ranks,
)
from byrote.scores.exposure.exposure import Exposure

Array = NDArray[np.float64]
METHODS = ("auto", "rank", "sampled", "skew_normal")
LEVEL = 0.95
CHOSEN = "its secret was chosen, not drawn: no p-value"
_CERTAIN = "certain"  # by uniform references, within what is certain of the ranks
_ROW_NAMES = ("fit", "inserted", "role", "pattern")


@dataclass(frozen=True, eq=False, repr=False)
class ExposureResult(Tabular, Displayed):
    """Exposure of c canaries in F fits: m = F x c rows, those of the first fit first.

    Attributes
    ----------
    exposure
        Exposure of every canary in every fit; ``exposure.ids`` are the canaries' names.
    fit
        (m,) number of the fit.
    inserted
        (m,) number of insertions of the canary in the fit's text.
    role
        (m,) "canary" or "control", by whether it is inserted in that fit.
    pattern
        (m,) number of the canary's pattern.
    patterns
        Texts of the patterns.
    test_loss
        (F,) nats per token of the held-out text, after the last epoch; NaN where unknown.
    facts
        Size of the text and of the model: characters, bytes and compressed bytes.
    missing
        Fits that failed or are missing.
    description
        Model, plan, data and seed of the run.

    Examples
    --------
    See ``byrote.score_exposure``.
    """

    exposure: Exposure
    fit: NDArray[np.int64]
    inserted: NDArray[np.int64]
    role: NDArray[np.str_]
    pattern: NDArray[np.int64]
    patterns: tuple[str, ...]
    test_loss: Array
    facts: Mapping[str, Any]
    missing: tuple[int, ...]
    description: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.fit)

    def __repr__(self) -> str:
        fits = len(self.test_loss)
        return f"ExposureResult({len(self)} canaries, {fits} fits, {self.exposure!r})"

    @property
    def levels(self) -> tuple[int, ...]:
        """The numbers of insertions that occur, 0 for controls."""
        return tuple(np.unique(self.inserted).tolist())

    def perplexity(self) -> Array:
        """(F,) test perplexity per token: e to the test loss."""
        return np.exp(self.test_loss)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the rows as columns by name, (m,) each."""
        columns = self.exposure.columns()
        rows = {name: getattr(self, name) for name in _ROW_NAMES}
        return {"id": columns.pop("id"), **rows, **columns}

    def save(self, path: str | Path) -> None:
        """Write the rows to one Parquet file.

        Raises
        ------
        InvalidInput
            If its folder does not exist.
        """
        sealed.check_destination(path)
        sealed.write_parquet(Path(path), self.columns(), {"format": "byrote-exposure-run-1"})


def exposure_of_run(
    run: RunFolder, table: Table, *, epoch: int | None = None, method: str = "auto"
) -> ExposureResult:
    """Compute the exposures of a run from its table after an epoch; see ``Run.exposure``."""
    method = checks.choice("method", method, METHODS)
    canaries = run.canaries
    fits = np.flatnonzero(table.counting()).tolist()
    exposure = _exposure(run, table, fits, epoch, method, LEVEL)
    facts = [run.facts(fit) for fit in fits]
    first = np.arange(len(canaries)) < run.manifest.plan.spec.get("chosen", 0)
    inserted = np.concatenate([run.design.included(fit)[: len(canaries)] for fit in fits])
    size = {"model": facts[0]["model"]} if "model" in facts[0] else {}
    return ExposureResult(
        exposure=_without_p_value(exposure, np.tile(first, len(fits))),
        fit=np.repeat(fits, len(canaries)),
        inserted=inserted.astype(np.int64),
        role=np.where(inserted > 0, "canary", "control"),
        pattern=np.tile(canaries.pattern, len(fits)),
        patterns=tuple(pattern.text for pattern in canaries.patterns),
        test_loss=np.array([fact.get("test_loss") or np.nan for fact in facts], dtype=np.float64),
        facts={"corpus": canaries.corpus, **size},
        missing=table.missing,
        description={**run.manifest.model_dump(mode="json"), "epoch": epoch},
    )


def certain_exposure_of_run(run: RunFolder, table: Table, *, level: float) -> Exposure:
    """Compute the same rows from guaranteed ranks and uniform references alone, at any level.

    Neither a curve nor samples from the model are used: what the search or the enumeration found is
    guaranteed, and the interval from uniform references is exact.
    """
    fits = np.flatnonzero(table.counting()).tolist()
    return _exposure(run, table, fits, None, _CERTAIN, level)


@dataclass(frozen=True, eq=False)
class PatternBits:
    """Log-perplexities of one pattern in one fit, in bits.

    pattern: its text. size: number of its completions. ids, inserted, canary_bits: (c,) of its
    canaries. reference_bits: (N,) of its reference candidates.
    """

    pattern: str
    size: int
    ids: NDArray[Any]
    inserted: NDArray[np.int64]
    canary_bits: Array
    reference_bits: Array


def bits_by_pattern(run: RunFolder, fit: int, *, epoch: int | None = None) -> Iterator[PatternBits]:
    """Yield what a finished fit of an exposure run measured, pattern by pattern."""
    canaries = run.canaries
    bits = -run.log_prob(fit, epoch) / np.log(2)
    included = run.design.included(fit)[: len(canaries)].astype(np.int64)
    for number, rows, references in _rows_by_pattern(run, canaries):
        yield PatternBits(
            pattern=canaries.patterns[number].text,
            size=canaries.patterns[number].space_size,
            ids=canaries.ids[rows],
            inserted=included[rows],
            canary_bits=bits[rows],
            reference_bits=bits[references],
        )


def _rows_by_pattern(
    run: RunFolder, canaries: PlantedCanaries
) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
    """Yield the number, the canaries and the references of each pattern."""
    labels = run.labels
    assert labels is not None  # noqa: S101 (canaries have the number of their pattern)
    for number in range(len(canaries.patterns)):
        rows = np.flatnonzero(labels == number)
        yield number, rows[rows < len(canaries)], rows[rows >= len(canaries)]


def _exposure(
    run: RunFolder, table: Table, fits: list[int], epoch: int | None, method: str, level: float
) -> Exposure:
    """The canaries of all fits, fit by fit."""
    canaries = run.canaries
    parts, order = [], []
    for place, fit in enumerate(fits):
        bits = -table.log_prob[fit] / np.log(2)
        stored = run.file(fit).diagnostics(epoch)
        for number, rows, references in _rows_by_pattern(run, canaries):
            if not len(rows):
                continue
            of_rows = {name: column[rows] for name, column in stored.items()}
            ranks = _ranks(bits[rows], of_rows, canaries.patterns[number].space_size)
            parts.append(_by_method(ranks, bits[references], method, level))
            order.append(rows + place * len(canaries))
    whole = Exposure.concat(parts).take(np.argsort(np.concatenate(order)))
    return replace(whole, ids=np.tile(canaries.ids, len(fits)))


def _ranks(bits: Array, stored: Mapping[str, NDArray[Any]], size: int) -> Ranks:
    """Ranks that the run measured; unknown ones where it did not."""
    unknown = {"rank": np.nan, "low": 1.0, "high": size, "least": 1.0, "most": size}
    columns = {}
    for end, name in RANK_COLUMNS.items():
        values = stored.get(f"rank{end}", np.full(len(bits), np.nan))
        columns[name] = np.where(np.isnan(values), unknown[name], values)
    codes = stored.get("rank_method", np.zeros(len(bits))).astype(int)
    method = np.array([RANK_METHODS[code] for code in codes], dtype=np.str_)
    return Ranks(bits=bits, **columns, method=method, queries=0, size=size)


def _by_method(ranks: Ranks, references: Array, method: str, level: float) -> Exposure:
    """The canaries of one pattern in one fit."""
    if method == "rank":
        return exposure_of_ranks(ranks, level=level)
    if method == "auto":
        return best_estimate(ranks, ranks.bits, references, level=level)
    certain = method == _CERTAIN
    method = "sampled" if certain else method
    exposure = estimate_from_references(
        ranks.bits, references, ranks.size, method=method, level=level
    )
    return within_certain_ranks(exposure, ranks) if certain else exposure


def _without_p_value(exposure: Exposure, chosen: NDArray[np.bool_]) -> Exposure:
    """Remove the p-values of chosen secrets, which have no null distribution."""
    reasons = [
        f"{reason}; {CHOSEN}" if reason and of_chosen else CHOSEN if of_chosen else reason
        for reason, of_chosen in zip(exposure.reason.tolist(), chosen, strict=True)
    ]
    p_value = np.where(chosen, np.nan, exposure.p_value)
    return replace(exposure, p_value=p_value, reason=np.array(reasons))
