"""Arithmetic of a VAE: the precision of its products, and compiled functions."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value

from byrote.errors import NoCompiler
from byrote.models.precision import PRECISIONS

_WORTHWHILE = 120.0  # seconds of all fits together from which compiling in each worker pays off


@dataclass(frozen=True)
class Arithmetic:
    """Precision of the factors in matrix products, and compilation of training and scoring.

    Weights, sums and all else are float32.
    """

    dtype: torch.dtype = torch.float32
    compile: bool = False

    def check(self, device: str) -> None:
        """Refuse to train or score where that takes a compiler and there is none.

        A model whose weights are loaded gives samples all the same.
        """
        if self.compile and not can_compile(device):
            raise NoCompiler(
                "compile=True needs a C++ compiler and Python's headers (and Triton on a GPU);"
                " none work here"
            )


PLAIN = Arithmetic()


def arithmetic_of(precision: str, *, compile_: bool | str) -> Arithmetic:
    """The arithmetic of resolved parameters."""
    return Arithmetic(PRECISIONS[precision], bool(compile_))


@cache
def compiled(function: FunctionType, *configuration: object) -> Callable[..., Any]:
    """Compile a function for one configuration: for arguments of the same types and shapes.

    Each configuration, all that the arguments' types and shapes follow from, has a function of its
    own. PyTorch compiles one function eight times at most, and for further shapes runs it
    uncompiled: numbers would then depend, in their last bits, on what the process did before.

    Random numbers are drawn outside and passed in, so that compiled and plain functions see the
    same.
    """
    del configuration
    with warnings.catch_warnings():  # PyTorch's, of its own parts
        warnings.simplefilter("ignore", DeprecationWarning)
        import torch._inductor.compile_fx  # noqa: PLC0415 (slow to load)
    # Workers are many already, and a compiler's own processes would outlive a worker that dies.
    torch._inductor.config.compile_threads = 1
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
    """A step of descent, made of the operations of a training step."""
    gradient, value = grad_and_value(lambda at: functional_call(layer, {}, (at,)).exp().sum())(x)
    x.copy_(x - gradient)
    return value


def resolve_compile(device: str, *, seconds: float) -> bool:
    """Resolve compile "auto": whether it is possible and worth half a minute of start-up.

    ``seconds`` is the duration without, over all fits, of the work that can be compiled.
    """
    return seconds > _WORTHWHILE and can_compile(device)
