"""Calls in threads, on parts of arrays: NumPy lets other threads go on while it computes.

No number depends on how many threads there are: the parts are fixed by the data, their results come
in order, and products of matrices, whose last digits depend on how they are shared among threads,
are not shared. There are as many threads as the process has cores, and at most OMP_NUM_THREADS,
which bounds those of other libraries, too.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Part = TypeVar("Part")
Result = TypeVar("Result")

_WITHIN = ContextVar("_WITHIN", default=False)  # whether this is such a call


def in_threads(function: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
    """Call a function on each part, in threads, and yield the results in the order of the parts.

    Few results are kept at a time: the threads wait for whoever takes them. The calls have the
    caller's ``numpy.errstate``, and start no threads of their own.

    Examples
    --------
    >>> list(in_threads(abs, [-3, 2, -1]))
    [3, 2, 1]
    """
    if _WITHIN.get():
        yield from map(function, parts)
        return
    with _libraries().limit(limits=1, user_api="blas"):
        threads = min(usable_threads(), len(parts))
        yield from map(function, parts) if threads <= 1 else _ordered(function, parts, threads)


def usable_threads() -> int:
    """Return the number of threads to compute in."""
    most = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(cores(), max(1, int(most))) if most.isdecimal() else cores()


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ordered(
    function: Callable[[Part], Result], parts: Sequence[Part], threads: int
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for part in parts:
                waiting.append(pool.submit(copy_context().run, _call, function, part))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _call(function: Callable[[Part], Result], part: Part) -> Result:
    _WITHIN.set(True)
    return function(part)


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()
