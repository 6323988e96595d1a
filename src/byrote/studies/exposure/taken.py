"""What the model of the first fit gives away: by search, and by completing what it is given."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.discoverable_extraction import greedy_completions
from byrote.attacks.extraction import extract
from byrote.report.format import plain
from byrote.studies.exposure.carried import Carried

QUERIES = 50_000  # what a search may read
_LONGEST = 40  # characters of a secret that are handed over one by one


@dataclass(frozen=True)
class Taken:
    """One canary's extraction. No secret is kept.

    Attributes
    ----------
    inserted
        How often the canary stands in the first fit's text.
    found, certified
        Whether the likeliest completion that the search met is the secret, and whether it is
        certainly the likeliest of all.
    queries
        Beginnings read by the model.
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
        """As plain data."""
        return dict(plain(asdict(self)))


def taken_out(one: Carried) -> tuple[Taken, ...]:
    """Extraction of the most inserted canaries of the first fit; one if each level has one."""
    model, planted = one.released(), one.run.folder.canaries
    times = one.run.design.included(one.run.design.release)[: len(planted)]
    found = []
    for row in np.flatnonzero(times == times.max()).tolist():
        result = extract(model, planted.canary(row), max_queries=QUERIES)
        found.append(
            Taken(
                inserted=int(times[row]),
                found=bool(result.matches),
                certified=result.certified,
                queries=result.queries,
                rank=result.rank,
                rank_low=result.rank_low,
                rank_high=result.rank_high,
                secret_bits=result.secret_bits,
            )
        )
    return tuple(found)


def completions(
    one: Carried,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Greedy completion of every canary of the first fit by the first fit's model.

    Returns
    -------
    (L,) how many characters are given, (c, L) the share of the others that come out right, and (c,)
    how often each canary is inserted. NaN where a completion has no more characters.
    """
    model, planted = one.released(), one.run.folder.canaries
    times = one.run.design.included(one.run.design.release)[: len(planted)]
    length = min(_LONGEST, max(map(len, planted.completions)))
    shares = np.full((len(planted), length), np.nan)
    for row, own in enumerate(planted.completions):
        for done in greedy_completions(model, planted.canary(row))[:length]:
            pairs = zip(own[done.given :], done.text[done.given :], strict=False)
            right = sum(a == b for a, b in pairs)
            shares[row, done.given] = right / (len(own) - done.given)
    return np.arange(length), shares, times.astype(np.int64)
