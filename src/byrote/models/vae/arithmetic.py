"""How the numbers are made: in which precision, and by compiled functions or step by step.

What "auto" stands for is settled once for a run, so that all its fits are made alike.
"""

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

_WORTH = 120.0  # seconds that all fits together must take for compiling in each worker to pay


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

    def check(self, device: str) -> None:
        """Refuse to train or to score where that takes a compiler and there is none.

        Raises
        ------
        NoCompiler
            If so. A model whose weights are loaded gives samples all the same.
        """
        if self.compile and not can_compile(device):
            raise NoCompiler(
                "compile=True needs a C++ compiler and Python's headers (and Triton on a GPU);"
                " none work here"
            )


PLAIN = Arithmetic()


def arithmetic_of(precision: str, *, compile_: bool | str) -> Arithmetic:
    """The arithmetic that settled parameters name."""
    return Arithmetic(PRECISIONS[precision], bool(compile_))


@cache
def compiled(function: FunctionType, *configuration: object) -> Callable[..., Any]:
    """The function, compiled for one configuration: for arguments of the same types and shapes.

    A configuration, all that the arguments' types and shapes follow from, has a function of its
    own. PyTorch compiles one function eight times at most, and for further shapes runs it as it
    is: numbers would then depend, in their last bits, on what the process did before.

    All chance stays outside: random numbers are drawn first and passed in, so that compiled and
    plain functions see the same ones.
    """
    del configuration
    with warnings.catch_warnings():  # PyTorch's, of its own parts
        warnings.simplefilter("ignore", DeprecationWarning)
        import torch._inductor.compile_fx  # noqa: PLC0415 (slow to load)
    # Workers are many already, and a compiler's own processes would outlive a worker that dies.
    torch._inductor.config.compile_threads = 1
    own = FunctionType(function.__code__.replace(), function.__globals__, function.__name__)
    return torch.compile(own, dynamic=False, fullgraph=True)  # whole, or an error


@cache
def can_compile(device: str) -> bool:
    """Whether a small step compiles here: that takes a compiler and what it includes."""
    try:
        compiled(_small, device)(nn.ReLU(), torch.ones(8, device=device))
    except Exception:  # whatever the compiler and its tools raise
        return False
    return True


def _small(layer: nn.Module, x: Tensor) -> Tensor:
    """A step of descent, made of what a step of training is made of."""
    gradient, value = grad_and_value(lambda at: functional_call(layer, {}, (at,)).exp().sum())(x)
    x.copy_(x - gradient)
    return value


def settled_compile(device: str, *, seconds: float) -> bool:
    """What compile "auto" stands for: whether it is possible and worth its start of half a minute.

    Parameters
    ----------
    seconds
        What all fits together would take without, of that which can be compiled.
    """
    return seconds > _WORTH and can_compile(device)
