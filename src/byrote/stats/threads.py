"""Threads for work on arrays: NumPy sorts and computes without the lock of the interpreter."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")
_LEAST = 1 << 18  # values
_MOST = 4  # each has temporary arrays of its own, and memory serves no more of them at full speed
_WITHIN = ContextVar("_WITHIN", default=False)  # whether this is such a thread already


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usable_threads() -> int:
    """Return the number of threads to compute in: as many as there are cores, but at most four.

    And no more than OMP_NUM_THREADS, which bounds the threads of other libraries, too.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    most = max(1, int(asked)) if asked.isdecimal() else _MOST
    return min(cores(), most, _MOST)


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], *, size: int
) -> Iterator[Result]:
    """Apply a function to items, as many at a time as there are usable threads.

    One more waits, for a thread that is done before the one whose result is due.
    Results come in the order of the items, and products of matrices, whose last digits depend on
    the threads that share them, are computed by one thread each. So no number depends on how many
    threads there are. The function must neither draw random numbers that others draw, too, nor
    change what others read. Within it no more threads are started.

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
    if _WITHIN.get():
        yield from map(function, items)
        return
    with _libraries().limit(limits=1, user_api="blas"):
        threads = usable_threads()
        if threads == 1 or size < _LEAST:
            yield from map(function, items)
        else:
            yield from _in_pool(function, items, threads)


def for_each(function: Callable[[Item], None], items: Iterable[Item], *, size: int) -> None:
    """Apply a function to items, as ``in_order`` does, for what it writes.

    Examples
    --------
    >>> squares = {}
    >>> for_each(lambda n: squares.update({n: n * n}), [2, 3], size=2)
    >>> squares
    {2: 4, 3: 9}
    """
    deque(in_order(function, items, size=size), maxlen=0)


def _in_pool(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(copy_context().run, _call, function, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:  # of an error, or of a reader who has enough
                future.cancel()


def _call(function: Callable[[Item], Result], item: Item) -> Result:
    _WITHIN.set(True)
    return function(item)


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()
