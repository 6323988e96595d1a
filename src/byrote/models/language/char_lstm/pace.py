"""Whether a CharLSTM trains clearly faster in bfloat16 on the processor at hand."""

from collections.abc import Callable
from functools import cache

import torch

from byrote.models.language.char_lstm.network import untrained
from byrote.models.language.char_lstm.private.gradients import derivatives
from byrote.models.precision import bfloat16_pays, library_has_lstm, lstm_products

_TOKENS, _TIME = 100, 10
_WIDEST = 512  # beyond that the ratio of the two is what it is there


@cache
def in_bfloat16(hidden: int, layers: int, batch_size: int, *, private: bool) -> bool:
    """Whether the two passes of a few characters are so; timed once a process.

    Parameters
    ----------
    hidden, layers, batch_size
        Of the network, and texts side by side.
    private
        Whether passes are made by hand, as private training does.
    """
    if not private and not library_has_lstm(torch.bfloat16):
        return False
    batch_size = min(batch_size, _WIDEST)
    network = untrained(_TOKENS, min(hidden, _WIDEST), min(layers, 2), seed=0)
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(_TOKENS, (_TIME, batch_size), generator=generator)

    def work(dtype: torch.dtype) -> Callable[[], object]:
        def by_hand() -> None:
            derivatives(network, tokens, tokens, dtype=dtype)

        def by_library() -> None:
            with lstm_products(dtype):
                said, _ = network(tokens, network.start(batch_size))
                logits = network.output(said)
            logits.float().logsumexp(2).sum().backward()

        return by_hand if private else by_library

    return bfloat16_pays(work)
