"""Recitation of texts: windows of tokens, of which a model is given the prefix.

Verbatim, as in Carlini et al. (2023), "Quantifying memorization across neural language models", and
with the probability of the suffix, as in Hayes et al. (2024), "Measuring memorization through
probabilistic discoverable extraction". Texts are encoded once and cut in token space, since tokens
at the seam change where the parts are encoded apart.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.decoding import Decoding
from byrote.models.language.continuations import continuation_costs

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.intp]


class WindowCosts(NamedTuple):
    """What the model gives the suffixes of w windows.

    Attributes
    ----------
    hits
        (w, suffix) whether a token is the most likely one after all before it, the first of ties.
    bits
        (decodings, w) cost of the whole suffix, ``-log2 p(suffix | prefix)``.
    """

    hits: Flags
    bits: Array


def window_starts(tokens: int, prefix: int, suffix: int, stride: int) -> Index:
    """Return the first tokens of all windows of a text.

    Examples
    --------
    >>> window_starts(10, prefix=2, suffix=3, stride=3)
    array([0, 3])
    """
    return np.arange(0, tokens - prefix - suffix + 1, stride)


def cut_windows(ids: Sequence[int], starts: Index, length: int) -> Index:
    """Return the tokens of windows, (w, length)."""
    places = starts[:, None] + np.arange(length)
    return np.asarray(ids, dtype=np.intp)[places]


def window_costs(
    model: Any, windows: Index, prefix: int, decodings: Sequence[Decoding]
) -> WindowCosts:
    """Read each window once, for greedy decoding and all samplers.

    Parameters
    ----------
    windows
        (w, prefix + suffix) tokens.

    Raises
    ------
    InvalidInput
        If the model does not give probabilities.
    """
    count, suffix = len(windows), windows.shape[1] - prefix
    hits, totals = np.empty((count, suffix), dtype=bool), np.empty((len(decodings), count))
    for part, costs in continuation_costs(model, windows, prefix):
        tokens = windows[part, prefix:]
        hits[part] = costs.argmin(axis=-1) == tokens
        for total, decoding in zip(totals, decodings, strict=True):
            of_tokens = np.take_along_axis(decoding.costs(costs), tokens[..., None], axis=-1)
            total[part] = of_tokens.sum(axis=(1, 2))
    return WindowCosts(hits, totals)


def matched_tokens(hits: Flags) -> Index:
    """Return how many tokens greedy decoding gets right before its first error, (w,).

    hits: (w, suffix) of ``WindowCosts``.

    Examples
    --------
    >>> matched_tokens(np.array([[True, True, False], [False, True, True], [True, True, True]]))
    array([2, 0, 3])
    """
    return np.minimum.accumulate(hits, axis=1).sum(axis=1)


def longest_run(hits: Flags, starts: Index) -> int:
    """Return the length of the longest run of tokens of a text that are the most likely ones.

    Greedy decoding from any place of a run recites it to its end. A token in several windows counts
    where it is the most likely one in all of them.

    Parameters
    ----------
    hits
        (w, suffix) of the windows of one text.
    starts
        (w,) first tokens of their suffixes, or of the windows.

    Examples
    --------
    >>> longest_run(np.array([[False, True, True], [True, False, False]]), np.array([0, 3]))
    3
    """
    if not hits.size:
        return 0
    places = (starts[:, None] + np.arange(hits.shape[1])).ravel()
    recited = np.zeros(places.max() + 2, dtype=bool)
    recited[places] = True
    recited[places[~hits.ravel()]] = False
    ends = np.flatnonzero(np.diff(recited.astype(np.int8), prepend=0))
    return int((ends[1::2] - ends[::2]).max(initial=0))
