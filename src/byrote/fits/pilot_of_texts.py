"""A forecast of an exposure run from a short pilot: what will it cost?"""

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from byrote import seeds
from byrote.data.canary_records import CanaryRecords
from byrote.errors import InvalidInput
from byrote.fits.environment import peak_memory
from byrote.fits.extrapolation import LONG_ENOUGH, extrapolated, side_by_side
from byrote.fits.follower import Follower
from byrote.fits.job import Job, job_of
from byrote.fits.rehearsal_of_texts import beginning, epochs_of, quick
from byrote.fits.request import Request
from byrote.fits.surroundings import controlled
from byrote.fits.texts import TextContent
from byrote.models import contract
from byrote.models.weights import weights_of
from byrote.plans import Design

_BYTES_PER_VALUE, _BYTES_PER_CANARY, _BYTES_PER_FIT = 10, 30, 5000  # of a fit's file, measured


@dataclass(frozen=True)
class ExposureForecast:
    """What an exposure run will roughly cost: seconds, bytes.

    ``seconds_per_fit`` are those of training and of all measuring: ``measuring`` at the end,
    ``passing`` each of ``times`` in the course of training, and ``loss`` for each of ``losses``.
    The model of the pilot has seen little, and what a search takes depends on the model.
    """

    fits: int
    canaries: int
    copies: int
    places: int
    references: int
    pilot_characters: int
    training: float
    measuring: float
    passing: float
    times: int
    loss: float
    losses: int
    seconds_per_fit: float
    seconds: float
    memory: int
    disk: int
    starting: float = 0.0


def forecast_texts(request: Request) -> ExposureForecast:
    """Train on growing parts of the text until the time of the whole can be extrapolated.

    Raises
    ------
    InvalidInput
        For all that a run would refuse.
    """
    request.check()
    design, records = request.plan.draw(request.context()), _records(request)
    pilot = _pilot(request, design, request.rehearse(design))
    times = len({*request.track} - {contract.epochs(request.model)})
    losses = (request.reports(design) or max(request.track)) if request.track else 0
    asking = times * pilot.passing + losses * pilot.loss
    per_fit = pilot.training + asking + pilot.measuring
    workers, starting = side_by_side(request.settings)
    process = peak_memory()
    rows = len(records) * _BYTES_PER_VALUE + records.canaries * _BYTES_PER_CANARY
    models = {"none": 0, "release": 1, "all": design.fits}[request.settings.keep_models]
    return ExposureForecast(
        fits=design.fits,
        canaries=records.canaries,
        copies=int(design.included(0).sum()),
        places=records.places,
        references=len(records) - records.canaries,
        pilot_characters=pilot.characters,
        training=pilot.training,
        measuring=pilot.measuring,
        passing=pilot.passing,
        times=times,
        loss=pilot.loss,
        losses=losses,
        seconds_per_fit=per_fit,
        seconds=per_fit * -(-design.fits // workers) + starting,
        memory=process * (workers + 1) if workers > 1 else process,
        disk=design.fits * ((times + 1) * rows + _BYTES_PER_FIT) + rows + models * pilot.weights,
        starting=starting,
    )


@dataclass(frozen=True)
class _Pilot:
    """Characters of the pilot, and what of a whole fit follows from it: seconds, bytes."""

    characters: int
    training: float
    measuring: float
    passing: float
    loss: float
    weights: int


def _records(request: Request) -> CanaryRecords:
    if not isinstance(request.records, CanaryRecords):
        raise InvalidInput("request must be that of an exposure run")
    return request.records


def _pilot(request: Request, design: Design, smallest: int) -> _Pilot:
    records, settings = _records(request), request.settings
    whole, times, size = records.corpus.characters, [], smallest
    with (
        controlled(settings.seed % 2**32, settings.threads, needs_torch=False),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # they come again with the fits
        while True:
            model, seconds = _trained(request, beginning(records, size))
            times.append((size, seconds))
            if seconds >= LONG_ENOUGH or size >= whole:
                break
            size = min(2 * size, whole)
        content = TextContent(records.x)
        job = job_of(design, 0, settings.seed)
        measuring = _seconds(lambda: content.scored(model, job))
        asked = bool(request.track)
        passing = _seconds(lambda: content.scored(model, job, in_passing=True)) if asked else 0.0
        loss = _seconds(lambda: content.loss(model, job))
        weights = weights_of(model) if request.keeps else {}
    return _Pilot(
        characters=size,
        training=extrapolated(times, whole) * epochs_of(request.model),
        measuring=measuring,
        passing=passing,
        loss=loss,
        weights=sum(array.nbytes for array in weights.values()),
    )


def _trained(request: Request, part: CanaryRecords) -> tuple[Any, float]:
    """A model after one epoch on a part of the text, and the seconds that it took."""
    seed = seeds.integer(request.settings.seed, seeds.Purpose.REHEARSAL, 1)
    model = contract.seeded_clone(quick(request.model), training=seed, noise=seed)
    nothing = np.empty(0, dtype=np.uint32)
    everything = np.arange(len(part), dtype=np.uint32)
    job = Job(0, len(part), everything, None, 0, 0, 0, copies=nothing)
    texts: Any = TextContent(part.x).training(model, job)
    return model, _seconds(lambda: contract.fit(model, texts, Follower()))


def _seconds(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
