"""Membership inference on a run folder."""

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import IncompleteRun
from byrote.fits.run_folder import RunFolder
from byrote.fits.table import Table
from byrote.plans import IN
from byrote.scores.evidence.planted import Planted, planted
from byrote.scores.membership import ATTACKS, MembershipInference
from byrote.scores.membership.inference import LEVEL, attacked, lira_scores, measured

Array = NDArray[np.float64]


def membership_of(
    run: RunFolder, attack: str = "lira", *, partial: bool = False
) -> MembershipInference:
    """Attack the records or canaries of a run; see ``Run.membership``."""
    partial, attack = checks.flag("partial", partial), checks.choice("attack", attack, ATTACKS)
    table = run.table(partial=partial)
    if not table.counting().any():
        raise IncompleteRun(run.complaint(table.missing))
    if run.design.inserts:
        return of_planted(planted(run, table), attack)
    return of_table(table, attack)


def of_table(table: Table, attack: str, *, level: float = LEVEL) -> MembershipInference:
    """The attack on records that are in or out of fits; others are left out.

    Fits with the same seeds are one unit: no references of each other, and no two samples.
    """
    attack = checks.choice("attack", attack, ATTACKS)
    roles, unit = table.roles(), np.asarray(table.design.leader, np.intp)
    values = np.where(roles == 0, np.nan, table.log_prob)
    return attacked(values, roles == IN, attack, unit=unit, level=level)


def of_planted(
    found: Planted, attack: str, inserted: int | None = None, *, level: float = LEVEL
) -> MembershipInference:
    """The attack on inserted secrets, so often or at all, against those that were never inserted.

    Controls and reference candidates are drawn as the secrets are, and a text without them cannot
    tell them apart. Log-likelihoods are standardized within each fit and pattern, over all of its
    rows alike, so that one threshold serves every pattern. The intervals speak of other secrets in
    the same fits, as those of exposures do.
    """
    attack = checks.choice("attack", attack, ATTACKS)
    times = found.inserted
    asked = times > 0 if inserted is None else times == inserted
    scores = np.where(asked | (times == 0), standardized(found), np.nan)
    scores[:, found.chosen] = np.nan
    if attack == "lira":
        scores = lira_scores(scores, times > 0)
    one = np.zeros(len(found.fits), np.intp)
    return measured(scores, times > 0, attack, unit=one, level=level)


def standardized(found: Planted) -> Array:
    """(F, n) log-likelihoods less their mean, over their standard deviation, by fit and pattern.

    Means and deviations are of what is finite; where nothing varies, only the mean is taken away.
    """
    values = found.log_prob.copy()
    for pattern in np.unique(found.pattern):
        columns = found.pattern == pattern
        finite = np.where(np.isfinite(values[:, columns]), values[:, columns], np.nan)
        for row, own in zip(values, finite, strict=True):
            if not np.isnan(own).all():
                deviation = np.nanstd(own)
                row[columns] = (row[columns] - np.nanmean(own)) / (deviation if deviation else 1.0)
    return values
