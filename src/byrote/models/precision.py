"""In which precision matrices are multiplied: float32, or bfloat16 where that is clearly faster."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import nn

from byrote.models.torch_state import seeded

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
Work = Callable[[torch.dtype], Callable[[], object]]

_ROUNDS, _ENOUGH = 5, 3  # rounds, and those after which a hopeless case is given up
_CLEARLY = 0.8  # of the time in float32: less is not a matter of the moment
_HOPELESS = 2.0  # times the time in float32


def settled_precision(device: str, *, tolerant: bool, pays: Callable[[], bool]) -> str:
    """What precision "auto" stands for.

    bfloat16 where it is clearly faster and the model is tolerant: measured on Bernoulli pixels it
    changes log p by hundredths of a nat. On a GPU it is where there are units for it; processors
    are timed, for how fast it is depends on units, on libraries and on sizes.

    Parameters
    ----------
    pays
        Whether it is clearly faster on this processor, by a measurement.
    """
    if not tolerant:
        return "float32"
    if torch.device(device).type == "cuda":
        quick = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        quick = torch.device(device).type == "cpu" and pays()
    return "bfloat16" if quick else "float32"


def bfloat16_pays(work: Work, seconds: Callable[[], float] = time.perf_counter) -> bool:
    """Whether a piece of work is clearly faster in bfloat16: the best of a few rounds each.

    The rounds alternate, so that other work on the machine slows both, and the best ones count, so
    that a slow moment does not.

    Parameters
    ----------
    work
        Prepares the work in a precision, and gives what does it.
    seconds
        The clock.
    """
    ways = [work(dtype) for dtype in PRECISIONS.values()]
    best = [float("inf")] * len(ways)
    for number in range(1 + _ROUNDS):  # the first round is for kernels that are made when needed
        for way, do in enumerate(ways):
            started = seconds()
            do()
            if number:
                best[way] = min(best[way], seconds() - started)
        if number == _ENOUGH and best[1] > _HOPELESS * best[0]:
            return False
    return best[1] < _CLEARLY * best[0]


@contextmanager
def lstm_products(dtype: torch.dtype) -> Iterator[None]:
    """Let PyTorch's LSTM multiply in this precision, on any processor.

    Where oneDNN, which is quickest, has no such kernel, PyTorch's own layer is used: slow, but to
    the same rounding.
    """
    if dtype == torch.float32:
        yield
        return
    library: Any = torch.backends.mkldnn
    before = library.enabled
    library.enabled = before and library_has_lstm(dtype)
    try:
        with torch.autocast("cpu", dtype):
            yield
    finally:
        library.enabled = before


@cache
def library_has_lstm(dtype: torch.dtype) -> bool:
    """Whether oneDNN trains an LSTM in this precision on this processor."""
    with seeded(0), torch.enable_grad(), torch.autocast("cpu", dtype):
        try:
            nn.LSTM(16, 16)(torch.zeros(2, 4, 16))[0].sum().backward()
        except RuntimeError:  # there is no such primitive
            return False
    return True
