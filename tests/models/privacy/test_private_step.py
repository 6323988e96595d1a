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


NETWORKS = {
    "linear": (lambda: nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)), (5,), "ghost"),
    "sequences": (
        lambda: nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)),
        (7, 5),
        "ghost",
    ),
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


def losses_of(network):
    return lambda x: (network(x) ** 2).flatten(1).sum(dim=1)


def stepped(network, batch, *, noise=0.0, norm=1.0, records=10, seed=0, losses=None):
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    account = Account(noise, 0.5, 2, records, 1)
    generator = torch.Generator().manual_seed(seed)
    with PrivateStep(network, optimizer, account, max_grad_norm=norm, generator=generator) as step:
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
    x = torch.randn(9, *shape)
    expected = by_hand(network, x, norm=norm, denominator=5)
    found = change(network, lambda: stepped(network, (x,), norm=norm))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=2e-4, atol=2e-6)
    assert stepped(network, (x,))[1].gradients == gradients
