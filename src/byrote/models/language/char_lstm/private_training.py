r"""Private training of a CharLSTM: DP-SGD (Abadi et al. 2016) with windows of text as records.

Examples
--------
>>> from byrote.models import DP, CharLSTM
>>> dp = DP(noise_multiplier=1.0, delta=1e-3)
>>> model = CharLSTM(hidden=16, layers=1, epochs=2, batch_size=16, window=10, dp=dp)
>>> model = model.fit(["the random number is 281265017\n"] * 20)
>>> guarantee = model.facts_["privacy"]
>>> guarantee.window, round(guarantee.epsilon, 1)
(10, 4.2)
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from byrote.errors import InvalidInput
from byrote.models.language.char_lstm.network import Network
from byrote.models.language.char_lstm.private_gradients import add_clipped, derivatives
from byrote.models.language.char_lstm.training import Dropout, Schedule, Step
from byrote.models.language.char_lstm.vocabulary import Tokens
from byrote.models.language.char_lstm.windows import NO_TARGET, fixed_windows, window_inputs
from byrote.models.privacy.calibration import NoiseSchedule, calibrate, guarantee_of
from byrote.models.privacy.dp import DP, check_parameter
from byrote.models.privacy.dp_sgd import NoisyStep, draw_batches
from byrote.models.privacy.guarantee import DPGuarantee
from byrote.models.torch_utils import Stream, generator_from, seed_of

CLIP = 5.0  # the default of CharLSTM's clip
_CHUNK = 128  # windows of a batch that are read together: more is slower and takes memory


def check_private(model: Any) -> None:
    """Refuse an unusable ``dp``, and parameters that exclude it."""
    check_parameter(model.dp)
    if model.dp is None:
        return
    if model.clip != CLIP:
        raise InvalidInput(
            f"clip must be left at {CLIP} with dp, whose max_grad_norm clips the gradient of each"
            f" window instead; got {model.clip}"
        )
    if not model.shuffle:
        raise InvalidInput("shuffle must be True with dp, whose batches are drawn; got False")


def noise_schedule(model: Any, characters: int) -> NoiseSchedule:
    """The noise and the batches for a text of this length."""
    windows = -(-characters // model.window)
    return calibrate(model.dp, windows, model.batch_size, model.epochs)


def private_steps(
    model: Any, text: Tokens, schedule: Schedule
) -> tuple[Iterator[Step], DPGuarantee]:
    """Steps of private training of the model's network, and their guarantee."""
    noise = noise_schedule(model, len(text))
    guarantee = guarantee_of(
        model.dp, noise, unit=f"window of {model.window} characters", window=model.window
    )
    seeds = np.random.SeedSequence(seed_of(model.random_state, Stream.TRAINING)).generate_state(3)
    trainer = PrivateTraining(model.dp, noise, model.vocabulary_.newline, seeds.tolist())
    return trainer.steps(model.network_, text, schedule), guarantee


class PrivateTraining:
    """DP-SGD on the windows of a text.

    ``newline`` is the token before each window; the seeds are of the batches, of dropout, and of
    the noise.
    """

    def __init__(self, dp: DP, noise: NoiseSchedule, newline: int, seeds: list[int]) -> None:
        self._dp, self._noise, self._newline, self._seeds = dp, noise, newline, seeds

    def steps(self, network: Network, text: Tokens, schedule: Schedule) -> Iterator[Step]:
        """All steps of training, each on its random windows, of which there may be none.

        The weights depend on what the accountant counts: the sum of clipped gradients, with noise,
        over the expected number of windows. The yielded losses are of the windows, without noise.
        """
        batch_seed, dropout_seed, noise_seed = self._seeds
        windows = fixed_windows(text, schedule.cut.window)
        generator = np.random.default_rng(batch_seed)
        dropout = None
        if schedule.dropout:
            dropout = Dropout(schedule.dropout, generator_from(dropout_seed, "cpu"))
        max_norm, sampling = self._dp.max_grad_norm, self._dp.sampling
        noisy_step = NoisyStep(
            network.parameters(),
            schedule.descent.optimizer(network.parameters()),
            self._noise,
            max_grad_norm=max_norm,
            generator=generator_from(noise_seed, "cpu"),
        )
        for _ in range(schedule.epochs):
            for rows in draw_batches(self._noise, sampling, generator):
                total, cost, characters = noisy_step.zeros(), 0.0, 0
                for first in range(0, len(rows), _CHUNK):
                    chunk = windows[rows[first : first + _CHUNK]]
                    tokens, targets = window_inputs(chunk, self._newline)
                    parts = derivatives(
                        network, tokens, targets, dropout=dropout, dtype=schedule.dtype
                    )
                    cost += float(parts.costs.sum(dtype=torch.float64))
                    characters += int((targets != NO_TARGET).sum())
                    add_clipped(total, network, parts, max_norm)
                noisy_step(total)
                yield cost / max(characters, 1), characters
