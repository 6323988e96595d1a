"""What a run leaves of its records: without those it memorized most, or as many at random."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.errors import IncompleteRun
from byrote.fits.paths import RunPaths
from byrote.fits.reading import is_there
from byrote.scores.memorization.pruning import prune
from byrote.scores.run import open_run
from byrote.studies.mitigations.declaration import Pruning


@dataclass(frozen=True, eq=False)
class Remaining:
    """Ids of the records that stay, and of the probes among them."""

    ids: NDArray[Any]
    probes: NDArray[Any]


def remaining(run: Path, pruning: Pruning, *, seed: int) -> Remaining:
    """What a finished run leaves.

    Raises
    ------
    IncompleteRun
        If there is no run, or some of its fits are missing.
    """
    if not is_there(RunPaths(run).manifest):
        raise IncompleteRun(f"there is no run in {run} to prune")
    result = open_run(run).memorization()
    pruned = prune(result, top=pruning.top)
    scored = ~np.isnan(result.score)
    gone = np.isin(result.ids, pruned.removed)
    if pruning.at == "random":
        generator = seeds.generator(seed, seeds.Purpose.CHOICE, len(result))
        chosen = generator.choice(np.flatnonzero(scored), len(pruned.removed), replace=False)
        gone = np.isin(np.arange(len(result)), chosen)
    return Remaining(result.ids[~gone], result.ids[~gone & scored])
