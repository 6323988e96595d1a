"""A fitted CharLSTM: log-probabilities, tokens, weights, and steps with cached states for searches.

Libraries multiply few rows by other kernels than many, and the last rows of a matrix by others than
the first, depending on library and processor: the last bits of a row depend on the number of rows.
A stepper computes rows in blocks of a few fixed sizes, filled up with zeros, that were tested to
agree on the current processor.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from byrote.errors import InvalidInput
from byrote.models import torch_utils
from byrote.models.language.char_lstm.network import Network, mean_cost, next_log_probs, score_texts
from byrote.models.language.char_lstm.parameters import check_length
from byrote.models.language.char_lstm.windows import CODE_POINTS, Ids, Vocabulary, encode_texts
from byrote.models.language.steppers import as_texts
from byrote.models.language.text_scores import TextScores
from byrote.models.torch_utils import flushed_denormals

_LN2 = float(np.log(2.0))


# The largest keeps the gates of all its rows in the cache; the others waste a third at most.
SIZES = (128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1)


class LstmStates:
    """States of n prefixes: h and c of each layer, (layers, n, hidden) both."""

    def __init__(self, h: Tensor, c: Tensor) -> None:
        self.h, self.c = h, c

    def __len__(self) -> int:
        """Number of prefixes."""
        return self.h.shape[1]

    def take(self, rows: NDArray[np.intp]) -> "LstmStates":
        """Return the states of these rows; a row may repeat."""
        index = torch.as_tensor(np.asarray(rows, dtype=np.int64))
        return LstmStates(self.h.index_select(1, index), self.c.index_select(1, index))

    def joined(self, others: Sequence["LstmStates"]) -> "LstmStates":
        """Return these states followed by those of the others."""
        h, c = ([getattr(states, name) for states in (self, *others)] for name in ("h", "c"))
        return LstmStates(torch.cat(h, 1), torch.cat(c, 1))


class LstmStepper:
    """Stepper of cached states, one character each; see ``byrote.models.language.steppers``.

    The costs after a prefix are the same bit for bit in any batch of prefixes. A newline is read
    before every text. The network's weights are copied.
    """

    @torch.no_grad()
    @flushed_denormals()
    def __init__(self, network: Network, newline: int) -> None:
        self._newline, self._layers, self._hidden = newline, network.layers, network.hidden
        weights = network.state_dict()
        (by_input, by_output, bias), *others = (
            _layer_weights(weights, number) for number in range(network.layers)
        )
        # A character's part in the gates of the first layer, a row each: no product is left.
        self._table = weights["embedding.weight"] @ by_input.T + bias
        self._first = by_output.T.contiguous()
        self._others = [
            (bias, torch.cat([by_input, by_output], 1).T.contiguous())
            for by_input, by_output, bias in others
        ]
        self._output = (weights["output.bias"].clone(), weights["output.weight"].T.contiguous())
        self._sizes = self._agreeing_sizes()

    def start(self, ids: Sequence[int]) -> tuple[LstmStates, NDArray[np.float64]]:
        """Return the state after a newline and the prefix, and (1, tokens) costs in bits."""
        zeros = torch.zeros(self._layers, 1, self._hidden)
        states = LstmStates(zeros, zeros)
        for token in (self._newline, *ids):
            states = self._read(states, torch.tensor([token]))
        return states, self._costs(states)

    def step(
        self, states: LstmStates, tokens: NDArray[np.intp]
    ) -> tuple[LstmStates, NDArray[np.float64]]:
        """Return the states one character later, and (n, tokens) costs in bits."""
        after = self._read(states, torch.as_tensor(np.asarray(tokens, dtype=np.int64)))
        return after, self._costs(after)

    @torch.no_grad()
    @flushed_denormals()
    def _read(self, states: LstmStates, tokens: Tensor) -> LstmStates:
        h, c = torch.empty_like(states.h), torch.empty_like(states.c)
        for rows, size in blocks(len(states), self._sizes):
            n = rows.stop - rows.start
            h_before, c_before = (filled(x[:, rows], size, dim=1) for x in (states.h, states.c))
            h_after, c_after = self._read_block(h_before, c_before, filled(tokens[rows], size))
            h[:, rows], c[:, rows] = h_after[:, :n], c_after[:, :n]
        return LstmStates(h, c)

    def _read_block(self, h: Tensor, c: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        new_h, new_c = torch.empty_like(h), torch.empty_like(c)
        _cell(torch.addmm(self._table[tokens], h[0], self._first), c[0], new_h[0], new_c[0])
        for layer, (bias, weight) in enumerate(self._others, start=1):
            inputs = torch.cat([new_h[layer - 1], h[layer]], 1)
            _cell(torch.addmm(bias, inputs, weight), c[layer], new_h[layer], new_c[layer])
        return new_h, new_c

    @torch.no_grad()
    @flushed_denormals()
    def _costs(self, states: LstmStates) -> NDArray[np.float64]:
        costs = torch.empty(len(states), len(self._output[0]), dtype=torch.float64)
        for rows, size in blocks(len(states), self._sizes):
            block = self._costs_of_block(filled(states.h[-1, rows], size))
            costs[rows] = block[: rows.stop - rows.start]
        return costs.numpy()

    def _costs_of_block(self, h: Tensor) -> Tensor:
        bias, weight = self._output
        logits = torch.addmm(bias, h, weight).double()
        return logits.log_softmax(1).mul_(-1 / _LN2).clamp_(min=0)

    def _agreeing_sizes(self) -> tuple[int, ...]:
        """Return block sizes in which a row's result does not depend on its place."""
        generator = torch.Generator().manual_seed(0)
        shape = (SIZES[0], 2 * self._layers, self._hidden)
        states = 2 * torch.rand(shape, generator=generator) - 1

        def step(rows: Tensor) -> Tensor:
            h, c = rows.transpose(0, 1).contiguous().chunk(2)
            tokens = rows[:, 0, 0].abs().mul(len(self._table)).long()
            after = self._read_block(h, c, tokens)
            return torch.cat([*after[0], *after[1], self._costs_of_block(after[0][-1])], 1)

        return agreeing_sizes(step, states)


def _layer_weights(weights: Mapping[str, Tensor], layer: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the weights on a layer's input and on its previous output, and its bias."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    by_input, by_output, *biases = (weights[f"recurrent.{layer}.{name}_l0"] for name in names)
    return by_input, by_output, biases[0] + biases[1]


def _cell(gates: Tensor, before: Tensor, h: Tensor, c: Tensor) -> None:
    """Write h and c, (n, hidden), of cells with these gates, (n, 4 x hidden)."""
    i, f, g, o = gates.chunk(4, 1)
    torch.mul(f.sigmoid_(), before, out=c).addcmul_(i.sigmoid_(), g.tanh_())
    torch.mul(o.sigmoid_(), torch.tanh(c, out=h), out=h)


def agreeing_sizes(compute: Callable[[Tensor], Tensor], rows: Tensor) -> tuple[int, ...]:
    """Return the ``SIZES`` in which every row has the same result bit for bit, largest first.

    ``compute`` maps rows to results row by row; ``rows``, (128, ...), are different ones to test.
    """
    for largest in SIZES:  # a single row agrees with itself
        first, turn = rows[:largest], (largest // 2) | 1
        results = compute(first)
        if torch.equal(compute(first.roll(turn, 0)), results.roll(turn, 0)):
            break
    smaller = (size for size in SIZES if size < largest)
    return (
        largest,
        *(size for size in smaller if torch.equal(compute(rows[:size]), results[:size])),
    )


def blocks(n: int, sizes: Sequence[int]) -> Iterator[tuple[slice, int]]:
    """Yield all n rows in order, and the block size for each slice.

    Examples
    --------
    >>> list(blocks(9, sizes=(4, 2)))
    [(slice(0, 4, None), 4), (slice(4, 8, None), 4), (slice(8, 9, None), 2)]
    """
    for first in range(0, n, sizes[0]):
        end = min(first + sizes[0], n)
        yield slice(first, end), min(size for size in sizes if size >= end - first)


def filled(rows: Tensor, size: int, dim: int = 0) -> Tensor:
    """Copy rows, counted along a dimension, and append zeros up to ``size``."""
    shape = list(rows.shape)
    n, shape[dim] = shape[dim], size
    block = rows.new_empty(shape)
    block.narrow(dim, 0, n).copy_(rows)
    if n < size:
        block.narrow(dim, n, size - n).zero_()
    return block


class FittedLSTM(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """The part of the estimator that needs a network, trained or loaded."""

    network_: Network
    vocabulary_: Vocabulary
    _scores: TextScores

    def score_samples(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Compute the log-probability of each text, (n,) nats: the sum over its characters.

        A text begins in the state zero, after a newline; its end is not predicted.

        Raises
        ------
        InvalidInput
            If a text has a character outside the vocabulary.
        """
        check_is_fitted(self)
        dtype = np.min_scalar_type(len(self.vocabulary_))
        texts = [self.vocabulary_.known_ids(text).astype(dtype) for text in as_texts(X)]
        self._scores = score_texts(self.network_, texts, self.vocabulary_.newline)
        return self._scores.log_prob

    @property
    def diagnostics_(self) -> dict[str, NDArray[np.float64]]:
        """Characters of the texts scored last, and how many of them were the likeliest."""
        return self._scores.diagnostics()

    def score(self, X: Sequence[str], y: object = None) -> float:
        """Compute the mean of ``score_samples``, in nats per text."""
        del y
        return float(self.score_samples(X).mean())

    def loss(self, X: Sequence[str]) -> float:
        """Compute the mean cost per character of the texts, joined as in training, in nats.

        Characters outside the vocabulary count as the unknown one.
        """
        check_is_fitted(self)
        texts = as_texts(X)
        check_length(texts, 1)
        return mean_cost(self.network_, encode_texts(texts, self.vocabulary_))

    def next_log_probs(self, prefixes: Sequence[Sequence[int] | str]) -> NDArray[np.float64]:
        """Compute log-probabilities, (n, tokens) nats, of the token after each prefix."""
        check_is_fitted(self)
        ids = [self._ids(prefix) for prefix in prefixes]
        return next_log_probs(self.network_, ids, self.vocabulary_.newline)

    def encode(self, text: str) -> list[int]:
        """Return the token of each character.

        Raises
        ------
        InvalidInput
            If the vocabulary lacks a character, named by its code point.
        """
        check_is_fitted(self)
        return self.vocabulary_.known_ids(text).tolist()

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens."""
        check_is_fitted(self)
        return self.vocabulary_.text(ids)

    def token_strings(self) -> list[str]:
        """Return the character of each token; "" for the unknown one, the last."""
        check_is_fitted(self)
        return self.vocabulary_.strings()

    def stepper(self) -> LstmStepper:
        """Return the model one character at a time, with cached states."""
        check_is_fitted(self)
        return LstmStepper(self.network_, self.vocabulary_.newline)

    @property
    def size(self) -> dict[str, int]:
        """Number of ``parameters``, their ``bytes`` in float32, and bytes when ``compressed``."""
        check_is_fitted(self)
        return torch_utils.size_of(self.network_)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Return everything learned, as arrays by name, for ``set_weights``."""
        check_is_fitted(self)
        points = self.vocabulary_.code_points.copy()
        return {CODE_POINTS: points, **torch_utils.to_arrays(self.network_)}

    def _ids(self, prefix: Sequence[int] | str) -> Ids:
        if isinstance(prefix, str):
            return self.vocabulary_.known_ids(prefix)
        ids = np.asarray(prefix, dtype=np.int64)
        if ((ids < 0) | (ids >= len(self.vocabulary_))).any():
            raise InvalidInput(f"prefixes must be tokens from 0 to {len(self.vocabulary_) - 1}")
        return ids
