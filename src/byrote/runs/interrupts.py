"""Signals that ask a process to end: raised as KeyboardInterrupt, and deferred during cleanup."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Ctrl-C, the terminal's end, a request to end, a batch system's limit of processor time.
_ENDING = ("SIGINT", "SIGHUP", "SIGTERM", "SIGXCPU")


def raise_on_signals() -> None:
    """Raise KeyboardInterrupt on every termination signal except ignored ones (nohup).

    For the main thread of a program, not for a library.
    """
    for number in _numbers():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def ignore_signals() -> None:
    """Ignore further termination signals while a process ends because of one."""
    for number in _numbers():
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def deferred_signals() -> Iterator[None]:
    """Defer termination signals until the block ends, so that its cleanup completes.

    Signals that the program does not handle are not deferred, nor any in other threads than the
    main one, which receives all signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    before = {n: handler for n in _numbers() if callable(handler := signal.getsignal(n))}
    try:
        for number in before:
            signal.signal(number, lambda number, _: received.append(number))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])


def _numbers() -> list[signal.Signals]:
    return [signal.Signals[name] for name in _ENDING if name in signal.Signals.__members__]


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
