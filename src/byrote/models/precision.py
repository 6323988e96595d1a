"""Precision of matrix products: float32, or bfloat16 where that is clearly faster."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import nn

from byrote.models.torch_utils import seeded

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
Workload = Callable[[torch.dtype], Callable[[], object]]

_ROUNDS = 5
_EARLY_ROUND, _HOPELESS = (
    3,
    2.0,
)  # give up after this round above that multiple of float32's seconds
_CLEARLY_FASTER = 0.8  # of float32's seconds; more may be chance


def resolve_precision(device: str, *, tolerant: bool, is_faster: Callable[[], bool]) -> str:
    """Resolve precision "auto" for this machine, and for a model that is ``tolerant`` of bfloat16.

    On a GPU bfloat16 is faster where there are units for it. Processors are timed, by
    ``is_faster``: the gain depends on units, libraries and sizes. On Bernoulli pixels it changes
    log p by hundredths of a nat.
    """
    if not tolerant:
        return "float32"
    if torch.device(device).type == "cuda":
        faster = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        faster = torch.device(device).type == "cpu" and is_faster()
    return "bfloat16" if faster else "float32"


def bfloat16_is_faster(work: Workload, seconds: Callable[[], float] = time.perf_counter) -> bool:
    """Time whether work is clearly faster in bfloat16, by the best of a few rounds.

    The rounds alternate, so that other work on the machine slows both; the best ones count, so that
    a slow moment does not. ``work`` prepares in a precision and returns the function to time.
    """
    functions = [work(dtype) for dtype in PRECISIONS.values()]
    best = [float("inf")] * len(functions)
    for number in range(1 + _ROUNDS):  # the first warms up
        for which, function in enumerate(functions):
            started = seconds()
            function()
            if number:
                best[which] = min(best[which], seconds() - started)
        if number == _EARLY_ROUND and best[1] > _HOPELESS * best[0]:
            return False
    return best[1] < _CLEARLY_FASTER * best[0]


@contextmanager
def lstm_precision(dtype: torch.dtype) -> Iterator[None]:
    """Let PyTorch's LSTM multiply in this precision, on any processor.

    Where oneDNN, which is fastest, has no such kernel, PyTorch's own layer is used: slow, but with
    the same rounding.
    """
    if dtype == torch.float32:
        yield
        return
    onednn: Any = torch.backends.mkldnn
    before = onednn.enabled
    onednn.enabled = before and onednn_trains_lstm(dtype)
    try:
        with torch.autocast("cpu", dtype):
            yield
    finally:
        onednn.enabled = before


@cache
def onednn_trains_lstm(dtype: torch.dtype) -> bool:
    """Whether oneDNN trains an LSTM in this precision on this processor."""
    with seeded(0), torch.enable_grad(), torch.autocast("cpu", dtype):
        try:
            nn.LSTM(16, 16)(torch.zeros(2, 4, 16))[0].sum().backward()
        except RuntimeError:  # there is no such primitive
            return False
    return True
