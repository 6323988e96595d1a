"""Each audit beside the one that it is compared with, on the records of both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from byrote.studies.mitigations.carried import Carried
from byrote.studies.mitigations.measures import LEVEL, Mean, difference


@dataclass(frozen=True, eq=False)
class Against:
    """An audit minus another, of the records of both; nats, higher is more.

    Attributes
    ----------
    one, base
        The audits.
    records
        How many both have.
    paired
        Whether fits were compared one by one: same plan, same seeds.
    memorization
        Difference of the mean of mean_log, with its interval.
    held_out
        Difference of the mean held-out log p, with its interval.
    high
        The 95 % quantiles of M over these records, of the one and of the other.
    """

    one: Carried
    base: Carried
    records: int
    paired: bool
    memorization: Mean
    held_out: Mean
    high: tuple[float, float]


def compared(carried: Sequence[Carried]) -> tuple[Against, ...]:
    """All audits that have another to be compared with; intervals hold for all together.

    With c comparisons each interval has level 1 - 0.05 / c (Bonferroni), so that in 95 % of studies
    all of them hold what they should.
    """
    by_name = {one.name: one for one in carried}
    pairs = [
        (one, by_name[one.configuration.against])
        for one in carried
        if one.configuration.against in by_name and one.configuration.against != one.name
    ]
    level = 1 - (1 - LEVEL) / max(1, len(pairs))
    return tuple(_against(one, base, level) for one, base in pairs)


def _against(one: Carried, base: Carried, level: float) -> Against:
    ids = np.intersect1d(one.audit.ids, base.audit.ids)
    first, second = one.audit.of(ids), base.audit.of(ids)
    return Against(
        one=one,
        base=base,
        records=len(ids),
        paired=first.plan == second.plan,
        memorization=difference(first.memorization, second.memorization, level),
        held_out=difference(first.held_out, second.held_out, level),
        high=(one.quantile(ids, 0.95), base.quantile(ids, 0.95)),
    )


def told(found: Mean) -> int:
    """1 or -1 if the whole interval lies on that side of 0, else 0."""
    return int(found[1] > 0) - int(found[2] < 0)
