"""Membership inference on a run folder."""

from pathlib import Path

import numpy as np

from byrote.fits.paths import RunPaths
from byrote.fits.store import RunFolder
from byrote.fits.table import Table
from byrote.plans import IN
from byrote.scores.membership import MembershipInference, infer_membership


def membership(
    store: str | Path, *, attack: str = "lira", partial: bool = False
) -> MembershipInference:
    """Which fits of a run trained on which records, as an attacker would tell.

    Parameters
    ----------
    store
        A run folder.
    attack
        "lira" or "loss", as for ``infer_membership``.
    partial
        Accept a run with missing fits.

    Raises
    ------
    InvalidInput
        If ``attack`` is neither, or there is no run in the folder.
    IncompleteRun
        If fits are missing and ``partial`` is false.
    CorruptFile
        If a file of the run is damaged or belongs to another run.

    Examples
    --------
    >>> import byrote, numpy as np, tempfile
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run, plan = folder + "/run", byrote.Probes(50, fits=8)
    ...     done = byrote.score_memorization(KernelDensity(bandwidth=0.1), x, plan=plan, store=run)
    ...     found = byrote.membership(run)
    >>> found.auc > 0.99
    True
    """
    run = RunFolder.open(RunPaths(Path(store)))
    return of_table(run.table(partial=partial), attack)


def of_table(table: Table, attack: str) -> MembershipInference:
    """The attack on records that are in or out of fits; others are left out."""
    roles = table.roles()
    return infer_membership(
        np.where(roles == 0, np.nan, table.log_prob), roles == IN, attack=attack
    )
