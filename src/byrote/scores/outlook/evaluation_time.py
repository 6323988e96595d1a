"""How long the evaluation of a run takes, measured on made-up values."""

import time

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.plans import Design
from byrote.runs.table import Table
from byrote.scores.memorization.evaluation import evaluate

_MOST = 2500  # records evaluated; with more in a run, the time grows no faster than their number


def evaluation_seconds(design: Design, seed: int) -> float:
    """Measure the seconds that scores and tests of a run's records take.

    The first call in a process takes longer, as the evaluation does: libraries are loaded then.
    """
    rows = design.scored[:: -(-len(design.scored) // _MOST)]
    generator = seeds.generator(seed, seeds.Purpose.REHEARSAL, 3)

    def made_up(count: int) -> NDArray[np.float64]:
        return generator.standard_normal((design.fits, count))

    bystanders = made_up(len(design.bystanders)) if len(design.bystanders) else None
    table = Table(design, rows, made_up(len(rows)), bystanders=bystanders)
    started = time.perf_counter()
    evaluation = evaluate(table, seed)
    _ = evaluation.discovery, evaluation.exact_tests
    return (time.perf_counter() - started) * len(design.scored) / len(rows)
