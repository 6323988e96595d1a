"""What workers share, as a fit uses it: what to train on, what to score."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.records import Records
from byrote.errors import InvalidInput
from byrote.fits.sharing import readonly
from byrote.models import contract

if TYPE_CHECKING:
    from byrote.fits.job import Job

LOSS_ROWS = 2000  # held-out records on which each epoch's loss is measured, at most


class BadLogProb(ValueError):
    """A model's log-likelihoods that cannot be used. Its text quotes no record."""


@dataclass(frozen=True)
class Scored:
    """Log-likelihoods of the counted rows of a fit, nats, and what else is known of each row."""

    log_prob: NDArray[np.float64]
    diagnostics: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class Content(Protocol):
    """Read from the array that all workers share."""

    def __init__(self, array: NDArray[Any]) -> None: ...

    @staticmethod
    def check(model: Any, records: Any) -> None:
        """Refuse records that the model cannot take, as far as that shows without training."""

    def training(self, model: Any, job: "Job") -> Any:
        """What the model's ``fit`` gets."""

    def scored(self, model: Any, job: "Job", *, in_passing: bool = False) -> Scored:
        """The counted rows, scored by the model; in passing, while it trains, with less effort."""

    def loss(self, model: Any, job: "Job") -> float:
        """The loss of data that the fit does not train on, nats; NaN where there is none."""

    def facts(self, model: Any, job: "Job") -> Mapping[str, Any]:
        """What else is worth knowing of a fitted model."""


def checked(values: Any, n: int) -> NDArray[np.float64]:
    """Log-likelihoods as (n,) float64, or a ValueError that says what is wrong without quoting."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise BadLogProb(f"score_samples must return real numbers; got {array.dtype}")
    log_prob: NDArray[np.float64] = checks.floats(array)
    if log_prob.shape != (n,):
        raise BadLogProb(f"score_samples must return shape ({n},); got {log_prob.shape}")
    bad = np.count_nonzero(np.isnan(log_prob) | (log_prob == np.inf))
    if bad:
        raise BadLogProb(f"score_samples must return no NaN and no +inf; got {bad} in {n} values")
    return log_prob


@dataclass(frozen=True, eq=False)
class ArrayContent:
    """Records as the rows of an array: each is trained on or held out."""

    x: NDArray[Any]

    @staticmethod
    def check(model: Any, records: Records) -> None:
        """A model of texts cannot take them; any other is asked itself."""
        if contract.takes_texts(model):
            raise InvalidInput(
                f"model must take numbers; {type(model).__name__} takes texts, whose memorization"
                " byrote.score_exposure measures (byrote expose)"
            )
        contract.check_input(model, records.x)

    def training(self, model: Any, job: "Job") -> NDArray[Any]:
        """The rows that are not held out."""
        return contract.as_input(model, self.x[job.training_rows()])

    def scored(self, model: Any, job: "Job", *, in_passing: bool = False) -> Scored:  # noqa: ARG002
        """The counted rows by ``score_samples``, with the model's own diagnostics.

        They are read-only: a model that writes into its input would change what it is asked next.
        """
        rows = self.x if job.counted is None else self.x[job.counted]
        x = readonly(contract.as_input(model, rows))
        log_prob = checked(model.score_samples(x), len(x))
        return Scored(log_prob, contract.diagnostics(model, len(x)))

    def loss(self, model: Any, job: "Job") -> float:
        """The model's loss of held-out records, nats per record."""
        rows = loss_rows(job)
        if not contract.has_loss(model) or not len(rows):
            return float("nan")
        return float(model.loss(contract.as_input(model, self.x[rows])))

    def facts(self, model: Any, job: "Job") -> Mapping[str, Any]:  # noqa: ARG002
        """Nothing."""
        return {}


def loss_rows(job: "Job") -> NDArray[np.uint32]:
    """The held-out rows of a fit, or a random choice of ``LOSS_ROWS`` among more."""
    if len(job.held_out) <= LOSS_ROWS:
        return job.held_out
    generator = np.random.default_rng(job.evaluation_seed)
    return np.sort(generator.choice(job.held_out, LOSS_ROWS, replace=False))
