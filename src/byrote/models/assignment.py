"""What a fit gets whose model reads the records itself: rows and ids in place of values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import ByroteError

ELSEWHERE = "byrote.models.external.Elsewhere"  # class of models whose fits are made elsewhere
COMMAND = "byrote.models.external.Command"  # and of programs that a run starts


class ProgramFailed(ByroteError, RuntimeError):
    """A program of a fit that failed; the message quotes no record."""


def takes_assignments(model: Any) -> bool:
    """Whether a model reads the records itself, and gets an ``Assignment`` in place of them."""
    return bool(getattr(model, "takes_assignments", False))


@dataclass(frozen=True, eq=False)
class Assignment:
    """What one fit trains on and scores, for a model that reads the records itself.

    Attributes
    ----------
    train
        (m,) rows to train on, in the order of the training data.
    score
        (k,) rows whose log-likelihoods are needed, ascending.
    ids
        (n,) ids of all records of the run.
    included
        (n,) whether the fit trains on each.
    work
        Empty folder for the fit's files.
    log
        File for what a program prints.
    directory
        Folder in which a program starts.
    rehearsal
        Whether this is the trial before the first fit.
    """

    train: NDArray[np.intp]
    score: NDArray[Any]
    ids: NDArray[Any]
    included: NDArray[Any]
    work: Path
    log: Path
    directory: Path
    rehearsal: bool = False
