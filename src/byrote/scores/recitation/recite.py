"""Recitation of texts by a language model, wherever it was trained."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from byrote import checks
from byrote.attacks.near_verbatim import near_verbatim
from byrote.attacks.recitation import (
    WindowCosts,
    cut_windows,
    longest_run,
    matched_tokens,
    window_costs,
    window_starts,
)
from byrote.data.text_records import TextRecords, are_texts, as_text_records
from byrote.errors import InvalidInput
from byrote.models.language.stepper_check import checked_stepper
from byrote.models.language.steppers import check_language_model
from byrote.scores.recitation.recitation import (
    Recitation,
    RecitationSettings,
    RecitedTexts,
    RecitedWindows,
)

Array = NDArray[np.float64]
Index = NDArray[np.intp]
_TESTED = 4  # tokens of the first suffix by which a stepper is tested


def recite(
    model: Any,
    texts: Any,
    *,
    unseen: Any = None,
    prefix: int = 50,
    suffix: int = 50,
    stride: int | None = None,
    n: int | Sequence[int] = (1, 10, 1000),
    p: float = 0.5,
    top_k: int = 40,
    temperature: float = 0.7,
    edits: int = 0,
    max_queries: int = 1000,
    level: float = 0.95,
) -> Recitation:
    """Measure which windows of texts a model continues verbatim from their first tokens.

    Each text is encoded once and cut into windows. One pass over a window gives greedy decoding and
    the probability of the suffix under plain, top-k and temperature sampling. A text's probability
    is that of its own tokens: other tokens that spell the same are left out, so that it is a lower
    bound for the string.

    Parameters
    ----------
    model
        A language model with ``encode``, ``decode`` and ``next_log_probs``; a method
        ``continuation_log_probs`` reads each window once, and ``stepper`` once for each token.
    texts
        Texts whose recitation is in question: ``TextRecords`` (``byrote.load_texts``), a corpus, a
        list of strings, or a mapping of ids to strings.
    unseen
        Texts of the same kind that the model never saw, as control: what it recites of them it can
        predict.
    prefix, suffix
        Number of tokens given to the model, and of those it must continue with.
    stride
        Number of tokens from one window to the next (default: ``suffix``, so that each token is in
        one suffix).
    n, p
        A suffix is (n, p)-discoverable if n samples contain it with a probability of at least p.
    top_k, temperature
        Number of most likely tokens of top-k sampling, and the temperature of the third sampler.
    edits
        Also bound the probability of a suffix within this Levenshtein distance, in tokens, under
        plain sampling (default: 0, not done).
    max_queries
        Maximum number of prefixes read for these bounds, per window.
    level
        Level of the intervals, which are over texts: windows of one text depend on one another.

    Raises
    ------
    InvalidInput
        If an argument is not valid, no text is long enough, or a window is longer than the model
        reads.

    Examples
    --------
    >>> import byrote
    >>> from byrote.models import CharLSTM
    >>> text = "the quick brown fox jumps over the lazy dog and runs away"
    >>> model = CharLSTM(32, 1, epochs=15, batch_size=4, window=20, learning_rate=0.03)
    >>> model = model.fit([text] * 20)
    >>> result = byrote.recite(model, [text], prefix=10, suffix=20, unseen=[text[::-1]])
    >>> result
    Recitation(1 text, 2 of 2 windows recited)
    >>> result.windows.matched.tolist(), bool(result.windows.bits[:2].max() < 5)
    ([20, 20, 0, 0], True)
    """
    check_language_model(model)
    settings = RecitationSettings(
        prefix=prefix,
        suffix=suffix,
        stride=suffix if stride is None else stride,
        n=[n] if isinstance(n, int | np.integer) else n,
        p=p,
        top_k=top_k,
        temperature=temperature,
        edits=edits,
        max_queries=max_queries,
        level=level,
    )
    asked = _records("texts", texts)
    sides = [asked] if unseen is None else [asked, _records("unseen", unseen)]
    names = np.concatenate([records.ids.astype(str) for records in sides])
    encoded = _Encoded(model, [text for records in sides for text in records.texts], settings)
    longest = encoded.tokens[: len(asked)].max(initial=0)
    if longest < settings.length:
        raise InvalidInput(
            f"texts must have one of at least {settings.length} tokens, prefix and suffix together;"
            f" the longest that the model can read has {longest}"
        )
    decodings = list(settings.decodings.values())
    costs = window_costs(model, encoded.windows, settings.prefix, decodings)
    near = _near_bounds(model, encoded.windows, settings)
    unseen_rows = np.arange(len(names)) >= len(asked)
    return Recitation(
        _windows(encoded, costs, near, names, settings),
        _texts_table(encoded, costs, names, unseen_rows),
        settings,
    )


def _records(name: str, texts: Any) -> TextRecords:
    if not are_texts(texts):
        raise InvalidInput(f"{name} must be texts, a list of strings; got {checks.brief(texts)}")
    return as_text_records(texts)


class _Encoded:
    """Tokens of texts, and their windows.

    Attributes
    ----------
    tokens, covered, restored
        (t,) each; see ``RecitedTexts``.
    starts
        First tokens of each text's windows.
    windows
        (w, prefix + suffix) tokens.
    """

    def __init__(self, model: Any, texts: Sequence[str], settings: RecitationSettings) -> None:
        self.tokens = np.zeros(len(texts), dtype=np.intp)
        self.covered, self.restored = np.ones((2, len(texts)), dtype=bool)
        self.starts: list[Index] = []
        parts = [np.empty((0, settings.length), dtype=np.intp)]
        for row, text in enumerate(texts):
            ids = self._encode(model, row, text)
            self.tokens[row] = len(ids)
            starts = window_starts(len(ids), settings.prefix, settings.suffix, settings.stride)
            self.starts.append(starts)
            parts.append(cut_windows(ids, starts, settings.length))
        self.windows = np.concatenate(parts)

    def _encode(self, model: Any, row: int, text: str) -> list[int]:
        try:
            ids = [int(token) for token in model.encode(text)]
        except NotFittedError:
            raise
        except (ValueError, KeyError):  # the vocabulary lacks a character
            self.covered[row] = False
            return []
        self.restored[row] = model.decode(ids) == text
        return ids


def _near_bounds(model: Any, windows: Index, settings: RecitationSettings) -> Array:
    """Bound the near-verbatim probability of each window, (2, w); NaN if it is not asked for."""
    bounds = np.full((2, len(windows)), np.nan)
    if not settings.edits:
        return bounds
    head, tail = np.split(windows[0], [settings.prefix])
    stepper = checked_stepper(model, tuple(head.tolist()), [tuple(tail[:-1][:_TESTED].tolist())])
    for row, window in enumerate(windows):
        head, tail = np.split(window, [settings.prefix])
        result = near_verbatim(
            stepper, head, tail, edits=settings.edits, max_queries=settings.max_queries
        )
        bounds[:, row] = result.low, result.high
    return bounds


def _windows(
    encoded: _Encoded,
    costs: WindowCosts,
    near: Array,
    names: NDArray[Any],
    settings: RecitationSettings,
) -> RecitedWindows:
    text = np.repeat(np.arange(len(names)), [len(starts) for starts in encoded.starts])
    return RecitedWindows(
        ids=names[text],
        text=text,
        start=np.concatenate(encoded.starts),
        matched=matched_tokens(costs.hits),
        **dict(zip(settings.decodings, costs.bits, strict=True)),
        near_low=near[0],
        near_high=near[1],
    )


def _texts_table(
    encoded: _Encoded, costs: WindowCosts, names: NDArray[Any], unseen: NDArray[np.bool_]
) -> RecitedTexts:
    counts = np.array([len(starts) for starts in encoded.starts], dtype=np.intp)
    parts = np.split(costs.hits, np.cumsum(counts)[:-1])
    return RecitedTexts(
        ids=names,
        unseen=unseen,
        tokens=encoded.tokens,
        windows=counts,
        recited=np.array([int(hits.all(axis=1).sum()) for hits in parts]),
        longest=np.array(
            [longest_run(hits, starts) for hits, starts in zip(parts, encoded.starts, strict=True)]
        ),
        covered=encoded.covered,
        restored=encoded.restored,
    )
