"""Proposed plans as a table, with the recommended one."""

from collections.abc import Iterator

import numpy as np
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from byrote.report.format import byte_size, duration, new_table, number, p_value, plural
from byrote.scores.outlook.goal import LARGE
from byrote.scores.outlook.outlook import Outlook
from byrote.scores.outlook.proposal import Proposal, Proposals

_TITLES = (
    "plan", "records", "fits", "time", "memory", "disk", "std. error", "finds", "noisy",
    "smallest p", "epsilon",
)  # fmt: skip


def render(proposals: Proposals, command: str = "") -> Iterator[RenderableType]:
    """Return a table of plans, what its columns are, the best plan and a command to run it."""
    yield _table(proposals)
    yield (
        "time: of the whole command; std. error: of mean_log in a median record, nats; finds:"
        f" smallest effect, nats, found in a single record{_together(proposals)} with 80% power at"
        " a 5% false discovery rate, of median and of high noise; smallest p: of the exact test;"
        " epsilon: provable at best."
    )
    if any(proposal.outlook.unsure for proposal in proposals.proposals):
        yield "≈: noise in the pilot is far from normal; this may be wrong by more than a quarter."
    for proposal in proposals.proposals:
        if proposal.outlook.blind:
            yield f"{proposal.name} can find no single record: {proposal.outlook.reason}."
    fits, records = proposals.pilot_fits, proposals.pilot_records
    yield f"(rough: extrapolated from {plural(fits, 'pilot fit')} of {plural(records, 'record')})"
    yield Text(_verdict(proposals), style="bold")
    if command:
        yield f"    {command}"
    if proposals.looks:
        yield _looks(proposals)


def _table(proposals: Proposals) -> Table:
    table = new_table(*_TITLES)
    for place, proposal in enumerate(proposals.proposals):
        costs, prospects = proposal.costs, proposal.outlook
        table.add_row(
            f"{'→ ' if place == proposals.best else '  '}{_name(proposal)}",
            f"{prospects.tested:,}",
            f"{costs.fits:,}",
            duration(costs.seconds),
            byte_size(costs.memory, rough=True),
            byte_size(costs.disk, rough=True),
            number(prospects.standard_error),
            _effect(prospects, prospects.detectable),
            _effect(prospects, prospects.detectable_noisy),
            p_value(prospects.smallest_p),
            number(prospects.epsilon) if prospects.epsilon else "none",
        )
    return table


def _name(proposal: Proposal) -> str:
    spec = proposal.plan.spec()
    if proposal.name == "kfold":
        return f"{spec['folds']} folds × {spec['repeats']}"
    return proposal.name


def _effect(prospects: Outlook, effect: float) -> str:
    if np.isinf(effect):
        return "none"
    sign = "≈ " if prospects.unsure and not np.isnan(effect) else ""
    return f"{sign}{number(effect)}"


def _together(proposals: Proposals) -> str:
    count = proposals.goal.discoveries
    return "" if count == 1 else f", or in each of {count:,}"


def _looks(proposals: Proposals) -> str:
    """Return what looks at the recommended plan save and cost."""
    best = proposals.recommended
    early = [(fits, effect) for fits, effect in proposals.looks.items() if np.isfinite(effect)]
    *before, (last, weakest) = early
    stops = " or ".join(f"{fits:,} (effects from {number(effect)} nats)" for fits, effect in before)
    return (
        f"With --stop-when {proposals.goal.question} it may end after {stops} of its {last:,} fits;"
        f" if it does not, it finds effects from {number(weakest)} nats instead of"
        f" {number(best.outlook.detectable)}."
    )


def _verdict(proposals: Proposals) -> str:
    best, goal = proposals.recommended, proposals.goal
    aim = {
        "discover": f"find {plural(goal.discoveries, 'record')} with an effect of {LARGE:g}"
        " standard deviations of retraining",
        "se": f"reach a standard error of {goal.value:g} nats",
        "effect": f"find a single record with an effect of {goal.value:g} nats",
        "epsilon": f"be able to prove an epsilon of {goal.value:g}",
    }[goal.name]
    within = f" within {duration(proposals.budget)}" if np.isfinite(proposals.budget) else ""
    if best.reaches_goal and best.within_budget:
        return f"Recommended to {aim}{within}: {_name(best)}"
    return f"No plan here is expected to {aim}{within}; the nearest is {_name(best)}"
