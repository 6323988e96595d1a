"""How the numbers are made: in which precision, and by compiled functions or step by step.

What "auto" stands for is settled once for a run, so that all its fits are made alike.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from byrote.errors import InvalidInput

# Seconds a value without compilation, measured on the paper's network for MNIST; and how many
# seconds a fit must take for compilation to be worth it.
_TRAINING, _SCORING, _WORTH = 8e-8, 3e-9, 30.0


@dataclass(frozen=True)
class Arithmetic:
    """Settled choices.

    Attributes
    ----------
    dtype
        In which matrices are multiplied; weights, sums and all else are float32.
    compile
        Whether training and scoring are compiled.
    """

    dtype: torch.dtype = torch.float32
    compile: bool = False


PLAIN = Arithmetic()


def arithmetic_of(precision: str, *, compile_: bool | str) -> Arithmetic:
    """The arithmetic that settled parameters name.

    Raises
    ------
    InvalidInput
        If it takes a compiler and there is none.
    """
    if compile_ and not can_compile():
        raise InvalidInput("compile=True needs a C++ compiler and Python's headers; none work here")
    return Arithmetic(torch.bfloat16 if precision == "bfloat16" else torch.float32, bool(compile_))


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, compiled for the shapes of its arguments when it first meets them.

    All chance stays outside: random numbers are drawn first and passed in, so that compiled and
    plain functions see the same ones.
    """
    with warnings.catch_warnings():  # PyTorch's, of its own parts
        warnings.simplefilter("ignore", DeprecationWarning)
        import torch._inductor.compile_fx  # noqa: PLC0415 (slow to load)
    # Workers are many already, and a compiler's own processes would outlive a worker that dies.
    torch._inductor.config.compile_threads = 1
    return torch.compile(function, dynamic=False)


@cache
def can_compile() -> bool:
    """Whether a small function compiles here: that takes a C++ compiler and Python's headers."""
    try:
        compiled(_small)(torch.zeros(8))
    except Exception:  # whatever the compiler and its tools raise
        return False
    return True


def _small(x: torch.Tensor) -> torch.Tensor:
    return x.exp().sum()


def settled_precision(device: str, *, tolerant: bool) -> str:
    """What precision "auto" stands for.

    bfloat16 where the device has units for products of such matrices and the model is tolerant:
    measured on Bernoulli pixels it changes log p by hundredths of a nat.
    """
    return "bfloat16" if tolerant and _multiplies_in_bfloat16(device) else "float32"


def settled_compile(*, trained: int, decoded: int) -> bool:
    """What compile "auto" stands for: whether it is possible and worth its start of half a minute.

    Parameters
    ----------
    trained
        Values that pass through training in a fit: epochs x records x values of a record.
    decoded
        Values that the decoder gives in scoring: records x draws x values of a record.
    """
    seconds = trained * _TRAINING + decoded * _SCORING
    return seconds > _WORTH and can_compile()


def _multiplies_in_bfloat16(device: str) -> bool:
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "cpu" and bool(torch.cpu._is_amx_tile_supported())
