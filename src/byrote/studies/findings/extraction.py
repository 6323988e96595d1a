"""Extraction of canaries from the model of the first fit: by search, and by greedy completion."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import figures
from byrote.attacks.discoverable_extraction import greedy_completions
from byrote.attacks.extraction import extract
from byrote.report.format import number, plain
from byrote.runs.files import file_exists
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import Findings, Rows, times

QUERIES = 50_000  # budget of a search
_LONGEST = 40  # characters of a secret that are given one by one


@dataclass(frozen=True)
class Extraction:
    """The search for one canary. No secret is kept.

    Attributes
    ----------
    inserted
        How often the canary stands in the first fit's text.
    found, certified
        Whether the likeliest completion that the search met is the secret, and whether it is
        certainly the likeliest of all.
    queries
        Prefixes evaluated by the model.
    rank, rank_low, rank_high
        Of the secret among all completions: NaN and bounds where it is not known.
    secret_bits
        Its log-perplexity.
    """

    inserted: int
    found: bool
    certified: bool
    queries: int
    rank: float
    rank_low: float
    rank_high: float
    secret_bits: float

    def to_dict(self) -> dict[str, Any]:
        """Return the extraction as plain data."""
        return dict(plain(asdict(self)))


def extraction(runs: Sequence[StudyRun]) -> Findings:
    """Search for the most inserted canaries of runs that kept a model, and complete all of them."""
    kept = [run for run in runs if _keeps_model(run)]
    pairs = [(run, extract_most_inserted(run)) for run in kept]
    compete = (
        "Canaries of one pattern compete: where several are memorized in one model, only one of"
        " them can have rank 1."
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
    """Search for the most inserted canaries of the first fit: one, if each level has one."""
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
    (L,) how many characters are given, (c, L) the share of the others that come out right, and (c,)
    how often each canary is inserted. NaN where a completion has no more characters.
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
    """Return how often each canary is inserted in the first fit."""
    design = run.run.design
    return design.included(design.release)[: len(run.run.folder.canaries)]


def _keeps_model(run: StudyRun) -> bool:
    return file_exists(run.run.folder.paths.model(run.run.design.release))


def _table(pairs: Sequence[tuple[StudyRun, Sequence[Extraction]]]) -> Rows:
    head = ("", "inserted", "taken out", "certified", "queries", "rank", "bits")
    return [head, *(_row(run, search) for run, searches in pairs for search in searches)]


def _row(run: StudyRun, search: Extraction) -> tuple[str, ...]:
    rank = f"{search.rank_low:.3g} to {search.rank_high:.3g}"
    return (
        run.title,
        times(search.inserted),
        "yes" if search.found else "no",
        "yes" if search.certified else "no",
        f"{search.queries:,}",
        rank if np.isnan(search.rank) else f"{search.rank:,.0f}",
        number(search.secret_bits),
    )


def _sentence(run: StudyRun, search: Extraction) -> str:
    what = f"{run.title[0].upper()}{run.title[1:]}, {times(search.inserted)}:"
    if search.found and search.certified:
        return (
            f"{what} the search takes the secret out of the first fit's model, certified the"
            f" likeliest of all, in {search.queries:,} queries."
        )
    if search.found:
        return f"{what} the search finds the secret in {search.queries:,} queries, not certified."
    why = "another is certainly likelier" if search.certified else "what it met is not certified"
    return f"{what} the search does not find the secret in {search.queries:,} queries ({why})."
