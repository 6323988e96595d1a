"""The sum of many windows' clipped gradients, without any single window's gradient.

DP-SGD (Abadi et al. 2016) clips the gradient of each record before it adds them. For a matrix with
inputs x_t and derivatives d_t by its outputs, a window's gradient is the sum over t of d_t x_t';
its squared norm is that of all products (d_t . d_s)(x_t . x_s), from two small tables of scalar
products (ghost norms; Goodfellow 2015, Li et al. 2022). The derivatives are kept, so that the sum
of the clipped gradients takes one more product of matrices (book-keeping; Bu et al. 2023) and no
second backward pass.

PyTorch's LSTM gives gradients of a batch, not of each text, so layers are differentiated by hand,
from the zero state. With x the layer's input, h its output, c its cell and a = W x + U h' + b the
gates before their sigmoids and tanh, the derivative of a loss by a at every time suffices: that by
W is the sum over time of da x', by U that of da h'', by both biases that of da.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from byrote.models.language.char_lstm.network import Dropout, Network
from byrote.models.language.char_lstm.windows import NO_TARGET
from byrote.models.privacy.gradient_norms import squared_norm

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
_tanh_backward = torch.ops.aten.tanh_backward.grad_input


class Derivatives(NamedTuple):
    """Factors of the gradients of a batch of windows.

    ``costs`` (time, n) nats, zero without a target; ``tokens`` (time, n), the inputs;
    ``by_embedded`` (time, n, hidden), derivatives of each window's loss by the embedded inputs; of
    each layer its input, its previous output and the derivatives by its gates; the last layer's
    ``output`` and the derivatives ``by_logits``.
    """

    costs: Tensor
    tokens: Tensor
    by_embedded: Tensor
    layers: Sequence[tuple[Tensor, ...]]
    output: Tensor
    by_logits: Tensor


@torch.no_grad()
def derivatives(
    network: Network,
    tokens: Tensor,
    targets: Tensor,
    *,
    dropout: Dropout | None = None,
    dtype: torch.dtype = torch.float32,
) -> Derivatives:
    """Read windows, (time, n), from the zero state, and back-propagate through them by hand.

    A window's loss is the sum of its characters' costs over the length of a window, so that the sum
    of the losses over the expected number of windows is about the mean cost of a character.
    ``dtype`` is that of factors in products; gradients and norms are float32.
    """
    x: Tensor = network.embedding.weight[tokens]
    passes: list[tuple[nn.LSTM, LayerPass, Tensor | None]] = []
    for layer in network.lstms:
        run = run_layer(layer, x, dtype)
        x, mask = run.output, None
        if dropout is not None:
            mask = dropout(torch.ones_like(x))
            x = x * mask
        passes.append((layer, run, mask))
    logits = product(x, network.output.weight.T, dtype) + network.output.bias
    costs, by_logits = _softmax(logits, targets)
    by, layers = product(by_logits, network.output.weight, dtype), []
    for layer, run, mask in reversed(passes):
        by = by if mask is None else by * mask
        by_gates = gate_gradients(layer, run, by, dtype)
        layers.append((run.x, run.h[:-1], by_gates))
        by = product(by_gates, next(layer.parameters()), dtype)
    return Derivatives(costs, tokens, by, layers[::-1], x, by_logits)


def _softmax(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Cost of each target, and the derivatives of each window's loss in the logits."""
    there = targets != NO_TARGET
    index = targets.clamp(min=0).unsqueeze(2)
    log_p = logits.log_softmax(2)
    costs = -log_p.gather(2, index).squeeze(2) * there
    by = log_p.exp_()
    by.scatter_add_(2, index, by.new_full((), -1.0).expand(index.shape))
    return costs, by.mul_((there / len(targets)).unsqueeze(2))


@torch.no_grad()
def squared_norms(parts: Derivatives) -> Tensor:
    """Compute the squared gradient norm, over all weights, of each window's loss, (n,)."""
    rows = parts.tokens.T
    same = rows.unsqueeze(1) == rows.unsqueeze(2)
    total = squared_norm(_table(parts.by_embedded) * same)
    total += squared_norm(_table(parts.by_logits) * (_table(parts.output) + 1))  # 1: its bias
    for x, before, by_gates in parts.layers:
        total += squared_norm(_table(by_gates) * (_table(x) + _table(before) + 2))  # 2: both biases
    return total


@torch.no_grad()
def add_clipped(total: Sequence[Tensor], network: Network, parts: Derivatives, norm: float) -> None:
    """Add the windows' gradients, each clipped to a norm, to a total; overwrites the derivatives.

    The total is in the order of the network's parameters. A window whose gradient is not finite
    cannot be clipped and is left out.
    """
    norms = squared_norms(parts).sqrt()
    finite = norms.isfinite()
    if not bool(finite.all()):
        parts, norms = _only(parts, finite), norms[finite]
    sums = weighted_sum(network, parts, norm / norms.clamp(min=norm))
    for p, sum_ in zip(network.parameters(), total, strict=True):
        sum_.add_(sums[p])


@torch.no_grad()
def weighted_sum(network: Network, parts: Derivatives, weights: Tensor) -> dict[Tensor, Tensor]:
    """Return the sum of the windows' gradients times their weights, (n,), by parameter.

    The derivatives are multiplied in place: large new tensors cost more than the products.
    """
    w = weights[:, None]
    by_embedded = parts.by_embedded.mul_(w).flatten(0, 1)
    rows = torch.zeros_like(network.embedding.weight)
    sums: dict[Tensor, Tensor] = {
        network.embedding.weight: rows.index_add_(0, parts.tokens.flatten(), by_embedded)
    }
    by_logits = parts.by_logits.mul_(w).flatten(0, 1)
    sums[network.output.weight] = by_logits.T @ parts.output.flatten(0, 1)
    sums[network.output.bias] = by_logits.sum(0)
    for layer, (x, before, by_gates) in zip(network.lstms, parts.layers, strict=True):
        by = by_gates.mul_(w).flatten(0, 1)
        w_ih, w_hh, b_ih, b_hh = layer.parameters()
        sums[w_ih], sums[w_hh] = by.T @ x.flatten(0, 1), by.T @ before.flatten(0, 1)
        sums[b_ih] = sums[b_hh] = by.sum(0)
    return sums


def _only(parts: Derivatives, kept: Tensor) -> Derivatives:
    layers = [tuple(part[:, kept] for part in layer) for layer in parts.layers]
    rest = {name: value[:, kept] for name, value in parts._asdict().items() if name != "layers"}
    return Derivatives(layers=layers, **rest)


def _table(x: Tensor) -> Tensor:
    """Scalar products of each window's rows, (n, time, time), from (time, n, features)."""
    rows = x.transpose(0, 1)
    return rows @ rows.transpose(1, 2)


class LayerPass(NamedTuple):
    """A layer's pass over n inputs of the same length.

    ``x`` (time, n, features); ``gates`` sigm(i), sigm(f), tanh(g), sigm(o), (time, n, 4 hidden);
    cell ``c`` and output ``h``, (time + 1, n, hidden), zero before the first character; ``tanh_c``
    (time, n, hidden).
    """

    x: Tensor
    gates: Tensor
    c: Tensor
    h: Tensor
    tanh_c: Tensor

    @property
    def output(self) -> Tensor:
        """Output after each character, (time, n, hidden)."""
        return self.h[1:]


def product(a: Tensor, b: Tensor, dtype: torch.dtype) -> Tensor:
    """Multiply matrices in float32, with factors rounded to ``dtype``."""
    if dtype == a.dtype:
        return a @ b
    return (a.to(dtype) @ b.to(dtype)).to(a.dtype)


def run_layer(layer: nn.LSTM, x: Tensor, dtype: torch.dtype = torch.float32) -> LayerPass:
    """Run a layer from the zero state, as PyTorch's own does."""
    time, n, hidden = len(x), x.shape[1], layer.hidden_size
    w_ih, w_hh, b_ih, b_hh = layer.parameters()
    gates = product(x, w_ih.T, dtype)
    gates += b_ih + b_hh
    recurrent = w_hh.T.to(dtype)
    c, h = x.new_empty(time + 1, n, hidden), x.new_empty(time + 1, n, hidden)
    c[0], h[0] = 0, 0
    tanh_c = x.new_empty(time, n, hidden)
    for t in range(time):
        current = gates[t]
        if t > 0:  # before the first character h is zero
            current += product(h[t], recurrent, dtype)
        i_f, g, o = current.split([2 * hidden, hidden, hidden], dim=1)
        i_f.sigmoid_(), g.tanh_(), o.sigmoid_()
        i, f = i_f.split(hidden, dim=1)
        torch.mul(f, c[t], out=c[t + 1]).addcmul_(i, g)
        torch.tanh(c[t + 1], out=tanh_c[t])
        torch.mul(o, tanh_c[t], out=h[t + 1])
    return LayerPass(x, gates, c, h, tanh_c)


def gate_gradients(
    layer: nn.LSTM, run: LayerPass, by_output: Tensor, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Compute a loss's derivative in the gates before sigmoid and tanh, (time, n, 4 hidden).

    ``by_output`` (time, n, hidden) is that in the layer's output, except through time.
    """
    hidden = layer.hidden_size
    by_gates = torch.empty_like(run.gates)
    recurrent = list(layer.parameters())[1].to(dtype)
    by_c = torch.zeros_like(by_output[0])
    for t in reversed(range(len(by_output))):
        i, f, g, o = run.gates[t].split(hidden, dim=1)
        by_i, by_f, by_g, by_o = by_gates[t].split(hidden, dim=1)
        later = t + 1 < len(by_output)
        by_h = by_output[t] + product(by_gates[t + 1], recurrent, dtype) if later else by_output[t]
        by_c += torch.ops.aten.tanh_backward(by_h * o, run.tanh_c[t])
        _sigmoid_backward(by_c * g, i, grad_input=by_i)
        _sigmoid_backward(by_c * run.c[t], f, grad_input=by_f)
        _tanh_backward(by_c * i, g, grad_input=by_g)
        _sigmoid_backward(by_h * run.tanh_c[t], o, grad_input=by_o)
        by_c *= f
    return by_gates
