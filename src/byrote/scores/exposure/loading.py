"""The exposures of a run folder, computed from its log-likelihoods without training."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import IncompleteRun
from byrote.fits.canary_file import PlantedCanaries, read_canaries
from byrote.fits.paths import RunPaths
from byrote.fits.store import RunFolder
from byrote.fits.texts import RANK_METHODS
from byrote.scores.exposure.choice import best_of, from_ranks
from byrote.scores.exposure.estimate import estimate_exposure
from byrote.scores.exposure.result import Exposure
from byrote.scores.exposure.run import ExposureRun

_ESTIMATORS = {
    "auto": ["rank", "sampled", "skew_normal"],
    **{name: [name] for name in ("rank", "sampled", "skew_normal")},
}
_LEAST_FOR_A_CURVE = 1000  # references


def load_exposure(
    store: str | Path, *, epoch: int | None = None, method: str = "auto", partial: bool = False
) -> ExposureRun:
    """The exposures of a run folder, computed from its log-likelihoods without training.

    Parameters
    ----------
    store
        A run folder made by ``score_exposure`` or ``byrote expose``.
    epoch
        After which report of training, one of those tracked; the last if not given.
    method
        "rank": from the ranks found in the model while it was there; "sampled", "skew_normal": from
        the reference candidates; "auto": for each canary the most trustworthy of them, an exact
        rank before all.
    partial
        Accept a run with missing fits; ``missing`` then names them.

    Raises
    ------
    InvalidInput
        If there is no exposure run in the folder, or nothing of that epoch.
    IncompleteRun
        If fits or tracked epochs are missing and ``partial`` is false.
    CorruptFile
        If a file of the run is damaged or belongs to another run.
    """
    run = RunFolder.open(RunPaths(Path(store)))
    return exposure_of(run, epoch=epoch, method=method, partial=partial)


def exposure_of(
    run: RunFolder, *, epoch: int | None = None, method: str = "auto", partial: bool = False
) -> ExposureRun:
    """The exposures of a run that is open; see ``load_exposure``."""
    checks.choice("method", method, _ESTIMATORS)
    if epoch is not None:
        checks.integer("epoch", epoch, at_least=0)
    planted = read_canaries(run.paths, run.manifest)
    table = run.table(partial=partial, epoch=epoch)
    fits = sorted(set(range(run.design.fits)) - set(table.missing))
    if not fits:
        raise IncompleteRun(run.complaint(table.missing))
    _, labels = run.ids_and_labels()
    assert labels is not None  # noqa: S101 (canaries have the number of their pattern)
    found = [
        _of_fit(planted, labels, table.log_prob[fit], run.file(fit).diagnostics(epoch), method)
        for fit in fits
    ]
    facts = [run.facts(fit) for fit in fits]
    inserted = np.concatenate([run.design.included(fit)[: len(planted)] for fit in fits])
    return ExposureRun(
        exposure=joined(found),
        fit=np.repeat(fits, len(planted)),
        inserted=inserted.astype(np.int64),
        role=np.where(inserted > 0, "canary", "control"),
        pattern=np.tile(planted.pattern, len(fits)),
        patterns=tuple(pattern.text for pattern in planted.patterns),
        test_loss=np.array([fact.get("test_loss") or np.nan for fact in facts], dtype=np.float64),
        facts={"corpus": planted.corpus, **_size(facts[0])},
        missing=table.missing,
        description={**run.manifest.model_dump(mode="json"), "epoch": epoch},
    )


def joined(parts: list[Exposure]) -> Exposure:
    """Several results, one after the other."""
    names = ("bits", "low", "high", "method", "p_value", "saturated", "rank")
    more = ("log_perplexity", "maximum", "reason")
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("ids", *names, *more)
    }
    curves = tuple(curve for part in parts for curve in part.fits)
    return Exposure(**columns, level=parts[0].level, fits=curves)


def _size(facts: dict[str, Any]) -> dict[str, Any]:
    return {"model": facts["model"]} if "model" in facts else {}


def _of_fit(
    planted: PlantedCanaries,
    labels: NDArray[np.int64],
    log_prob: NDArray[np.float64],
    diagnostics: dict[str, NDArray[Any]],
    method: str,
) -> Exposure:
    """The canaries of one fit, in their order."""
    count = len(planted)
    bits = -log_prob / np.log(2)
    parts, order = [], []
    for number, pattern in enumerate(planted.patterns):
        rows = np.flatnonzero(planted.pattern == number)
        if not len(rows):
            continue
        references = bits[count:][labels[count:] == number]
        stored = {name: column[rows] for name, column in diagnostics.items()}
        estimates = _estimates(
            planted.ids[rows], bits[rows], references, stored, pattern.space_size, method
        )
        parts.append(best_of(estimates))
        order.append(rows)
    return _reordered(joined(parts), np.argsort(np.concatenate(order)))


def _estimates(
    ids: NDArray[Any],
    bits: NDArray[np.float64],
    references: NDArray[np.float64],
    stored: dict[str, NDArray[Any]],
    size: int,
    method: str,
) -> list[Exposure]:
    """What is asked for, or all that there is, of the canaries of one pattern."""
    names = _ESTIMATORS[method]
    if method == "auto" and len(references) < _LEAST_FOR_A_CURVE:
        names = [name for name in names if name != "skew_normal"]
    return [
        _ranked(ids, bits, stored, size)
        if name == "rank"
        else estimate_exposure(bits, references, space_size=size, method=name, ids=ids)
        for name in names
    ]


def _ranked(
    ids: NDArray[Any], bits: NDArray[np.float64], stored: dict[str, NDArray[Any]], size: int
) -> Exposure:
    """By the ranks that were found while the model was there; unknown in a run without any."""
    unknown = np.full(len(ids), np.nan)
    rank, low, high = (stored.get(name, unknown) for name in ("rank", "rank_low", "rank_high"))
    codes = stored.get("rank_method", np.zeros(len(ids))).astype(int)
    how = [RANK_METHODS[code] for code in codes]
    return from_ranks(ids, bits, rank, low, high, how, size=size)


def _reordered(exposure: Exposure, order: NDArray[np.intp]) -> Exposure:
    columns = {name: getattr(exposure, name)[order] for name in _PER_CANARY}
    return Exposure(**columns, level=exposure.level, fits=exposure.fits)


_PER_CANARY = (
    "ids",
    "bits",
    "low",
    "high",
    "method",
    "p_value",
    "saturated",
    "rank",
    "log_perplexity",
    "maximum",
    "reason",
)
