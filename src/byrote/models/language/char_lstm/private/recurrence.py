"""A layer of long short-term memory read and differentiated by hand, from the zero state.

With x the layer's input, h its output, c its cell and a = W x + U h' + b the gates before their
sigmoids and tanh, the derivative of a loss by a at every time is all that is needed of it: that by
W is the sum over time of da x', by U that of da h'', by both biases that of da. Private training
wants these sums for each text apart, or rather their norms; PyTorch's own layer gives them for a
batch at once.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
_tanh_backward = torch.ops.aten.tanh_backward.grad_input


class Reading(NamedTuple):
    """What a layer computed from n inputs of the same length.

    Attributes
    ----------
    x
        The input, (time, n, features).
    gates
        sigm(i), sigm(f), tanh(g), sigm(o) side by side, (time, n, 4 hidden).
    c, h
        Cell and output, (time + 1, n, hidden): zero before the first character.
    bent
        tanh(c), (time, n, hidden).
    """

    x: Tensor
    gates: Tensor
    c: Tensor
    h: Tensor
    bent: Tensor

    @property
    def output(self) -> Tensor:
        """What the layer says after each character, (time, n, hidden)."""
        return self.h[1:]


def product(a: Tensor, b: Tensor, dtype: torch.dtype) -> Tensor:
    """The matrix product in float32, its factors rounded to ``dtype`` before."""
    if dtype == a.dtype:
        return a @ b
    return (a.to(dtype) @ b.to(dtype)).to(a.dtype)


def read(layer: nn.LSTM, x: Tensor, dtype: torch.dtype = torch.float32) -> Reading:
    """Let a layer read from the zero state, as PyTorch's own does."""
    time, n, hidden = len(x), x.shape[1], layer.hidden_size
    w_ih, w_hh, b_ih, b_hh = layer.parameters()
    gates = product(x, w_ih.T, dtype)
    gates += b_ih + b_hh
    carried = w_hh.T.to(dtype)
    c, h = x.new_empty(time + 1, n, hidden), x.new_empty(time + 1, n, hidden)
    c[0], h[0] = 0, 0
    bent = x.new_empty(time, n, hidden)
    for t in range(time):
        now = gates[t]
        if t > 0:  # before the first character h is zero
            now += product(h[t], carried, dtype)
        i_f, g, o = now.split([2 * hidden, hidden, hidden], dim=1)
        i_f.sigmoid_(), g.tanh_(), o.sigmoid_()
        i, f = i_f.split(hidden, dim=1)
        torch.mul(f, c[t], out=c[t + 1]).addcmul_(i, g)
        torch.tanh(c[t + 1], out=bent[t])
        torch.mul(o, bent[t], out=h[t + 1])
    return Reading(x, gates, c, h, bent)


def gate_gradients(
    layer: nn.LSTM, reading: Reading, by_output: Tensor, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Derivative of a loss by the gates before sigmoid and tanh, (time, n, 4 hidden).

    Parameters
    ----------
    by_output
        Derivative by what the layer says, (time, n, hidden); that through time is added here.
    """
    hidden = layer.hidden_size
    found = torch.empty_like(reading.gates)
    carried = list(layer.parameters())[1].to(dtype)
    by_c = torch.zeros_like(by_output[0])
    for t in reversed(range(len(by_output))):
        i, f, g, o = reading.gates[t].split(hidden, dim=1)
        by_i, by_f, by_g, by_o = found[t].split(hidden, dim=1)
        later = t + 1 < len(by_output)
        by_h = by_output[t] + product(found[t + 1], carried, dtype) if later else by_output[t]
        by_c += torch.ops.aten.tanh_backward(by_h * o, reading.bent[t])
        _sigmoid_backward(by_c * g, i, grad_input=by_i)
        _sigmoid_backward(by_c * reading.c[t], f, grad_input=by_f)
        _tanh_backward(by_c * i, g, grad_input=by_g)
        _sigmoid_backward(by_h * reading.bent[t], o, grad_input=by_o)
        by_c *= f
    return found
