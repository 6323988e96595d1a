"""Arithmetic of models: precision of matrix products, and compiled functions."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value

from byrote.errors import NoCompiler
from byrote.models.torch_utils import seeded

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
Workload = Callable[[torch.dtype], Callable[[], object]]

_ROUNDS = 5
_EARLY_ROUND, _HOPELESS = 3, 2.0  # give up after this round above that multiple of float32's time
_CLEARLY_FASTER = 0.8  # of float32's seconds; more may be chance


def resolve_precision(device: str, *, tolerant: bool, is_faster: Callable[[], bool]) -> str:
    """Resolve precision "auto" for this machine and a model that tolerates bfloat16 or not.

    On a GPU the choice follows from its units; processors are timed by ``is_faster``, since the
    gain depends on units, libraries and sizes. On Bernoulli pixels bfloat16 changes log p by
    hundredths of a nat.
    """
    if not tolerant:
        return "float32"
    if torch.device(device).type == "cuda":
        faster = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        faster = torch.device(device).type == "cpu" and is_faster()
    return "bfloat16" if faster else "float32"


def bfloat16_is_faster(work: Workload, seconds: Callable[[], float] = time.perf_counter) -> bool:
    """Measure whether work is clearly faster in bfloat16, by the best of alternating rounds.

    Alternation lets other work on the machine slow both; the best round ignores slow moments.
    ``work`` prepares in a precision and returns the function to time.
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
    """Make PyTorch's LSTM multiply in this precision.

    Without an oneDNN kernel, PyTorch's own layer is used: slower, with the same rounding.
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
        except RuntimeError:  # oneDNN lacks the primitive
            return False
    return True


_WORTHWHILE = 120.0  # seconds of all fits together from which compiling in each worker pays off


@dataclass(frozen=True)
class Arithmetic:
    """Precision of the factors in matrix products, and whether functions are compiled.

    Weights, sums and everything else are float32.
    """

    dtype: torch.dtype = torch.float32
    compile: bool = False

    def check(self, device: str) -> None:
        """Refuse compiled training or scoring on a machine without a compiler.

        Samples can still be drawn there from loaded weights.
        """
        if self.compile and not can_compile(device):
            raise NoCompiler(
                "compile=True needs a C++ compiler and Python's headers (and Triton on a GPU);"
                " none work here"
            )


PLAIN = Arithmetic()


def arithmetic_of(precision: str, *, compile_: bool | str) -> Arithmetic:
    """Return the arithmetic of resolved parameters."""
    return Arithmetic(PRECISIONS[precision], bool(compile_))


@cache
def compiled(function: FunctionType, *configuration: object) -> Callable[..., Any]:
    """Compile a function for one configuration, which fixes types and shapes of all arguments.

    Each configuration gets its own function. PyTorch compiles a function at most eight times and
    runs it uncompiled for further shapes: the last bits would then depend on the history of the
    process. Random numbers are arguments, so that compiled and plain functions see the same.
    """
    del configuration
    with warnings.catch_warnings():  # about its internals
        warnings.simplefilter("ignore", DeprecationWarning)
        import torch._inductor.compile_fx  # noqa: PLC0415 (slow to load)
    # Workers are many already, and a compiler's own processes would outlive a worker that dies.
    torch._inductor.config.compile_threads = 1
    # Unmarked, kernels kept by a processor with longer or shorter vectors would be taken for ours.
    vectors, settings = torch.backends.cpu.get_cpu_capability(), torch.compiler.config
    if vectors not in settings.cache_key_tag:
        settings.cache_key_tag += vectors
    copy = FunctionType(function.__code__.replace(), function.__globals__, function.__name__)
    return torch.compile(copy, dynamic=False, fullgraph=True)  # whole, or an error


@cache
def can_compile(device: str) -> bool:
    """Whether a small step compiles here, which takes a compiler and its headers."""
    try:
        compiled(_small, device)(nn.ReLU(), torch.ones(8, device=device))
    except Exception:  # whatever the compiler and its tools raise
        return False
    return True


def _small(layer: nn.Module, x: Tensor) -> Tensor:
    """Take a step of gradient descent with the operations of a training step."""
    gradient, value = grad_and_value(lambda at: functional_call(layer, {}, (at,)).exp().sum())(x)
    x.copy_(x - gradient)
    return value


def resolve_compile(device: str, *, seconds: float) -> bool:
    """Resolve compile "auto": whether it is possible and worth half a minute of start-up.

    ``seconds`` is the uncompiled duration, over all fits, of the work that can be compiled.
    """
    return seconds > _WORTHWHILE and can_compile(device)
