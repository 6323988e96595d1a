"""Steps of a CharLSTM with cached states, for searches: costs do not depend on the batch.

Libraries multiply few rows by other kernels than many, and the last rows of a matrix by others than
the first, depending on library and processor: the last bits of a row depend on the number of rows.
A stepper computes rows in blocks of a few fixed sizes, filled up with zeros, that were tested to
agree on the current processor, once per process and shape of networks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.language.char_lstm.network import Network, untrained
from byrote.models.torch_utils import flushed_denormals

_LN2 = float(np.log(2.0))

# The largest keeps the gates of all its rows in the cache; the others waste a third at most.
SIZES = (128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1)


class LstmStates:
    """States of n prefixes: h and c of each layer, (layers, n, hidden) both.

    ``source``, (n,), tells copies of a state: where each was taken from, if known.
    """

    def __init__(self, h: Tensor, c: Tensor, source: Tensor | None = None) -> None:
        self.h, self.c, self._source = h, c, source

    def __len__(self) -> int:
        """Number of prefixes."""
        return self.h.shape[1]

    def take(self, rows: NDArray[np.intp]) -> "LstmStates":
        """Return the states of these rows; a row may repeat."""
        index = torch.as_tensor(np.asarray(rows, dtype=np.int64))
        return LstmStates(self.h.index_select(1, index), self.c.index_select(1, index), index)

    def joined(self, others: Sequence["LstmStates"]) -> "LstmStates":
        """Return these states followed by those of the others."""
        h, c = ([getattr(states, name) for states in (self, *others)] for name in ("h", "c"))
        return LstmStates(torch.cat(h, 1), torch.cat(c, 1))

    def adjacent_copies(self) -> tuple[Tensor, Tensor] | None:
        """Return the first row of each run of copies, and the run of each row; None without any."""
        if self._source is None:
            return None
        begins = torch.ones(len(self), dtype=torch.bool)
        begins[1:] = self._source[1:] != self._source[:-1]
        return None if begins.all() else (begins.nonzero()[:, 0], begins.cumsum(0) - 1)


class LstmStepper:
    """Stepper of cached states, one character each; see ``byrote.models.language.steppers``.

    The costs after a prefix are the same bit for bit in any batch of prefixes. A newline is read
    before every text. The network's weights are copied. ``sizes`` are those of blocks, by default
    the largest set in which results do not depend on it.
    """

    @torch.no_grad()
    @flushed_denormals()
    def __init__(
        self, network: Network, newline: int, sizes: tuple[int, ...] | None = None
    ) -> None:
        self._newline, self._layers, self._hidden = newline, network.layers, network.hidden
        weights = network.state_dict()
        (by_input, by_output, bias), *others = (
            _layer_weights(weights, number) for number in range(network.layers)
        )
        # A character's part in the gates of the first layer, a row each: no product is left.
        self._table = weights["embedding.weight"] @ by_input.T + bias
        self._by_output = [w.T.contiguous() for w in (by_output, *(each[1] for each in others))]
        self._by_input = [by_input.T.contiguous() for by_input, _, _ in others]
        self._bias = [torch.zeros_like(bias), *(bias for _, _, bias in others)]
        self._output = (weights["output.bias"].clone(), weights["output.weight"].T.contiguous())
        self._sizes = sizes_for(network) if sizes is None else sizes

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
        copies = states.adjacent_copies()  # what depends on the state alone is computed once
        for layer in range(self._layers):
            before = states.h[layer]
            if copies is not None:
                before = before.index_select(0, copies[0])
            recurrent = self._recurrent(before, layer)
            for rows, size in blocks(len(states), self._sizes):
                gates = recurrent[rows]
                if copies is not None:
                    gates = recurrent.index_select(0, copies[1][rows])
                if layer:
                    gates = _product(gates, h[layer - 1, rows], self._by_input[layer - 1], size)
                else:
                    gates += self._table.index_select(0, tokens[rows])
                _cell(gates, states.c[layer, rows], h[layer, rows], c[layer, rows])
        return LstmStates(h, c)

    def _recurrent(self, h: Tensor, layer: int) -> Tensor:
        """Return the part in the gates of the layer's previous outputs, (n, 4 x hidden)."""
        parts = [
            _product(self._bias[layer], h[rows], self._by_output[layer], size)
            for rows, size in blocks(len(h), self._sizes)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    @torch.no_grad()
    @flushed_denormals()
    def _costs(self, states: LstmStates) -> NDArray[np.float64]:
        bias, weight = self._output
        costs = torch.empty(len(states), len(bias), dtype=torch.float64)
        for rows, size in blocks(len(states), self._sizes):
            logits = _product(bias, states.h[-1, rows], weight, size).double()
            costs[rows] = logits.log_softmax(1).mul_(-1 / _LN2).clamp_(min=0)
        return costs.numpy()


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


def _product(before: Tensor, rows: Tensor, weight: Tensor, size: int) -> Tensor:
    """Return before + rows @ weight, (n, outputs), computed as a product of ``size`` rows.

    ``before`` is a bias, or has a row for each of the n.
    """
    n = len(rows)
    if n == size:
        return torch.addmm(before, rows, weight)
    before = filled(before, size) if before.dim() > 1 else before
    return torch.addmm(before, filled(rows, size), weight)[:n]


def sizes_for(network: Network) -> tuple[int, ...]:
    """Return the block sizes in which a row's costs and states do not depend on its place.

    They follow from what chooses PyTorch's kernels, not from the weights, and are found once.
    """
    return _sizes_for(
        network.output.out_features, network.hidden, network.layers,
        torch.get_num_threads(), torch.backends.mkldnn.enabled,
        torch.get_float32_matmul_precision(),
    )  # fmt: skip


@cache
def _sizes_for(tokens: int, hidden: int, layers: int, *arithmetic: object) -> tuple[int, ...]:
    """Test by random weights and states, whose products differ if sums are taken in another way."""
    del arithmetic
    network = untrained(tokens, hidden, layers, seed=0)
    generator = torch.Generator().manual_seed(0)
    states = 2 * torch.rand(SIZES[0], 2 * layers, hidden, generator=generator) - 1

    def step(rows: Tensor) -> Tensor:
        before = LstmStates(*rows.transpose(0, 1).contiguous().chunk(2))
        read = rows[:, 0, 0].abs().mul(tokens).long().numpy()
        after, costs = LstmStepper(network, 0, sizes=(len(rows),)).step(before, read)
        return torch.cat([*after.h, *after.c, torch.from_numpy(costs)], 1)

    return agreeing_sizes(step, states)


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
