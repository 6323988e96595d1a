"""What a plan can find, from its design and the noise that pilot fits showed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.plans import IN, OUT, Context, Design, Grouped, Plan
from byrote.runs.kinds.arrays import Arrays, Forecast
from byrote.runs.request import Request
from byrote.runs.table import Table
from byrote.scores.memorization.comparisons import LEAST_BYSTANDERS, comparisons
from byrote.scores.memorization.moderated import (
    LEAST_RECORDS,
    POWER,
    SIGNIFICANCE,
    moderated_test,
)
from byrote.scores.memorization.sensitivity import NOISY, far_from_normal, heaviness
from byrote.scores.memorization.stopping import LOOKS
from byrote.scores.outlook.evaluation_time import evaluation_seconds
from byrote.scores.privacy.one_run import one_run_epsilon
from byrote.scores.privacy.rates import epsilon_from_rates
from byrote.scores.privacy.record_bounds import default_guesses
from byrote.stats import rank_tests
from byrote.stats.mean_density import largest_provable
from byrote.stats.moderated_test import Contrast, VariancePrior
from byrote.stats.negative_control import Control
from byrote.stats.planning import Sides, typical_deviation

Array = NDArray[np.float64]
_CONTROL = 300  # control values per record of the pilot
_SEEN = 200  # records whose sides are counted


@dataclass(frozen=True)
class Noise:
    """How log-likelihoods vary over fits, nats.

    Attributes
    ----------
    spread
        Standard deviation of a value in a median record, what all values of a fit share included.
    prior
        Variances of records without that, for the moderated test; None, with a ``reason``, where
        the pilot had no such test.
    control
        The pilot's negative control.
    fits
        Number of fits in the pilot.
    """

    spread: float
    prior: VariancePrior | None
    reason: str = ""
    control: Control | None = None
    fits: int = 0

    def critical(self, level: float, fits: int) -> float:
        """Student's p-value that a record needs in a run of some fits to have this p-value.

        The control demands smaller ones where noise has heavier tails than the normal law. As tails
        of a mean approach the normal one with the number of values, so does the logarithm of the
        ratio between the two.
        """
        heavy = 1.0 if self.control is None else heaviness(self.control, level)
        return level * float(heavy ** min(1.0, self.fits / fits))

    def unsure(self, level: float) -> bool:
        """Whether noise is so far from normal that predicted effects may be wrong by a quarter."""
        if self.prior is None or self.control is None:
            return False
        return far_from_normal(self.prior, self.control, level)


@dataclass(frozen=True)
class Outlook:
    """What a plan can find.

    Attributes
    ----------
    tested
        Number of records that get a score.
    values_in, values_out
        Mean numbers of a record's values in and out of training.
    standard_error
        Of mean_log in a median record, nats. NaN with one repeat, pair, or fit on a side.
    detectable, detectable_noisy
        Smallest effect, nats, found with 80 % power in a single record of median noise, and in a
        noisy one (95th percentile). Infinite where no single record can be found, NaN where only
        the exact test can find one.
    unsure
        Whether the pilot's noise is so far from normal that these effects may be wrong by more than
        a quarter.
    smallest_p
        Of the exact test.
    epsilon
        The largest lower bound on epsilon (delta 0, 95 %) that the plan could prove, if every guess
        were right or every held-out density zero; 0 if none.
    reason
        Why no single record can be found, or only by the exact test; empty otherwise.
    """

    tested: int
    values_in: float
    values_out: float
    standard_error: float
    detectable: float
    detectable_noisy: float
    unsure: bool
    smallest_p: float
    epsilon: float
    reason: str = ""

    @property
    def blind(self) -> bool:
        """Whether no single record can be found, whatever its effect."""
        return self.detectable == np.inf


def foresee(request: Request, started: float | None = None) -> tuple[Forecast, Outlook]:
    """Forecast what a run costs and what it can find, from one pilot.

    ``started``: ``time.perf_counter()`` when the command began (default: now).
    """
    kind = request.kind
    assert isinstance(kind, Arrays)  # noqa: S101 (canaries have forecasts alone)
    planned, seed = request.planned(started), request.settings.seed
    pilot = kind.pilot(planned)
    costs = kind.costs(planned, pilot).plus_overhead(evaluation_seconds(planned.design, seed))
    return costs, outlook(request.plan, planned.design, noise_of(pilot.table, seed))


def noise_of(table: Table, seed: int, *, pairs: bool = True) -> Noise:
    """Estimate noise from pilot fits; without ``pairs``, as of fits that are not paired."""
    if not pairs:
        one_group = np.zeros_like(table.design.group)
        table = replace(table, design=replace(table.design, units="fits", group=one_group))
    test = moderated_test(table, seed, control_values=_CONTROL)
    fits = int(table.counting().sum())
    return Noise(_spread(table), test.prior, test.reason, test.control, fits)


def _spread(table: Table) -> float:
    """Standard deviation of a value in a median record, among exchangeable fits."""
    values = comparisons(table)
    fits = len(values.order.fits)
    raw = replace(values, shift=np.zeros(fits), weight=np.ones(fits))
    contrasts = [contrast for _, contrast in raw.contrasts()]
    if not contrasts:
        return float("nan")
    joined = Contrast.concatenate(contrasts)
    joined = joined.take((joined.degrees > 0) & np.isfinite(joined.variance))
    return typical_deviation(joined.variance, joined.degrees)


def outlook(plan: Plan, design: Design, noise: Noise, discoveries: int = 1) -> Outlook:
    """Compute what a plan can find; ``discoveries`` records are to be found together."""
    sides, smallest = _sides(design), _smallest_p(design)
    tested = len(design.scored)
    reason = _no_moderated_test(design, sides, tested) or noise.reason
    level = discoveries * design.per_look(SIGNIFICANCE) / tested
    effects = [float("inf" if smallest > level else "nan")] * 2
    if not reason and noise.prior is not None:
        critical = noise.critical(level, design.fits)
        effects = [sides.detectable(noise.prior, critical, POWER, q) for q in (0.5, NOISY)]
    return Outlook(
        tested=tested,
        values_in=sides.inside,
        values_out=sides.outside,
        standard_error=_standard_error(design, sides, noise),
        detectable=effects[0],
        detectable_noisy=effects[1],
        unsure=not reason and noise.unsure(level),
        smallest_p=smallest,
        epsilon=_provable(plan, design, sides),
        reason=reason,
    )


def foresee_looks(
    plan: Plan, context: Context, noise: Noise, discoveries: int
) -> Mapping[int, float]:
    """Compute what a run of a plan finds at three looks: by number of fits, the effect, nats.

    As ``Outlook.detectable``. Empty where the plan has too few fits for that many looks, or finds
    no record before its last.
    """
    effects: dict[int, float] = {}
    design = None
    try:
        sizes = plan.sizes(LOOKS)
    except InvalidInput:  # fewer steps than looks
        return {}
    for size in sizes:
        design = replace(plan.resized(size).draw(context, design), looks=LOOKS)
        effects[design.fits] = outlook(plan, design, noise, discoveries).detectable
    return effects if np.isfinite([*effects.values()][:-1]).any() else {}


def _sides(design: Design) -> Sides:
    roles = _roles(design)
    inside, outside = (float((roles == role).sum(axis=0).mean()) for role in (IN, OUT))
    return Sides(inside, outside, design.units == "pairs", len(np.unique(design.group)))


def _roles(design: Design) -> NDArray[np.int8]:
    """(F, r) roles of some of the scored records."""
    rows = design.scored[:: -(-len(design.scored) // _SEEN)]
    return np.stack([design.role(fit)[rows] for fit in range(design.fits)])


def _standard_error(design: Design, sides: Sides, noise: Noise) -> float:
    units = len(np.unique(design.repeat)) if design.units != "fits" else sides.outside
    alone = min(units, sides.inside) < 2
    return float("nan") if alone else sides.standard_error(noise.spread)


def _no_moderated_test(design: Design, sides: Sides, tested: int) -> str:
    """State why a run of this design will have no moderated test; empty where it will."""
    if tested < LEAST_RECORDS:
        return f"the test of single records needs {LEAST_RECORDS} scored records"
    if sides.degrees < 1 or sides.outside < 1:
        return "there are too few fits"
    if _smallest_p(design) < SIGNIFICANCE or len(design.bystanders) >= LEAST_BYSTANDERS:
        return ""
    return "there are too few memberships, or too few other records, for a negative control"


def _smallest_p(design: Design) -> float:
    """Smallest p-value of the exact test."""
    if design.units == "pairs":
        return float(2.0 ** -(design.fits // 2))
    groups = np.unique(design.group, return_inverse=True)[1]
    counts = [
        np.stack([np.bincount(groups, weights=side) for side in (roles == role).T])
        for roles in [_roles(design)]
        for role in (IN, OUT)
    ]
    shapes = np.unique(np.stack(counts, axis=2).astype(int), axis=0)
    return min(rank_tests.smallest_p([(int(a), int(b)) for a, b in shape]) for shape in shapes)


def _provable(plan: Plan, design: Design, sides: Sides) -> float:
    """Epsilon that ``byrote epsilon`` proves at best, by the bound that applies to the plan."""
    if isinstance(plan, Grouped):  # inclusions of the records of a group are not independent
        return 0.0
    if plan.kind == "probes":
        if sides.pairs:
            return 0.0
        coins = len(design.scored) * (design.fits if getattr(plan, "coins", False) else 1)
        guesses = default_guesses(coins)
        return one_run_epsilon(canaries=coins, guesses=guesses, correct=guesses)
    inside, outside = int(sides.inside), int(sides.outside)
    if plan.kind in ("subset", "leave-one-out"):
        if min(inside, outside) < 2:
            return 0.0
        return epsilon_from_rates(
            true_positives=inside, members=inside, false_positives=0, non_members=outside
        ).epsilon
    return largest_provable(np.array([min(inside, outside)]), SIGNIFICANCE)
