"""Readings of texts in training: joined into one, or each by itself.

An epoch is a sequence of runs through batches of streams. A run begins in the state zero, and goes
through its streams window by window, one step for each; the state passes from window to window.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.language.char_lstm.windows import (
    NO_TARGET,
    Cut,
    Tokens,
    Windows,
    fixed_windows,
)
from byrote.models.language.length_batches import length_batches

Run = tuple[int, Iterator[tuple[Tensor, Tensor]]]  # streams; inputs and targets, (time, streams)


class Reading(Protocol):
    """A reading of texts."""

    @property
    def steps(self) -> int:
        """Number of steps in an epoch."""

    def epoch(self, generator: torch.Generator | None) -> Iterator[Run]:
        """Yield the runs of an epoch, in random order or places with a generator."""

    def units(self) -> Windows:
        """Return the units of private training, (n, window) tokens, each read from a newline."""


@dataclass(frozen=True)
class Joined:
    """All texts as one, (n,) tokens, which is cut into parallel streams and read cyclically."""

    text: Tokens
    cut: Cut

    @property
    def steps(self) -> int:
        """Number of steps in an epoch."""
        return self.cut.windows(len(self.text))

    def epoch(self, generator: torch.Generator | None) -> Iterator[Run]:
        """Yield the one run of an epoch, from a random place."""
        first = 0 if generator is None else torch.randint(len(self.text), (1,), generator=generator)
        yield self.cut.streams, self.cut.read(self.text, int(first))

    def units(self) -> Windows:
        """Return windows of the text on a fixed grid."""
        return fixed_windows(self.text, self.cut.window)


@dataclass(frozen=True)
class Separate:
    """Each text by itself, as many together as the cut has streams, those of similar length.

    text: (n,) tokens of all texts, one after the other. lengths: of each. newline: the token before
    each text.
    """

    text: Tokens
    lengths: NDArray[np.int64]
    cut: Cut
    newline: int

    @property
    def steps(self) -> int:
        """Number of steps in an epoch."""
        return separate_steps(self.lengths, self.cut)

    def epoch(self, generator: torch.Generator | None) -> Iterator[Run]:
        """Yield a run for each batch of texts, drawn anew from those of similar length."""

        def permute(n: int) -> NDArray[np.int64]:
            return torch.randperm(n, generator=generator).numpy()

        windows = -(-self.lengths // self.cut.window)
        draw = None if generator is None else permute
        for batch in length_batches(windows, self.cut.streams, draw):
            yield len(batch), self._read(batch)

    def _read(self, batch: NDArray[np.intp]) -> Iterator[tuple[Tensor, Tensor]]:
        lengths, offsets = self.lengths[batch], self._offsets[batch]
        longest = int(lengths.max())
        for first in range(0, longest, self.cut.window):
            times = np.arange(first, min(first + self.cut.window, longest))[:, None]
            before, here = (self._tokens(offsets, lengths, times - lag) for lag in (1, 0))
            inputs = np.where(before == NO_TARGET, self.newline, before)
            yield torch.from_numpy(inputs), torch.from_numpy(here)

    def _tokens(
        self, offsets: NDArray[np.int64], lengths: NDArray[np.int64], times: NDArray[np.intp]
    ) -> NDArray[np.int64]:
        """Return the token of each text at each time; NO_TARGET outside of the text."""
        inside = (times >= 0) & (times < lengths)
        index = np.where(inside, offsets + times, 0)
        return np.where(inside, self.text[index].astype(np.int64), NO_TARGET)

    @property
    def _offsets(self) -> NDArray[np.int64]:
        return np.cumsum(self.lengths) - self.lengths

    def units(self) -> Windows:
        """Return the texts themselves, none of which may be longer than a window."""
        width = self.cut.window
        times = np.arange(width)[:, None]
        return self._tokens(self._offsets, self.lengths, times).T.astype(np.int16)


def separate_steps(lengths: Sequence[int] | NDArray[np.int64], cut: Cut) -> int:
    """Return the number of steps that read each text by itself.

    Examples
    --------
    >>> separate_steps([3, 12, 4], Cut(streams=2, window=5))
    4
    """
    windows = -(-np.asarray(lengths, dtype=np.int64) // cut.window)
    return sum(int(windows[batch].max()) for batch in length_batches(windows, cut.streams))
