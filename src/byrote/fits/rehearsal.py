"""A rehearsal before the run: does the model take such records at all?

It is held on a handful of the records, and on more where the model asks for more. If it fails, it
is held again on made-up records: when those fail too, the error's text can be shown, because no
private record is in it. Otherwise the error is named by type and place alone.
"""

import traceback
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.data.pixels import is_pixels
from byrote.data.records import Records
from byrote.errors import InvalidInput, TrainingDiverged
from byrote.fits.content import ArrayContent, BadLogProb
from byrote.fits.follower import Follower, Questions
from byrote.fits.job import Job
from byrote.fits.sharing import readonly
from byrote.fits.surroundings import controlled
from byrote.models import contract
from byrote.models.weights import BadWeights, weights_of, with_weights
from byrote.plans import Design

_FEW = 64


def rehearse(
    model: Any,
    records: Records,
    design: Design,
    seed: int,
    *,
    threads: int,
    show: bool = False,
    tracked: bool = False,
    keep: bool = False,
) -> int:
    """Fit and score a few records, in this process; returns how many were needed.

    A run that is ``tracked`` also scores them in the middle of training, after the first epoch.

    Some models need more records than a few (a mixture, one per component); their number is doubled
    up to that of the plan's first fit before the model is refused.

    Raises
    ------
    InvalidInput
        If the model refuses its parameters or the records.
    """
    problem_with = partial(_problem, model, seed=seed, threads=threads, tracked=tracked, keep=keep)
    most = len(design.training_rows(0))
    count = min(_FEW, most)
    while True:
        generator = seeds.generator(seed, seeds.Purpose.REHEARSAL)
        some = np.sort(generator.choice(len(records), count, replace=False))
        problem = problem_with(records.x[some])
        if problem is None:
            return count
        if count == most:
            break
        count = min(2 * count, most)
    made_up = _made_up(records, min(_FEW, most), generator)
    raise InvalidInput(_sentence(model, problem, problem_with(made_up), show))


def _problem(
    model: Any, x: NDArray[Any], *, seed: int, threads: int, tracked: bool, keep: bool
) -> BaseException | None:
    try:
        with controlled(seed % 2**32, threads, needs_torch=False), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they come again with the fits
            _try(model, x, tracked, keep)
    except (Exception, SystemExit) as error:  # a stranger's model may raise anything
        return error
    return None


def _sentence(model: Any, problem: BaseException, unreal: BaseException | None, show: bool) -> str:
    name = type(model).__name__
    if show or isinstance(problem, BadLogProb | BadWeights | TrainingDiverged):
        return f"model: {name} refuses the records: {_one_line(problem)}"
    if type(unreal) is type(problem):
        return f"model: {name} cannot be trained, not even on made-up records: {_one_line(unreal)}"
    last = traceback.extract_tb(problem.__traceback__)[-1]
    return (
        f"model: {name} refuses the records: {type(problem).__name__} at"
        f" {Path(last.filename).name}:{last.lineno} (its text may quote records; --debug shows it)"
    )


def _try(model: Any, x: NDArray[Any], tracked: bool, keep: bool) -> None:
    copy = contract.seeded_clone(model, training=0, noise=0)
    content, job = ArrayContent(readonly(x)), _job(len(x))
    questions = Questions(copy, content, job, {1}) if tracked else None
    contract.fit(copy, content.training(copy, job), Follower(questions))
    content.scored(copy, job)
    if tracked and contract.has_loss(copy):
        copy.loss(contract.as_input(copy, x[:_FEW]))
    if keep:
        with_weights(contract.seeded_clone(model, training=0, noise=0), weights_of(copy))


def _job(n: int) -> Job:
    """Train on all rows, score a few."""
    few = np.arange(min(_FEW, n), dtype=np.uint32)
    return Job(0, n, few[:0], few, training_seed=0, evaluation_seed=0, noise_seed=0)


def _made_up(records: Records, count: int, generator: np.random.Generator) -> NDArray[Any]:
    shape = (count, *records.shape)
    if is_pixels(records.x):
        return generator.integers(0, 256, shape, dtype=np.uint8)
    low, high = records.x.min(), records.x.max()
    unit = low >= 0 and high <= 1
    drawn = generator.random(shape) if unit else generator.standard_normal(shape)
    return drawn.astype(records.x.dtype)


def _one_line(error: BaseException | None) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, InvalidInput) else f"{type(error).__name__}: {text}"
