"""Signals that ask a process to end: heard as Ctrl-C is, and held back while a block tidies up."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# The terminal's Ctrl-C, its end, a request to end, a batch system's limit of processor time.
_ENDING = ("SIGINT", "SIGHUP", "SIGTERM", "SIGXCPU")


def heed() -> None:
    """Let every signal that asks to end raise KeyboardInterrupt, but one that is ignored (nohup).

    For the main thread of a program of its own, not of a library.
    """
    for number in _numbers():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def ignore() -> None:
    """Hear no further signal: for the last steps of a process that ends by one."""
    for number in _numbers():
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def held_back() -> Iterator[None]:
    """Hold these signals back until the block ends, so that what it tidies is tidied.

    Those that the program does not handle keep their meaning; so do all in other threads than the
    main one, which hears of no signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    before = {n: handler for n in _numbers() if callable(handler := signal.getsignal(n))}
    try:
        for number in before:
            signal.signal(number, lambda number, _: heard.append(number))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if heard:
            signal.raise_signal(heard[0])


def _numbers() -> list[signal.Signals]:
    return [signal.Signals[name] for name in _ENDING if name in signal.Signals.__members__]


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
