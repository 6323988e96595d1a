"""DP-SGD on windows of text (Abadi et al. 2016)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from byrote.models.language.char_lstm.network import Network
from byrote.models.language.char_lstm.private.gradients import add_clipped, derivatives
from byrote.models.language.char_lstm.private.windows import Windows, reading
from byrote.models.language.char_lstm.training import Dropout, Schedule, Step
from byrote.models.language.char_lstm.windows import NO_TARGET
from byrote.models.privacy.accounting import Account
from byrote.models.privacy.descent import NoisyDescent
from byrote.models.privacy.dp import DP
from byrote.models.privacy.sampling import batches
from byrote.models.vae.streams import generator_from

_AT_ONCE = 128  # windows of a batch that are read together: more is slower, and takes space


@dataclass(frozen=True)
class Private:
    """What makes training private.

    Attributes
    ----------
    dp, account
        What is asked for, and the noise and the batches that follow.
    newline
        The token before each window.
    seeds
        Of the draws of batches, of dropout, and of the noise.
    """

    dp: DP
    account: Account
    newline: int
    seeds: tuple[int, int, int] = field(repr=False)


def steps(
    network: Network, windows: Windows, schedule: Schedule, private: Private
) -> Iterator[Step]:
    """All steps of training, each on the windows that were drawn for it; they may be none.

    The weights see what the accountant counts: the sum of clipped gradients, with noise, over the
    expected number of windows. The losses that are yielded are of the drawn windows, without noise.
    """
    draws, dropping, noise = private.seeds
    generator = np.random.default_rng(draws)
    dropout = None
    if schedule.dropout:
        dropout = Dropout(schedule.dropout, generator_from(dropping, "cpu"))
    descend = NoisyDescent(
        network.parameters(),
        schedule.descent.optimizer(network.parameters()),
        private.account,
        max_grad_norm=private.dp.max_grad_norm,
        generator=generator_from(noise, "cpu"),
    )
    for _ in range(schedule.epochs):
        for rows in batches(private.account, private.dp.sampling, generator):
            total, cost, characters = descend.zeros(), 0.0, 0
            for first in range(0, len(rows), _AT_ONCE):
                tokens, targets = reading(windows[rows[first : first + _AT_ONCE]], private.newline)
                found = derivatives(network, tokens, targets, dropout=dropout, dtype=schedule.dtype)
                cost += float(found.costs.sum(dtype=torch.float64))
                characters += int((targets != NO_TARGET).sum())
                add_clipped(total, network, found, private.dp.max_grad_norm)
            descend(total)
            yield cost / max(characters, 1), characters
