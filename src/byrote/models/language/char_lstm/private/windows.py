"""A text cut on a fixed grid into windows that know nothing of each other."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.language.char_lstm.vocabulary import Tokens
from byrote.models.language.char_lstm.windows import NO_TARGET

Windows = NDArray[np.int16]  # (n, window) tokens; NO_TARGET past the end of the text


def cut(text: Tokens, window: int) -> Windows:
    """The windows of a text, the last one filled up: each character is in exactly one.

    Examples
    --------
    >>> cut(np.arange(5), 3)
    array([[ 0,  1,  2],
           [ 3,  4, -1]], dtype=int16)
    """
    rows = np.full((-(-len(text) // window), window), NO_TARGET, dtype=np.int16)
    rows.reshape(-1)[: len(text)] = text
    return rows


def reading(windows: Windows, newline: int) -> tuple[Tensor, Tensor]:
    """Characters that are read and those to predict, (time, n).

    Before each window stands a newline, whatever the text has there: a window's gradient then
    depends on its own characters alone.
    """
    targets = torch.from_numpy(windows.T.astype(np.int64))
    given = torch.full_like(targets, newline)
    given[1:] = torch.where(targets[:-1] == NO_TARGET, newline, targets[:-1])
    return given, targets
