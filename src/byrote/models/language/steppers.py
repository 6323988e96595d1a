"""Steppers: language models one token at a time, with cached states, as the attacks use them.

A stepper starts from a prefix and moves a batch of cached states on by one token each. Costs are in
bits, ``costs[i, t] = -log2 p(t | all that state i has read)``: every attack and the cost of a
canary itself come from one arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput

LN2 = float(np.log(2.0))


class States(Protocol):
    """Cached states of a batch of prefixes, one per row; immutable."""

    def __len__(self) -> int:
        """Number of prefixes."""

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return the states of these rows, as a copy; a row may repeat."""

    def joined(self, others: Sequence[Any]) -> Self:
        """Return these states followed by those of the others, in one batch."""


class Stepper(Protocol):
    """A model that reads one token at a time.

    It computes without gradients and dropout, takes any batch of at least one row and is fast from
    1 to 8,192 rows; the caller limits the batch. Costs are never below 0 nor NaN; an impossible
    token costs infinity.
    """

    def start(self, ids: Sequence[int]) -> tuple[Any, NDArray[np.float64]]:
        """Return the state after the prefix, as a batch of one, and (1, V) costs in bits."""

    def step(self, states: Any, tokens: NDArray[np.intp]) -> tuple[Any, NDArray[np.float64]]:
        """Return the states one token later, each by its token, and their (n, V) costs in bits."""


def bits(log_probs: NDArray[Any]) -> NDArray[np.float64]:
    """Convert log-probabilities in nats to costs in bits; rounding above probability 1 is cut off.

    Examples
    --------
    >>> bits(np.log([0.5, 0.25]))
    array([1., 2.])
    """
    costs = np.asarray(log_probs, dtype=np.float64) / -LN2
    return np.maximum(costs, 0.0, out=costs)


def check_language_model(model: Any) -> None:
    """Refuse an object without the methods of a language model, naming the missing one."""
    needed = ["encode", "decode"]
    if not callable(getattr(model, "stepper", None)):
        needed.append("next_log_probs")
    for name in needed:
        if not callable(getattr(model, name, None)):
            raise InvalidInput(
                f"model must be a language model with {', '.join(needed)};"
                f" {type(model).__name__} has no {name}"
            )


def as_texts(X: Any) -> list[str]:
    """Return the texts of an argument ``X`` as a list, refusing anything else."""
    if isinstance(X, str | bytes) or not hasattr(X, "__len__"):
        raise InvalidInput(f"X must be a list of texts; got {type(X).__name__}")
    texts = list(X)
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise InvalidInput(f"X must be a list of texts; item {index} is {type(text).__name__}")
    return [str(text) for text in texts]


def token_strings(model: Any, prefix: str = "") -> list[str]:
    """Return the text of each token: the model's own ``token_strings()``, or from ``decode``.

    Tokens are then decoded behind the last token of the prefix, because many tokenizers drop a
    space that begins a text; one that changes the text before it has an empty text.

    Examples
    --------
    >>> class Letters:
    ...     def encode(self, text):
    ...         return ["ab".index(letter) for letter in text]
    ...     def decode(self, ids):
    ...         return "".join("ab"[i] for i in ids)
    ...     def next_log_probs(self, prefixes):
    ...         return np.log(np.full((len(prefixes), 2), 0.5))
    >>> token_strings(Letters())
    ['a', 'b']
    """
    if callable(getattr(model, "token_strings", None)):
        return list(model.token_strings())
    before = list(model.encode(prefix))[-1:] if prefix else []
    text = model.decode(before) if before else ""
    decoded = [model.decode([*before, token]) for token in range(_vocabulary_size(model, before))]
    return [each[len(text) :] if each.startswith(text) else "" for each in decoded]


def _vocabulary_size(model: Any, ids: Sequence[int]) -> int:
    if callable(getattr(model, "next_log_probs", None)):
        return int(np.shape(model.next_log_probs([list(ids)]))[1])
    return int(model.stepper().start(ids)[1].shape[1])


class Prefixes:
    """Whole prefixes as states, for a model without a cache."""

    def __init__(self, rows: list[tuple[int, ...]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: NDArray[np.intp]) -> Prefixes:
        """Return the prefixes of these rows."""
        return Prefixes([self.rows[row] for row in rows.tolist()])

    def joined(self, others: Sequence[Prefixes]) -> Prefixes:
        """Return these prefixes followed by those of the others."""
        return Prefixes([row for states in (self, *others) for row in states.rows])


class PrefixStepper:
    """A stepper of any model with ``next_log_probs(prefixes) -> (len(prefixes), V)`` nats.

    Examples
    --------
    >>> class Coin:
    ...     def next_log_probs(self, prefixes):
    ...         return np.log(np.full((len(prefixes), 2), 0.5))
    >>> states, costs = PrefixStepper(Coin()).start([0, 1])
    >>> costs
    array([[1., 1.]])
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    def start(self, ids: Sequence[int]) -> tuple[Prefixes, NDArray[np.float64]]:
        """Return the prefix, as a batch of one, and the costs of the next token."""
        return self._read(Prefixes([tuple(int(token) for token in ids)]))

    def step(
        self, states: Prefixes, tokens: NDArray[np.intp]
    ) -> tuple[Prefixes, NDArray[np.float64]]:
        """Return each prefix with its token appended, and the costs of the next token."""
        longer = zip(states.rows, tokens.tolist(), strict=True)
        return self._read(Prefixes([(*row, token) for row, token in longer]))

    def _read(self, states: Prefixes) -> tuple[Prefixes, NDArray[np.float64]]:
        nats = np.asarray(self._model.next_log_probs(states.rows))
        if nats.dtype.kind not in "fiu" or np.isnan(nats).any():
            raise InvalidInput(
                f"model: {type(self._model).__name__}.next_log_probs must return real numbers;"
                f" got {'NaN' if nats.dtype.kind in 'fiu' else nats.dtype}"
            )
        return states, bits(nats)
