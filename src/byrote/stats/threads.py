"""Threads for work on arrays: NumPy sorts and computes without the lock of the interpreter."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_LEAST = 1 << 18  # values
_MOST = 4  # each has temporary arrays of its own, and memory serves no more of them at full speed


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], *, size: int
) -> Iterator[Result]:
    """Apply a function to items, as many at a time as there are cores, but at most four.

    Results come in the order of the items, so what is computed from them does not depend on the
    number of threads. The function must neither draw random numbers nor change what others read.

    Parameters
    ----------
    size
        Number of values that all items are about: where they are few, threads cost more than they
        save, and one takes item after item.

    Examples
    --------
    >>> list(in_order(abs, [-2, 1, -3], size=3))
    [2, 1, 3]
    """
    threads = min(cores(), _MOST)
    if threads == 1 or size < _LEAST:
        yield from map(function, items)
        return
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(copy_context().run, function, item))
                if len(waiting) == threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:  # of an error, or of a reader who has enough
                future.cancel()
