"""Plans for a goal and a budget, with what each costs and can find."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from byrote import checks
from byrote.data.records import Records
from byrote.data.sources import as_records
from byrote.display import Displayed
from byrote.errors import InvalidInput
from byrote.models import contract
from byrote.plans import Grouped, KFold, Plan, Probes
from byrote.runs.forecast import Planned
from byrote.runs.kinds.arrays import Arrays, Forecast
from byrote.runs.kinds.pilot import Pilot
from byrote.runs.request import Request, Settings
from byrote.scores.outlook.evaluation_time import evaluation_seconds
from byrote.scores.outlook.goal import Goal
from byrote.scores.outlook.outlook import Noise, Outlook, foresee_looks, noise_of, outlook

_FOLDS = 3
_PROBES, _LEAST_PROBES = 500, 20
_REPEATS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_FITS = (4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 96)
_USUAL_REPEATS, _USUAL_FITS = 6, 16


@dataclass(frozen=True)
class Proposal:
    """A plan with what it costs and can find, and whether it reaches the goal in the budget."""

    name: str
    plan: Plan
    costs: Forecast
    outlook: Outlook
    reaches_goal: bool
    within_budget: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "name": self.name,
            "plan": self.plan.spec(),
            **asdict(self.costs),
            **asdict(self.outlook),
            "reaches_goal": self.reaches_goal,
            "within_budget": self.within_budget,
        }


@dataclass(frozen=True, repr=False)
class Proposals(Displayed):
    """Three to five plans, and the one that serves the goal best.

    Attributes
    ----------
    goal, budget
        What was asked for; the budget in seconds, infinite without one.
    proposals
        One for each kind of plan, at the size that goal and budget ask for.
    best
        Place of the recommended one.
    pilot_fits, pilot_records
        What the numbers are extrapolated from.
    looks
        If the recommended run is looked at three times: by number of fits, the smallest effect that
        it finds at each look, as ``detectable``; empty where none but the last finds a record, or
        no question ends a run at the goal.
    """

    goal: Goal
    budget: float
    proposals: tuple[Proposal, ...]
    best: int
    pilot_fits: int
    pilot_records: int
    looks: Mapping[int, float]

    def __repr__(self) -> str:
        names = ", ".join(proposal.name for proposal in self.proposals)
        return f"Proposals({names}; recommended: {self.recommended.plan})"

    @property
    def recommended(self) -> Proposal:
        """The plan that reaches the goal in the budget, or comes nearest."""
        return self.proposals[self.best]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "goal": asdict(self.goal),
            "budget": self.budget,
            "proposals": [proposal.to_dict() for proposal in self.proposals],
            "best": self.best,
            "pilot_fits": self.pilot_fits,
            "pilot_records": self.pilot_records,
            "looks": dict(self.looks),
        }


def propose_plans(
    model: Any,
    X: Any,
    *,
    goal: str = "discover=1",
    budget: float = float("inf"),
    labels: Any = None,
    ids: Any = None,
    groups: Any = None,
    seed: int = 0,
    workers: int = 1,
    threads: int = 1,
    debug: bool = False,
) -> Proposals:
    """Propose plans for ``score_memorization`` by what they will cost and find.

    A short pilot, a few fits on as many records as its time allows, shows how long a fit takes and
    how much a record's log-likelihood varies from one fit to the next (docs/plans.md).

    Parameters
    ----------
    model, X, labels, ids, seed, workers, threads, debug
        As of ``score_memorization``.
    groups
        (n,) group of each record, for plans that hold out the records of a group together
        (``byrote.plans.Grouped``).
    goal
        "discover=N": find N records, with an effect of six standard deviations of retraining;
        "se=X": a standard error of X nats; "effect=X": find a single record with an effect of X
        nats; "epsilon=X": be able to prove X as a lower bound on epsilon.
    budget
        Seconds that the run may take.

    Raises
    ------
    InvalidInput
        If an argument is invalid, or there are fewer than 40 records, or groups.

    Examples
    --------
    >>> from sklearn.mixture import GaussianMixture
    >>> x = np.random.default_rng(0).normal(size=(300, 2))
    >>> proposals = propose_plans(GaussianMixture(2), x, goal="epsilon=3")
    >>> proposals.recommended.reaches_goal, proposals.recommended.outlook.epsilon >= 3
    (True, True)
    """
    model, records = contract.prepared(model, as_records(X, ids=ids, labels=labels))
    settings = Settings(seed, threads, workers, debug=debug)
    if not (budget := checks.as_float(budget)) > 0:
        raise InvalidInput(f"budget must be a positive number of seconds; got {budget:g}")
    return Planner(model, records, settings, groups=groups).propose(Goal.parse(goal), budget)


class Planner:
    """The pilots of a model and its records, and the plans made from them.

    ``started``: ``time.perf_counter()`` when the command began (default: now). ``groups``: (n,)
    group of each record, for plans of groups.
    """

    def __init__(
        self,
        model: Any,
        records: Records,
        settings: Settings,
        started: float | None = None,
        groups: Any = None,
    ) -> None:
        self._groups = groups
        usual = self._of_groups(KFold(_FOLDS, _USUAL_REPEATS))
        n = usual.spec().get("groups", len(records))
        if n < 2 * _LEAST_PROBES:
            raise InvalidInput(
                f"{'records' if groups is None else 'groups'} must be at least"
                f" {2 * _LEAST_PROBES} to propose plans; got {n}"
            )
        self._request = Request(model, records, usual, settings)
        kind = self._request.kind
        assert isinstance(kind, Arrays)  # noqa: S101 (records are not canaries)
        self._kind = kind
        self._probes = min(_PROBES, n // 4 // 2 * 2)
        planned = self._request.planned(started)
        self._folds = self._kind.pilot(planned)
        probes = self._of_groups(Probes(self._probes, _USUAL_FITS, pairs=groups is None))
        self._pairs = self._kind.pilot(self._planned(planned, probes), self._folds)
        seed = settings.seed
        first = evaluation_seconds(self._folds.table.design, seed)  # loads libraries
        self._base = replace(planned, overhead=planned.overhead + first)
        single = noise_of(self._pairs.table, seed, pairs=False)
        self._pilots: dict[str, tuple[Pilot, Noise]] = {
            "kfold": (self._folds, noise_of(self._folds.table, seed)),
            "probes": (self._pairs, single),
            "pairs": (self._pairs, noise_of(self._pairs.table, seed)),
            "coins": (self._pairs, single),
        }

    def propose(self, goal: Goal, budget: float) -> Proposals:
        """Size each kind of plan for the goal and the budget, and recommend one."""
        proposals = tuple(
            self._sized(name, plans, goal, budget) for name, plans in self._plans().items()
        )
        best = _best(proposals, goal)
        return Proposals(
            goal,
            budget,
            proposals,
            best,
            self._folds.fits + self._pairs.fits,
            self._folds.records,
            self._looks(proposals[best], goal),
        )

    def _plans(self) -> dict[str, list[Plan]]:
        """Return the plans of each kind, by increasing size.

        Groups cannot be paired, and their coins prove no epsilon.
        """
        m = self._probes
        plans: dict[str, list[Plan]] = {
            "kfold": [KFold(_FOLDS, repeats) for repeats in _REPEATS],
            "probes": [Probes(m, f) for f in _FITS],
        }
        if self._groups is not None:
            return {name: [*map(self._of_groups, sizes)] for name, sizes in plans.items()}
        return plans | {
            "pairs": [Probes(m, f, pairs=True) for f in _FITS],
            "coins": [Probes(m, f, coins=True) for f in _FITS],
        }

    def _of_groups(self, plan: Plan) -> Plan:
        return plan if self._groups is None else Grouped(plan, self._groups)

    def _sized(self, name: str, plans: Sequence[Plan], goal: Goal, budget: float) -> Proposal:
        """Take the smallest plan that reaches the goal, the largest in the budget, or the usual.

        Costs are taken of few plans, as the evaluation of a large one takes seconds to measure.
        """

        def proposal(plan: Plan) -> Proposal:
            return self._proposal(name, plan, goal, budget)

        reaching = (place for place, plan in enumerate(plans) if self._reaches(name, plan, goal))
        place = next(reaching, len(plans) - 1 if np.isfinite(budget) else _usual(plans))
        largest = proposal(plans[place])
        if largest.within_budget or place == 0:
            return largest
        fitting = bisect_left(plans[:place], True, key=lambda p: not proposal(p).within_budget)
        return proposal(plans[max(fitting - 1, 0)])

    def _reaches(self, name: str, plan: Plan, goal: Goal) -> bool:
        noise = self._pilots[name][1]
        design = self._planned(self._base, plan).design
        return goal.reached(outlook(plan, design, noise, goal.discoveries), noise)

    def _proposal(self, name: str, plan: Plan, goal: Goal, budget: float) -> Proposal:
        pilot, noise = self._pilots[name]
        planned = self._planned(self._base, plan)
        evaluation = evaluation_seconds(planned.design, planned.seed)
        costs = self._kind.costs(planned, pilot).plus_overhead(evaluation)
        prospects = outlook(plan, planned.design, noise, goal.discoveries)
        reaches = goal.reached(prospects, noise)
        return Proposal(name, plan, costs, prospects, reaches, costs.seconds <= budget)

    def _looks(self, proposal: Proposal, goal: Goal) -> Mapping[int, float]:
        if not goal.question:
            return {}
        context, noise = self._request.context(), self._pilots[proposal.name][1]
        return foresee_looks(proposal.plan, context, noise, goal.discoveries)

    def _planned(self, base: Planned, plan: Plan) -> Planned:
        return replace(base, plan=plan, design=plan.draw(self._request.context()))


def _usual(plans: Sequence[Plan]) -> int:
    """Return the place of the plan of the usual size."""
    sizes = [plan.spec()[plan.size] for plan in plans]
    return next(p for p, size in enumerate(sizes) if size in (_USUAL_REPEATS, _USUAL_FITS))


def _best(proposals: tuple[Proposal, ...], goal: Goal) -> int:
    """Place of the best: in the budget, at the goal; then the most records, or the least time."""

    def rank(place: int) -> tuple[Any, ...]:
        proposal = proposals[place]
        prospects, seconds = proposal.outlook, proposal.costs.seconds
        if not proposal.reaches_goal:
            by_goal = {
                "se": np.nan_to_num(prospects.standard_error, nan=np.inf),
                "epsilon": -prospects.epsilon,
            }.get(goal.name, np.nan_to_num(prospects.detectable, nan=np.inf, posinf=np.inf))
            return not proposal.within_budget, True, by_goal, seconds
        records = prospects.tested if goal.name == "discover" else 0
        return not proposal.within_budget, False, -records, seconds

    return min(range(len(proposals)), key=rank)
