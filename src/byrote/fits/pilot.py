"""A forecast from a short pilot: what will a run cost, and how sure will its scores be?"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.errors import InvalidInput
from byrote.fits.environment import peak_memory
from byrote.fits.extrapolation import LONG_ENOUGH, extrapolated, side_by_side
from byrote.fits.job import Job, Outcome, Task
from byrote.fits.request import Request
from byrote.fits.sharing import InMemory
from byrote.fits.worker import run_job
from byrote.models import contract, resolve_auto
from byrote.plans import Design
from byrote.plans.design import Units, rows

_BYTES_PER_VALUE, _BYTES_PER_FIT = 9, 4500  # of a fit's file, measured


@dataclass(frozen=True)
class Forecast:
    """What a run will roughly cost: seconds, bytes, nats.

    ``fits`` are the plan's; ``release`` says whether one on all records comes on top.
    ``standard_error`` is that of mean_log for a median record, from the difference between two
    pilot fits, with the same seeds where the plan makes pairs. Pilots see fewer records than the
    run will, and noise falls with their number, so it errs on the high side; but the fits of a pair
    have the more in common the fewer steps they take. ``units`` are what the jackknife leaves out.
    ``compiled`` says that the run will be, which the pilots were not: its time is then less.
    ``starting`` is the part of ``seconds`` that the workers take to start.
    """

    fits: int
    pilot_records: int
    seconds_per_fit: float
    seconds: float
    memory: int
    disk: int
    values_in: float
    values_out: float
    standard_error: float
    units: Units = "repeats"
    release: bool = False
    compiled: bool = False
    starting: float = 0.0


def forecast(request: Request) -> Forecast:
    """Fit growing parts of the records until the time of a whole fit can be extrapolated.

    Raises
    ------
    InvalidInput
        For all that a run would refuse.
    """
    request.check()
    design = request.plan.draw(request.context())
    size, per_fit, noise, outcome = _pilot(request, design, request.rehearse(design))
    workers, starting = side_by_side(request.settings)
    counted = sum(len(design.counted_rows(fit)) for fit in range(design.fits))
    fits = design.fits + len(design.extra if request.keeps else ())
    models = {"none": 0, "release": 1, "all": fits}[request.settings.keep_models]
    inside, outside = _values_per_record(design)
    process = peak_memory()  # holds all the records already, as a worker holds those it trains on
    taken = contract.input_bytes(request.model, request.records.x)
    more = taken - request.records.x.nbytes
    return Forecast(
        fits=design.fits,
        pilot_records=size,
        seconds_per_fit=per_fit,
        seconds=per_fit * -(-fits // workers) + starting,
        memory=process + workers * (process + more) if workers > 1 else process + taken,
        disk=counted * _epochs_kept(request) * (_BYTES_PER_VALUE + 4 * len(outcome.diagnostics))
        + _BYTES_PER_FIT * design.fits
        + models * sum(array.nbytes for array in (outcome.weights or {}).values()),
        values_in=inside,
        values_out=outside,
        standard_error=_standard_error(design, noise, inside, outside),
        units=design.units,
        release=request.keeps,
        compiled=bool(_settled(request, design).get("compile")),
        starting=starting,
    )


def _settled(request: Request, design: Design) -> dict[str, Any]:
    return resolve_auto.resolved_values(request.model, request.records.x.shape, design.fits)


def _epochs_kept(request: Request) -> int:
    """After how many epochs a fit is scored, the last one being scored always."""
    return len({*request.track, contract.epochs(request.model)})


def _standard_error(design: Design, noise: float, inside: float, outside: float) -> float:
    """Of mean_log; NaN where the run will have none."""
    alone = design.units != "fits" and len(np.unique(design.repeat)) < 2
    return np.nan if alone or not outside else noise * float(np.sqrt(1 / inside + 1 / outside))


def _pilot(request: Request, design: Design, smallest: int) -> tuple[int, float, float, Outcome]:
    """Records in a pilot, seconds of a fit, retraining noise in nats, and what a pilot gave."""
    share = len(design.training_rows(0)) / design.n
    times: list[tuple[int, float]] = []
    for size in _sizes(smallest, design.n, share):
        started = time.perf_counter()
        first = _fit(request, _job(design, size, share, 0))
        times.append((size, time.perf_counter() - started))
        if times[-1][1] >= LONG_ENOUGH:
            break
    second = _fit(request, _job(design, times[-1][0], share, 1))
    return times[-1][0], extrapolated(times, design.n), _noise(first, second), first


def _sizes(smallest: int, n: int, share: float) -> Iterator[int]:
    size = min(n, round(smallest / share) + 1)  # of which the model sees a share
    while size < n:
        yield size
        size *= 2
    yield n


def _job(design: Design, size: int, share: float, number: int) -> Job:
    """Train on a random share of the records; in a pair, the second fit is the first one's twin."""
    left_out = min(size - 1, round((1 - share) * size))
    if design.units != "pairs":
        held_out = np.random.default_rng(number).choice(size, left_out, replace=False)
        return Job(number, size, rows(held_out), None, number, number, 0)
    shuffled = np.random.default_rng(0).permutation(size)
    left_out = min(left_out, size // 2)
    first, second = rows(shuffled[:left_out]), rows(shuffled[left_out : 2 * left_out])
    return Job(number, size, second if number else first, None, 0, 0, 0, leader_held_out=first)


def _fit(request: Request, job: Job) -> Outcome:
    """Do a job on some records, and score all of them."""
    generator = seeds.generator(request.settings.seed, seeds.Purpose.REHEARSAL, 1)
    some = np.sort(generator.choice(len(request.records), job.n, replace=False))
    task = Task(
        request.model,
        InMemory(request.records.x[some]),
        request.settings.threads,
        track=tuple(request.track),
    )
    outcome = run_job(task, replace(job, keep_weights=request.keeps))
    if outcome.log_prob is None:
        raise InvalidInput(f"model: a pilot fit of {job.n} records failed: {outcome.failure}")
    return outcome


def _noise(first: Outcome, second: Outcome) -> float:
    """Robust standard deviation of a record's log-likelihood from one fit to another."""
    one, other = (np.asarray(outcome.log_prob) for outcome in (first, second))
    with np.errstate(invalid="ignore"):
        difference = np.abs(one - other)
    # The quartile of a normal is 0.6745 sd, and a difference of two has sqrt(2) times the sd.
    return float(np.nanmedian(difference) / 0.6745 / np.sqrt(2))


def _values_per_record(design: Design) -> tuple[float, float]:
    """Mean numbers of values in and out over the records that are scored."""
    inside = outside = 0
    seen = np.zeros(design.n, dtype=bool)
    for fit in range(design.fits):
        role: NDArray[np.int8] = design.role(fit)
        inside += int((role > 0).sum())
        outside += int((role < 0).sum())
        seen |= role != 0
    return inside / seen.sum(), outside / seen.sum()
