"""A rehearsal before the run: does the model take such records at all?

It is held twice on a handful of records. First on made-up ones, whose error text may be shown
because no private record is in it; then on real ones, whose error is named by type and place alone.
"""

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.data.records import Records
from byrote.errors import InvalidInput
from byrote.fits.sharing import readonly
from byrote.fits.surroundings import controlled
from byrote.fits.worker import BadLogProb, checked
from byrote.models import contract
from byrote.plans import Design

_FEW = 64


def rehearse(
    model: Any, records: Records, design: Design, seed: int, *, threads: int, show: bool = False
) -> None:
    """Fit and score a few records, in this process.

    Some models need more records than a few (a mixture, one per component); such a one gets as many
    as the plan's first fit has before it is refused.

    Raises
    ------
    InvalidInput
        If the model refuses its parameters or the records.
    """
    size = len(design.training_rows(0))
    for count in sorted({min(_FEW, size), size}):
        problem = _first_problem(model, records, count, seed, threads, show)
        if problem is None:
            return
    raise InvalidInput(problem)


def _first_problem(
    model: Any, records: Records, count: int, seed: int, threads: int, show: bool
) -> str | None:
    generator = seeds.generator(seed, seeds.Purpose.REHEARSAL)
    name = type(model).__name__
    made_up = _made_up(records, count, generator)
    try:
        _try(model, made_up, seed, threads)
    except Exception as error:  # a stranger's model may raise anything
        return f"model: {name} cannot be trained: {_one_line(error)}"
    real = records.x[np.sort(generator.choice(len(records), count, replace=False))]
    try:
        _try(model, real, seed, threads)
    except Exception as error:
        text = f": {_one_line(error)}" if show or isinstance(error, BadLogProb) else ""
        last = traceback.extract_tb(error.__traceback__)[-1]
        return (
            f"model: {name} refuses the records:"
            f" {type(error).__name__} at {Path(last.filename).name}:{last.lineno}{text}"
            + ("" if text else " (its text may quote records; --debug shows it)")
        )
    return None


def _try(model: Any, x: NDArray[Any], seed: int, threads: int) -> None:
    with controlled(seed % 2**32, threads, needs_torch=False):
        copy = contract.prepared(model, training=0, noise=0)
        contract.fit(copy, contract.as_input(copy, readonly(x)), _nobody)
        checked(copy.score_samples(contract.as_input(copy, readonly(x[:_FEW]))), len(x[:_FEW]))


def _made_up(records: Records, count: int, generator: np.random.Generator) -> NDArray[Any]:
    low, high = records.x.min(), records.x.max()
    unit = low >= 0 and high <= 1
    shape = (count, *records.shape)
    drawn = generator.random(shape) if unit else generator.standard_normal(shape)
    return drawn.astype(records.x.dtype)


def _nobody(epoch: int, losses: Mapping[str, float]) -> None:
    """Listens to a rehearsal."""


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, InvalidInput) else f"{type(error).__name__}: {text}"
