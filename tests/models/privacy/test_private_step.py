"""The private step against gradients of one record at a time, clipped by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from byrote.models.privacy.accounting import Account
from byrote.models.privacy.step import PrivateStep

LEARNING_RATE = 0.5


class Shared(nn.Module):
    """A layer that Opacus has no sampler for."""

    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(0.3))

    def forward(self, x):
        return x * self.value


def linear():
    return nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3))


# A network, the shape of a record, and how its gradients are had.
NETWORKS = {
    "linear": (linear, (5,), "ghost"),
    "sequences": (linear, (7, 5), "ghost"),
    "words": (lambda: nn.Sequential(nn.Embedding(6, 3), nn.Linear(3, 2)), (7,), "ghost"),
    "convolution": (
        lambda: nn.Sequential(nn.Conv2d(2, 16, 4, stride=2, padding=1), nn.Conv2d(16, 16, 4)),
        (2, 8, 8),
        "ghost",
    ),
    "a grid that does not fit": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 3, 3, stride=2, dilation=2), nn.Conv2d(3, 2, 2, stride=2)
        ),
        (2, 10, 9),
        "ghost",
    ),
    "transposed": (
        lambda: nn.Sequential(
            nn.ConvTranspose2d(2, 8, 2),
            nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1, output_padding=1, bias=False),
        ),
        (2, 1, 2),
        "ghost",
    ),
    "group norm": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4), nn.Conv2d(4, 2, 3), nn.GroupNorm(1, 2)
        ).to(memory_format=torch.channels_last),
        (2, 8, 8),
        "ghost",
    ),
    "convolution in groups": (
        lambda: nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.Conv2d(4, 2, 3)),
        (2, 8, 8),
        "per-example",
    ),
    "layer norm": (lambda: nn.Sequential(nn.Linear(5, 4), nn.LayerNorm(4)), (5,), "per-example"),
    "a layer of one's own": (lambda: nn.Sequential(nn.Linear(5, 4), Shared()), (5,), "per-example"),
    "a layer that is not trained": (
        lambda: nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3).requires_grad_(False)),
        (5,),
        "ghost",
    ),
}


def a_network(name):
    make, shape, gradients = NETWORKS[name]
    torch.manual_seed(0)
    return make(), shape, gradients


def records(name, n, shape):
    return torch.randint(6, (n, *shape)) if name == "words" else torch.randn(n, *shape)


def losses_of(network):
    return lambda x: (network(x) ** 2).flatten(1).sum(dim=1)


def stepped(network, batch, *, noise=0.0, norm=1.0, records=10, seed=0, losses=None):
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    account = Account(noise, 0.5, 2, records, 1)
    generator = torch.Generator().manual_seed(seed)
    step = PrivateStep(network, optimizer, account, max_grad_norm=norm, generator=generator)
    total = step(losses or losses_of(network), *batch)
    return total, step


def change(network, run):
    before = [p.detach().clone() for p in network.parameters()]
    run()
    return [
        (old - new.detach()) / LEARNING_RATE
        for old, new in zip(before, network.parameters(), strict=True)
    ]


def by_hand(network, x, *, norm, denominator):
    """Autograd, one record at a time."""
    trained = [p for p in network.parameters() if p.requires_grad]
    total = [torch.zeros_like(p, dtype=torch.float64) for p in trained]
    for row in range(len(x)):
        own = torch.autograd.grad(losses_of(network)(x[row : row + 1]).sum(), trained)
        length = float(torch.cat([g.flatten() for g in own]).double().norm())
        for sums, gradient in zip(total, own, strict=True):
            sums.add_(gradient.double(), alpha=min(1.0, norm / length))
    found = iter(total)
    return [
        next(found) / denominator if p.requires_grad else torch.zeros_like(p)
        for p in network.parameters()
    ]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("norm", [0.05, 3.0, 1e6])
def test_the_update_is_that_of_gradients_clipped_one_by_one(name, norm):
    network, shape, gradients = a_network(name)
    x = records(name, 9, shape)
    expected = by_hand(network, x, norm=norm, denominator=5)
    found = change(network, lambda: stepped(network, (x,), norm=norm))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=2e-4, atol=2e-6)
    assert stepped(network, (x,))[1].gradients == gradients
