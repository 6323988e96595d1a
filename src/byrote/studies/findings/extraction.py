"""Extraction of canaries from the model of the first fit, by search and greedy completion."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import figures
from byrote.attacks.discoverable_extraction import greedy_completions
from byrote.attacks.extraction import extract
from byrote.report.format import insertions, number, plain
from byrote.runs.files import file_exists
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import Findings, Rows

QUERIES = 50_000  # budget of a search
_LONGEST = 40  # longest prefix given, in characters


@dataclass(frozen=True)
class Extraction:
    """The search for one canary, without its secret."""

    inserted: int  # number of insertions in the first fit's text
    found: bool  # whether the most likely completion reached is the secret
    certified: bool  # whether that is the most likely of all
    queries: int  # prefixes evaluated by the model
    rank: float  # of the secret among all completions, NaN if unknown
    rank_low: float
    rank_high: float
    secret_bits: float  # log-perplexity of the secret

    def to_dict(self) -> dict[str, Any]:
        """Return the extraction as plain data."""
        return dict(plain(asdict(self)))


def extraction(runs: Sequence[StudyRun]) -> Findings:
    """Search for the most inserted canaries of runs with a kept model, and complete all."""
    kept = [run for run in runs if _keeps_model(run)]
    pairs = [(run, extract_most_inserted(run)) for run in kept]
    compete = (
        "Canaries of one pattern compete: of several memorized in one model, only one can have"
        " rank 1."
    )
    return Findings(
        tables=(("Extraction from the first fit's model", _table(pairs)),) if pairs else (),
        remarks=(*(_sentence(run, searches[0]) for run, searches in pairs), compete),
        figures={
            f"completion-{run.name}": figures.completion_by_prefix(*complete_all(run))
            for run in kept
        },
        data={
            "extractions": {
                run.name: [search.to_dict() for search in searches] for run, searches in pairs
            }
        },
    )


def extract_most_inserted(run: StudyRun) -> tuple[Extraction, ...]:
    """Search for the canaries of the first fit with the most insertions."""
    model, canaries = run.released_model, run.run.folder.canaries
    inserted = _inserted(run)
    extractions = []
    for row in np.flatnonzero(inserted == inserted.max()).tolist():
        result = extract(model, canaries.canary(row), max_queries=QUERIES)
        extractions.append(
            Extraction(
                inserted=int(inserted[row]),
                found=bool(result.matches),
                certified=result.certified,
                queries=result.queries,
                rank=result.rank,
                rank_low=result.rank_low,
                rank_high=result.rank_high,
                secret_bits=result.secret_bits,
            )
        )
    return tuple(extractions)


def complete_all(
    run: StudyRun,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Complete every canary of the first fit greedily by the first fit's model.

    Returns
    -------
    (L,) numbers of characters given, (c, L) shares of the others that are completed correctly (NaN
    without others), and (c,) numbers of insertions.
    """
    model, canaries = run.released_model, run.run.folder.canaries
    length = min(_LONGEST, max(map(len, canaries.completions)))
    shares = np.full((len(canaries), length), np.nan)
    for row, secret in enumerate(canaries.completions):
        for completion in greedy_completions(model, canaries.canary(row))[:length]:
            rest = secret[completion.prefix :]
            right = [
                a == b for a, b in zip(rest, completion.text[completion.prefix :], strict=False)
            ]
            shares[row, completion.prefix] = sum(right) / len(rest)
    return np.arange(length), shares, _inserted(run).astype(np.int64)


def _inserted(run: StudyRun) -> NDArray[Any]:
    design = run.run.design
    return design.included(design.release)[: len(run.run.folder.canaries)]


def _keeps_model(run: StudyRun) -> bool:
    return file_exists(run.run.folder.paths.model(run.run.design.release))


def _table(pairs: Sequence[tuple[StudyRun, Sequence[Extraction]]]) -> Rows:
    head = ("", "inserted", "extracted", "certified", "queries", "rank", "bits")
    return [head, *(_row(run, search) for run, searches in pairs for search in searches)]


def _row(run: StudyRun, search: Extraction) -> tuple[str, ...]:
    rank = f"{search.rank_low:.3g} to {search.rank_high:.3g}"
    return (
        run.title,
        insertions(search.inserted),
        "yes" if search.found else "no",
        "yes" if search.certified else "no",
        f"{search.queries:,}",
        rank if np.isnan(search.rank) else f"{search.rank:,.0f}",
        number(search.secret_bits),
    )


def _sentence(run: StudyRun, search: Extraction) -> str:
    what = f"{run.title[0].upper()}{run.title[1:]}, {insertions(search.inserted)}:"
    if search.found and search.certified:
        return (
            f"{what} the search extracts the secret from the first fit's model, certified as the"
            f" most likely completion, in {search.queries:,} queries."
        )
    if search.found:
        return f"{what} the search finds the secret in {search.queries:,} queries, not certified."
    why = "another is certified more likely" if search.certified else "not certified"
    return f"{what} the search does not find the secret in {search.queries:,} queries ({why})."
