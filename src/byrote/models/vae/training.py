"""Training of a VAE: minibatch Adam on the evidence lower bound, eq. (5).

After each epoch: reports, early stopping, and the schedule of the outlier component.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.arithmetic import PLAIN, Arithmetic
from byrote.models.early_stopping import AfterEpoch, EarlyStopping, validation_records
from byrote.models.privacy.dp_sgd import PrivateTraining
from byrote.models.spaces import Space
from byrote.models.torch_utils import Stream, generator_from, seed_of
from byrote.models.vae import scoring
from byrote.models.vae.autoencoder import AutoEncoder
from byrote.models.vae.outlier import Outlier
from byrote.models.vae.steps import CompiledStep, PlainStep, Step, private_step


@dataclass(frozen=True)
class Schedule:
    """Length and speed of training, and its variants."""

    epochs: int
    batch_size: int
    learning_rate: float
    flips: bool = False
    arithmetic: Arithmetic = PLAIN
    weight_decay: float = 0.0
    private: PrivateTraining | None = None


def train(
    model: AutoEncoder,
    x: NDArray[np.generic],
    space: Space,
    schedule: Schedule,
    generator: torch.Generator,
    after_epoch: Callable[[int, float], bool | None],
) -> None:
    """Train in place on records x, (n, *shape), which are converted batch by batch.

    Records get new noise each time (dynamic binarization, dequantization). After each epoch
    ``after_epoch(epoch, loss)`` gets its number, from 1, and the mean negative bound on log p(x),
    nats per record, with the model in evaluation mode; a true result ends training.
    """
    step = _make_step(model, space, schedule)
    draw_batches = _batches(model, schedule, len(x), generator)
    latent_dim, device = model.network.latent_dim, generator.device
    for epoch in range(1, schedule.epochs + 1):
        model.train()
        total, seen = torch.zeros((), dtype=torch.float64, device=device), 0
        for rows in draw_batches():
            values = space.values(x[rows])
            if schedule.flips:
                values = random_flips(values, space.shape[1], generator)
            noise = space.noise(values.shape, generator)
            latent = torch.randn(len(rows), latent_dim, generator=generator, device=device)
            total += step(values, noise, latent)
            seen += len(rows)
        model.eval()
        if after_epoch(epoch, float(total) / seen if seen else math.nan):
            break


def _make_step(model: AutoEncoder, space: Space, schedule: Schedule) -> Step:
    if schedule.private is not None:
        return private_step(
            schedule.private, model, space, schedule.learning_rate, schedule.weight_decay
        )
    rate, dtype = schedule.learning_rate, schedule.arithmetic.dtype
    if schedule.arithmetic.compile and model.network.trains_compiled:
        return CompiledStep(model, space, rate, dtype, schedule.batch_size, schedule.weight_decay)
    return PlainStep(model, space, rate, dtype, schedule.weight_decay)


def _batches(
    model: AutoEncoder, schedule: Schedule, n: int, generator: torch.Generator
) -> Callable[[], list[NDArray[np.intp]]]:
    """Return a function that draws the batches of an epoch."""
    if schedule.private is not None:
        return schedule.private.batches()
    return partial(shuffled_batches, n, schedule.batch_size, generator, model)


def shuffled_batches(
    n: int, size: int, generator: torch.Generator, model: AutoEncoder
) -> list[NDArray[np.intp]]:
    """Return row numbers of one epoch's batches, in a new order.

    Batch norm takes its statistics from the batch: a single leftover record then joins the batch
    before it.
    """
    order = torch.randperm(n, generator=generator, device=generator.device).cpu().numpy()
    ends = list(range(size, n, size))
    if model.network.normalizes_batches and size > 1 and n - size * len(ends) == 1 and ends:
        ends.pop()
    return np.split(order, ends)


def random_flips(x: Tensor, width: int, generator: torch.Generator) -> Tensor:
    """Mirror each image left to right with probability 1/2.

    x is (n, d): flat images, rows of ``width`` pixels, channels first.
    """
    mirrored = x.unflatten(-1, (-1, width)).flip(-1).flatten(-2)
    flip = torch.rand(len(x), 1, generator=generator, device=x.device) < 0.5
    return torch.where(flip, mirrored, x)


_DRAWS = 16  # importance samples that decide whether a training record is an outlier


class AfterEpochOfVAE(AfterEpoch):
    """Also phases in the VAE's outlier component, where it has one.

    ``vae`` is an estimator with an untrained network, ``x`` (n, *shape) are its training records.
    """

    def __init__(
        self, vae: Any, x: NDArray[np.generic], report: Callable[[int, float], None]
    ) -> None:
        self._vae = vae
        self._outlier: OutlierSchedule | None = None
        if vae.outlier is not None:
            component = vae.network_.outlier
            self._outlier = OutlierSchedule(vae.network_, component, vae.space_, x, vae.noise_seed)
        super().__init__(report, _early_stopping(vae) if vae.patience is not None else None)

    def __call__(self, epoch: int, loss: float) -> bool:
        """Return whether training stops here."""
        self._report(epoch, loss)
        if self._outlier is not None:
            self._outlier.after_epoch()
        return self.stops()

    def finish(self) -> dict[str, Any]:
        """Restore the best weights if training may stop early, and return facts."""
        facts = super().finish()
        if self._outlier is not None:
            seed = seed_of(self._vae.random_state, Stream.LATENT)
            generator = generator_from(seed, self._vae.device)
            facts["outlier"] = self._outlier.facts(self._vae.arithmetic_, generator)
        return facts


def _early_stopping(vae: Any) -> EarlyStopping:
    """Stop by the bound of the validation records, with the same noise after each epoch."""
    x, seed = validation_records(vae.validation), seed_of(vae.random_state, Stream.LOSS)

    def loss() -> float:
        generator = generator_from(seed, vae.device)
        return scoring.mean_bound(vae.network_, vae.space_, x, vae.noise_seed, generator)

    return EarlyStopping(vae.network_, loss, vae.patience)


class OutlierSchedule:
    """Gives the outlier component the training records' marginals, then phases it in.

    ``x`` are (n, *shape) training records, ``noise_seed`` is the seed of their fixed noise.
    """

    def __init__(
        self, model: AutoEncoder, outlier: Outlier, space: Space, x: NDArray[Any], noise_seed: int
    ) -> None:
        self._model, self._outlier, self._space = model, outlier, space
        self._x, self._noise_seed = x, noise_seed
        self._outlier.background.learn(inputs for inputs, _ in self._inputs())

    @torch.no_grad()
    def after_epoch(self) -> None:
        """Lower the decoder's head start as far as possible."""
        if self._outlier.has_head_start:
            leads = [self._leads(inputs) for inputs, _ in self._inputs()]
            self._outlier.lower_head_start(np.concatenate(leads))

    def facts(self, arithmetic: Arithmetic, generator: torch.Generator) -> dict[str, float]:
        """Return the weight, the share of outliers among training records, and the head start.

        A record is an outlier if its responsibility, by few importance samples, is above 1/2. The
        decoder's head start, nats, is above 0 after too little training, or if more than a tenth of
        the records are outliers.
        """
        estimates = scoring.importance_sample(
            self._model, self._space, self._x, self._noise_seed, _DRAWS, generator,
            defensive=0.0, arithmetic=Arithmetic(arithmetic.dtype),
        )  # fmt: skip
        outliers = np.asarray(estimates.outlier) > 0.5
        return {
            "weight": self._outlier.weight,
            "share": float(outliers.mean()),
            "head_start": float(self._outlier.head_start),
        }

    def _leads(self, x: torch.Tensor) -> NDArray[np.float32]:
        blocks = x.split(max(1, scoring.BLOCK // self._model.width))
        return np.concatenate([self._block_leads(block) for block in blocks])

    def _block_leads(self, x: torch.Tensor) -> NDArray[np.float32]:
        code, _ = self._model.encode(x)
        return self._outlier.lead(self._model.log_likelihood(x, code), x).cpu().numpy()

    def _inputs(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return scoring.input_blocks(self._model, self._space, self._x, self._noise_seed)
