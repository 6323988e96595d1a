"""The exposures of a run folder, computed from its log-likelihoods without training."""

from dataclasses import dataclass, replace
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.attacks.ranks import Ranks
from byrote.errors import IncompleteRun
from byrote.fits.canary_file import PlantedCanaries
from byrote.fits.kinds.canaries import RANK_COLUMNS, RANK_METHODS
from byrote.fits.run_folder import RunFolder
from byrote.fits.table import Table
from byrote.scores.exposure.answers import Answers, answers_of, by_rank
from byrote.scores.exposure.answers import joined as in_places
from byrote.scores.exposure.curve import SkewNormalFit
from byrote.scores.exposure.joining import joined
from byrote.scores.exposure.references import best_beside, estimate
from byrote.scores.exposure.result import Exposure
from byrote.scores.exposure.run import ExposureRun

METHODS = ("auto", "rank", "sampled", "skew_normal")
LEVEL = 0.95
_CERTAIN = "certain"  # beside uniform references, within what is certain of the ranks
CHOSEN = "its secret was chosen, not drawn: no p-value"


def exposure_of(
    run: RunFolder, *, epoch: int | None = None, method: str = "auto", partial: bool = False
) -> ExposureRun:
    """Compute the exposures of a run from its log-likelihoods; see ``Run.exposure``."""
    partial = checks.flag("partial", partial)
    method = checks.choice("method", method, METHODS)
    if epoch is not None:
        epoch = checks.integer("epoch", epoch, at_least=0)
    planted = run.canaries
    table = run.table(partial=partial, epoch=epoch)
    found, fits = _by_fit(run, planted, table, epoch, _Asked(method, LEVEL))
    facts = [run.facts(fit) for fit in fits]
    first = np.arange(len(planted)) < run.manifest.plan.spec.get("chosen", 0)
    chosen = np.tile(first, len(fits))
    inserted = np.concatenate([run.design.included(fit)[: len(planted)] for fit in fits])
    return ExposureRun(
        exposure=_without_p_value(joined(found), chosen),
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


def certain_exposure_of(run: RunFolder, *, level: float, partial: bool = False) -> Exposure:
    """The same rows with intervals at any level that rest on ranks and uniform references alone.

    Neither a curve nor samples from the model are asked: what the search or the enumeration found
    is certain, and the interval beside uniform references is exact.
    """
    planted = run.canaries
    table = run.table(partial=partial)
    return joined(_by_fit(run, planted, table, None, _Asked(_CERTAIN, level))[0])


@dataclass(frozen=True)
class _Asked:
    method: str
    level: float


def _by_fit(
    run: RunFolder, planted: PlantedCanaries, table: Table, epoch: int | None, asked: _Asked
) -> tuple[list[Exposure], list[int]]:
    """The exposures of each fit that is there, and the fits' numbers."""
    fits = sorted(set(range(run.design.fits)) - set(table.missing))
    if not fits:
        raise IncompleteRun(run.complaint(table.missing))
    labels = run.labels
    assert labels is not None  # noqa: S101 (canaries have the number of their pattern)
    found = [
        _of_fit(planted, labels, table.log_prob[fit], run.file(fit).diagnostics(epoch), asked)
        for fit in fits
    ]
    return found, fits


def _without_p_value(exposure: Exposure, chosen: NDArray[np.bool_]) -> Exposure:
    """Chosen secrets have none: no other might have come in their place as easily."""
    reasons = [
        f"{reason}; {CHOSEN}" if reason and which else CHOSEN if which else reason
        for reason, which in zip(exposure.reason.tolist(), chosen, strict=True)
    ]
    p_value = np.where(chosen, np.nan, exposure.p_value)
    return replace(exposure, p_value=p_value, reason=np.array(reasons))


def _size(facts: dict[str, Any]) -> dict[str, Any]:
    return {"model": facts["model"]} if "model" in facts else {}


def _of_fit(
    planted: PlantedCanaries,
    labels: NDArray[np.int64],
    log_prob: NDArray[np.float64],
    diagnostics: dict[str, NDArray[Any]],
    asked: _Asked,
) -> Exposure:
    """The canaries of one fit, in their order."""
    count = len(planted)
    bits = -log_prob / np.log(2)
    found, places = [], []
    curves: tuple[SkewNormalFit, ...] = ()
    for number, pattern in enumerate(planted.patterns):
        rows = np.flatnonzero(planted.pattern == number)
        if not len(rows):
            continue
        stored = {name: column[rows] for name, column in diagnostics.items()}
        references = bits[count:][labels[count:] == number]
        ranks = _ranks(bits[rows], stored, pattern.space_size)
        answers, fits = _answers(ranks, references, asked)
        found.append(answers)
        places.append(rows)
        curves += fits
    sizes = np.array([log2(pattern.space_size) for pattern in planted.patterns])
    maximum = sizes[planted.pattern]
    answers = in_places(found, places)
    return answers.exposure(planted.ids, bits[:count], maximum, level=asked.level, fits=curves)


def _ranks(bits: NDArray[np.float64], stored: dict[str, NDArray[Any]], size: int) -> Ranks:
    """What was found while the model was there; of a run that did not look, that it is unknown."""
    unknown = {"rank": np.nan, "low": 1.0, "high": size, "least": 1.0, "most": size}
    columns = {}
    for end, name in RANK_COLUMNS.items():
        found = stored.get(f"rank{end}", np.full(len(bits), np.nan))
        columns[name] = np.where(np.isnan(found), unknown[name], found)
    codes = stored.get("rank_method", np.zeros(len(bits))).astype(int)
    how = np.array([RANK_METHODS[code] for code in codes], dtype=np.str_)
    return Ranks(bits=bits, **columns, method=how, queries=0, size=size)


def _answers(
    ranks: Ranks, references: NDArray[np.float64], asked: _Asked
) -> tuple[Answers, tuple[SkewNormalFit, ...]]:
    """What is asked for, or the best of all that there is, of the canaries of one pattern."""
    if asked.method == "rank":
        return by_rank(ranks), ()
    if asked.method == "auto":
        return best_beside(ranks, ranks.bits, references, level=asked.level)
    certain = asked.method == _CERTAIN
    method = "sampled" if certain else asked.method
    found = estimate(ranks.bits, references, ranks.size, method=method, level=asked.level)
    return answers_of(found).within(ranks) if certain else answers_of(found), found.fits
