"""The gradients of many windows, each clipped, as one sum: no window's gradient is ever made.

DP-SGD (Abadi et al. 2016) shortens the gradient of each record to a largest norm before it adds
them. Of a matrix that meets the inputs x_t and whose outputs have the derivatives d_t, a window's
gradient is the sum over t of d_t x_t'; its squared norm is that of all products (d_t . d_s)(x_t .
x_s), for which two small tables of scalar products suffice (ghost norms; Goodfellow 2015, Li et al.
2022). The derivatives are kept, so that the sum of the clipped gradients takes one more product of
matrices (book-keeping; Bu et al. 2023) and no second backward pass.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from byrote.models.language.char_lstm.network import Network
from byrote.models.language.char_lstm.private import recurrence
from byrote.models.language.char_lstm.private.recurrence import Reading, product
from byrote.models.language.char_lstm.training import Dropout
from byrote.models.language.char_lstm.windows import NO_TARGET
from byrote.models.privacy.norms import squared_norm


class Derivatives(NamedTuple):
    """All that the gradients of a batch of windows are made of.

    Attributes
    ----------
    costs
        Of each character, (time, n) nats; zero where there is none.
    tokens
        What the network read, (time, n).
    by_embedded
        Derivative of each window's loss by what it read, (time, n, hidden).
    layers
        Of each layer its input, its output before, and the derivatives by its gates.
    said, by_logits
        What the last layer said, and the derivatives by the logits.
    """

    costs: Tensor
    tokens: Tensor
    by_embedded: Tensor
    layers: Sequence[tuple[Tensor, ...]]
    said: Tensor
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
    """Read windows from the zero state, and go back through them by hand.

    A window's loss is the sum of its characters' costs over the length of a window, so that the
    sum of the losses over the expected number of windows is about the mean cost of a character.

    Parameters
    ----------
    tokens, targets
        Characters read and those to predict, (time, n).
    dtype
        Of the factors in the products of the two passes. Gradients and norms are float32.
    """
    x: Tensor = network.embedding.weight[tokens]
    passed: list[tuple[nn.LSTM, Reading, Tensor | None]] = []
    for layer in network.lstms:
        reading = recurrence.read(layer, x, dtype)
        x, mask = reading.output, None
        if dropout is not None:
            mask = dropout(torch.ones_like(x))
            x = x * mask
        passed.append((layer, reading, mask))
    logits = product(x, network.output.weight.T, dtype) + network.output.bias
    costs, by_logits = _softmax(logits, targets)
    by, layers = product(by_logits, network.output.weight, dtype), []
    for layer, reading, mask in reversed(passed):
        by = by if mask is None else by * mask
        by_gates = recurrence.gate_gradients(layer, reading, by, dtype)
        layers.append((reading.x, reading.h[:-1], by_gates))
        by = product(by_gates, next(layer.parameters()), dtype)
    return Derivatives(costs, tokens, by, layers[::-1], x, by_logits)


def _softmax(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Cost of each target, and the derivatives of each window's loss by the logits."""
    there = targets != NO_TARGET
    index = targets.clamp(min=0).unsqueeze(2)
    log_p = logits.log_softmax(2)
    costs = -log_p.gather(2, index).squeeze(2) * there
    by = log_p.exp_()
    by.scatter_add_(2, index, by.new_full((), -1.0).expand(index.shape))
    return costs, by.mul_((there / len(targets)).unsqueeze(2))


@torch.no_grad()
def squared_norms(found: Derivatives) -> Tensor:
    """Squared norm of the gradient, by all weights, of each window's loss, (n,)."""
    rows = found.tokens.T
    same = rows.unsqueeze(1) == rows.unsqueeze(2)
    total = squared_norm(_table(found.by_embedded) * same)
    total += squared_norm(_table(found.by_logits) * (_table(found.said) + 1))  # 1: its bias
    for x, before, by_gates in found.layers:
        total += squared_norm(_table(by_gates) * (_table(x) + _table(before) + 2))  # 2: both biases
    return total


@torch.no_grad()
def add_clipped(total: Sequence[Tensor], network: Network, found: Derivatives, norm: float) -> None:
    """Add the windows' gradients, each clipped to a norm; uses the derivatives up.

    A window whose gradient is not finite, and so cannot be clipped, is left out.

    Parameters
    ----------
    total
        Sums, in the order of the network's parameters.
    """
    norms = squared_norms(found).sqrt()
    sound = norms.isfinite()
    if not bool(sound.all()):
        found, norms = _only(found, sound), norms[sound]
    sums = weighted_sum(network, found, norm / norms.clamp(min=norm))
    for p, sum_ in zip(network.parameters(), total, strict=True):
        sum_.add_(sums[p])


@torch.no_grad()
def weighted_sum(network: Network, found: Derivatives, weights: Tensor) -> dict[Tensor, Tensor]:
    """The windows' gradients times their weights, (n,), added: by parameter.

    The derivatives are multiplied in place: large new tensors cost more than the products.
    """
    w = weights[:, None]
    by_embedded = found.by_embedded.mul_(w).flatten(0, 1)
    rows = torch.zeros_like(network.embedding.weight)
    sums: dict[Tensor, Tensor] = {
        network.embedding.weight: rows.index_add_(0, found.tokens.flatten(), by_embedded)
    }
    by_logits = found.by_logits.mul_(w).flatten(0, 1)
    sums[network.output.weight] = by_logits.T @ found.said.flatten(0, 1)
    sums[network.output.bias] = by_logits.sum(0)
    for layer, (x, before, by_gates) in zip(network.lstms, found.layers, strict=True):
        by = by_gates.mul_(w).flatten(0, 1)
        w_ih, w_hh, b_ih, b_hh = layer.parameters()
        sums[w_ih], sums[w_hh] = by.T @ x.flatten(0, 1), by.T @ before.flatten(0, 1)
        sums[b_ih] = sums[b_hh] = by.sum(0)
    return sums


def _only(found: Derivatives, kept: Tensor) -> Derivatives:
    """Those of some of the windows."""
    layers = [tuple(part[:, kept] for part in layer) for layer in found.layers]
    rest = {name: value[:, kept] for name, value in found._asdict().items() if name != "layers"}
    return Derivatives(layers=layers, **rest)


def _table(x: Tensor) -> Tensor:
    """Scalar products of each window's rows, (n, time, time), from (time, n, features)."""
    rows = x.transpose(0, 1)
    return rows @ rows.transpose(1, 2)
