"""The network: embedded characters, layers of long short-term memory, a softmax over characters.

Hochreiter & Schmidhuber (1997), with forget gates: for each layer, x its input and h its output,

    (i, f, g, o) = W x + U h' + b,   c = sigm(f) c' + sigm(i) tanh(g),   h = sigm(o) tanh(c)

where h' and c' are those of the character before. Texts are scored in float32, without dropout.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from byrote.models.language.char_lstm.windows import NO_TARGET, Cut, Ids, Tokens
from byrote.models.language.text_scores import TextScores
from byrote.models.torch_utils import flushed_denormals, seeded

State = list[tuple[Tensor, Tensor]]  # h and c of each layer, (1, n, hidden) both


class Network(nn.Module):
    """Logits of the next of ``tokens`` characters from those so far.

    ``hidden`` are the units of a layer, also the size of the embedding.
    """

    def __init__(self, tokens: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.hidden, self.layers = hidden, layers
        self.embedding = nn.Embedding(tokens, hidden)
        self.recurrent = nn.ModuleList(nn.LSTM(hidden, hidden) for _ in range(layers))
        self.output = nn.Linear(hidden, tokens)

    @property
    def lstms(self) -> list[nn.LSTM]:
        """The recurrent layers, bottom up."""
        return [layer for layer in self.recurrent if isinstance(layer, nn.LSTM)]

    def start(self, n: int) -> State:
        """Return the zero state of n texts before their first character."""
        zeros = torch.zeros(1, n, self.hidden)
        return [(zeros, zeros) for _ in range(self.layers)]

    def forward(
        self, tokens: Tensor, state: State, dropout: Callable[[Tensor], Tensor] | None = None
    ) -> tuple[Tensor, State]:
        """Return the output of the last layer at each token, (time, n, hidden), and the new state.

        ``dropout`` is applied to each layer's output to the one above, never through time (Zaremba
        et al. 2014).
        """
        x, after = self.embedding(tokens), []
        for layer, before in zip(self.recurrent, state, strict=True):
            x, new_state = layer(x, before)
            after.append(new_state)
            if dropout is not None:
                x = dropout(x)
        return x, after


@dataclass(frozen=True)
class Dropout:
    """Sets each number to zero with probability ``share``; the others grow to keep the mean."""

    share: float
    generator: torch.Generator = field(repr=False)

    def __call__(self, x: Tensor) -> Tensor:
        """Return ``x`` with dropout applied."""
        kept = torch.rand(x.shape, generator=self.generator) >= self.share
        return x * kept.to(x.dtype) / (1 - self.share)


def untrained(tokens: int, hidden: int, layers: int, seed: int) -> Network:
    """Make a network with PyTorch's initial weights, but open forget gates (bias 1)."""
    with seeded(seed), torch.no_grad():
        network = Network(tokens, hidden, layers)
        for name, weight in network.named_parameters():
            if "bias_ih" in name or "bias_hh" in name:  # together they are one bias
                weight[hidden : 2 * hidden] = 0.5
    return network.eval()


def detached(state: State) -> State:
    """Detach the state from its graph."""
    return [(h.detach(), c.detach()) for h, c in state]


_ROWS, _TIME = 128, 128  # of a batch: texts, and characters of each at a time
_LOGITS = 1 << 23  # largest number at a time
_STREAMS, _STREAM = 64, 2048  # of a long text: number at most, and characters at least


@torch.no_grad()
@flushed_denormals()
def score_texts(network: Network, texts: Sequence[Ids], newline: int) -> TextScores:
    """Compute the log-probability of each text, and how many characters were the likeliest.

    The first is predicted from a newline read in the state zero. Texts of about the same length are
    read together, 128 characters at a time; a text's value depends on the others by rounding alone.
    """
    nats, correct = np.zeros(len(texts)), np.zeros(len(texts), dtype=np.int64)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    for batch in _batches(lengths):  # the longest first
        state = network.start(len(batch))
        for first in range(0, int(lengths[batch[0]]), _TIME):
            rows = batch[lengths[batch] > first]
            state = [
                (h[:, : len(rows)].contiguous(), c[:, : len(rows)].contiguous()) for h, c in state
            ]
            inputs, targets = _window([texts[row] for row in rows], first, newline)
            output, state = network(inputs, state)
            for part, of_part in _parts(network, output, targets):
                logits = network.output(part)
                nats[rows] -= _costs_of(logits, of_part).sum(0, dtype=torch.float64).numpy()
                correct[rows] += (logits.argmax(2) == of_part).sum(0).numpy()
    return TextScores(nats, lengths, correct)


def _window(texts: Sequence[Ids], first: int, newline: int) -> tuple[Tensor, Tensor]:
    """Return inputs and targets of the next characters of texts, (time, n), from ``first`` on."""
    longest = min(_TIME, max(map(len, texts)) - first)
    inputs = np.full((longest, len(texts)), newline, dtype=np.int64)
    targets = np.full((longest, len(texts)), NO_TARGET, dtype=np.int64)
    for row, text in enumerate(texts):
        here = text[first : first + longest]
        before = text[max(first - 1, 0) : first + len(here) - 1]
        targets[: len(here), row] = here
        inputs[len(here) - len(before) : len(here), row] = before
    return torch.from_numpy(inputs), torch.from_numpy(targets)


def _parts(network: Network, output: Tensor, targets: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Split a window in time, so that logits take bounded memory whatever the vocabulary is."""
    size = max(1, _LOGITS // (output.shape[1] * network.output.out_features))
    return zip(output.split(size), targets.split(size), strict=True)


@torch.no_grad()
@flushed_denormals()
def mean_cost(network: Network, text: Tokens) -> float:
    """Compute the mean cost per character, in nats, of one long text read as several streams.

    Each stream begins in the state zero, after the character before it; at 2,048 characters or more
    little is lost by that.
    """
    cut = Cut(min(_STREAMS, max(1, len(text) // _STREAM)), _TIME)
    state, total = network.start(cut.streams), 0.0
    for tokens, targets in cut.read(text):
        output, state = network(tokens, state)
        total += float(_costs(network, output, targets).sum(dtype=torch.float64))
    return total / len(text)


@torch.no_grad()
@flushed_denormals()
def next_log_probs(network: Network, prefixes: Sequence[Ids], newline: int) -> NDArray[np.float64]:
    """Compute log-probabilities of the token after each prefix, (n, tokens) nats."""
    nats = np.empty((len(prefixes), network.output.out_features))
    for rows in _batches([len(prefix) for prefix in prefixes]):
        ends = torch.tensor([len(prefixes[row]) for row in rows])
        inputs, _ = _padded([np.append(prefixes[row], newline) for row in rows], newline)
        state = network.start(len(rows))
        last = torch.empty(len(rows), network.hidden)
        for first, tokens in enumerate(inputs.split(_TIME)):
            output, state = network(tokens, state)
            here = torch.nonzero(ends // _TIME == first).flatten()
            last[here] = output[ends[here] % _TIME, here]
        nats[rows] = network.output(last).double().log_softmax(1).numpy()
    return nats


@torch.no_grad()
@flushed_denormals()
def continuation_log_probs(
    network: Network, rows: Ids, first: int, newline: int
) -> NDArray[np.float64]:
    """Compute log-probabilities, (n, length - first, tokens) nats, at the last tokens of rows."""
    inputs, _ = _padded(list(rows), newline)
    output, _ = network(inputs, network.start(len(rows)))
    logits = network.output(output[first:]).double()
    return np.asarray(logits.log_softmax(-1).transpose(0, 1).numpy())


def _costs(network: Network, output: Tensor, targets: Tensor) -> Tensor:
    """Cost of each target, (time, n) nats; zero without a target."""
    return _costs_of(network.output(output), targets)


def _costs_of(logits: Tensor, targets: Tensor) -> Tensor:
    costs = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=NO_TARGET, reduction="none"
    )
    return costs.view(targets.shape)


def _batches(lengths: Sequence[int] | NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    for first in range(0, len(order), _ROWS):
        yield order[first : first + _ROWS]


def _padded(texts: Sequence[Ids], newline: int) -> tuple[Tensor, Tensor]:
    """Return inputs and targets, (longest, n): a newline precedes each text."""
    longest = max(1, *map(len, texts)) if texts else 1
    targets = np.full((longest, len(texts)), NO_TARGET, dtype=np.int64)
    for row, text in enumerate(texts):
        targets[: len(text), row] = text
    inputs = np.empty_like(targets)
    inputs[0] = newline
    inputs[1:] = np.where(targets[:-1] == NO_TARGET, newline, targets[:-1])
    return torch.from_numpy(inputs), torch.from_numpy(targets)
