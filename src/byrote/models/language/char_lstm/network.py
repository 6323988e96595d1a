"""The network: embedded characters, layers of long short-term memory, a softmax over characters.

Hochreiter & Schmidhuber (1997), with forget gates: for each layer, x its input and h its output,

    (i, f, g, o) = W x + U h' + b,   c = sigm(f) c' + sigm(i) tanh(g),   h = sigm(o) tanh(c)

where h' and c' are those of the character before.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from byrote.models.torch_utils import seeded

State = list[tuple[Tensor, Tensor]]  # h and c of each layer, (1, n, hidden) both


class Network(nn.Module):
    """Logits of the next character from those so far, of ``tokens`` characters.

    ``hidden`` are the units of a layer, which is also the size of the embedding.
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
        """The zero state of n texts before their first character."""
        zeros = torch.zeros(1, n, self.hidden)
        return [(zeros, zeros) for _ in range(self.layers)]

    def forward(
        self, tokens: Tensor, state: State, dropout: Callable[[Tensor], Tensor] | None = None
    ) -> tuple[Tensor, State]:
        """Output of the last layer after each token, (time, n, hidden), and the new state.

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


def untrained(tokens: int, hidden: int, layers: int, seed: int) -> Network:
    """A network with PyTorch's initial weights, but open forget gates (bias 1)."""
    with seeded(seed), torch.no_grad():
        network = Network(tokens, hidden, layers)
        for name, weight in network.named_parameters():
            if "bias_ih" in name or "bias_hh" in name:  # together they are one bias
                weight[hidden : 2 * hidden] = 0.5
    return network.eval()


def detached(state: State) -> State:
    """The state detached from its graph."""
    return [(h.detach(), c.detach()) for h, c in state]
