"""The private step against gradients of one record at a time, clipped by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from byrote.errors import InvalidInput
from byrote.models.privacy import gradient_norms
from byrote.models.privacy.accountants import NoiseSchedule
from byrote.models.privacy.dp_sgd import PrivateStep

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
    schedule = NoiseSchedule(noise, 0.5, 2, records, 1)
    generator = torch.Generator().manual_seed(seed)
    step = PrivateStep(network, optimizer, schedule, max_grad_norm=norm, generator=generator)
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


def assert_same(found, expected, network):
    """Equal but for rounding to float32, whatever the order of sums.

    Gradients of all parameters come from sums of like size, and are wrong by so many units in the
    last place of the whole: where they cancel, a parameter's own gradient may be less. And they are
    read from weights before and after a step, each rounded.
    """
    unit = float(np.finfo(np.float32).eps)
    whole = float(torch.cat([g.flatten().double() for g in expected]).norm())
    largest = max(float(p.detach().abs().max()) for p in network.parameters())
    tolerance = 50 * unit * whole + 4 * unit * largest / LEARNING_RATE
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("norm", [0.05, 3.0, 1e6])
def test_the_update_is_that_of_gradients_clipped_one_by_one(name, norm):
    network, shape, gradients = a_network(name)
    x = records(name, 9, shape)
    expected = by_hand(network, x, norm=norm, denominator=5)
    found = change(network, lambda: stepped(network, (x,), norm=norm))
    assert_same(found, expected, network)
    assert stepped(network, (x,))[1].gradients == gradients


class Twice(nn.Module):
    """One layer, called twice."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(5, 5)

    def forward(self, x):
        return self.layer(torch.tanh(self.layer(x)))


def test_gradients_of_a_layer_that_is_called_twice_are_added_before_they_are_clipped():
    torch.manual_seed(0)
    network, x = Twice(), torch.randn(9, 5)
    expected = by_hand(network, x, norm=1.0, denominator=5)
    assert_same(change(network, lambda: stepped(network, (x,))), expected, network)


def test_large_batches_go_through_in_parts():
    network, shape, _ = a_network("linear")
    x = torch.randn(1100, *shape)
    expected = by_hand(network, x, norm=0.5, denominator=5)
    assert_same(change(network, lambda: stepped(network, (x,), norm=0.5)), expected, network)


@pytest.mark.parametrize("norm", [0.5, 3.0])
def test_one_record_more_changes_the_sum_by_the_norm_at_most(norm):
    network, shape, _ = a_network("linear")
    x = 10 * torch.randn(20, *shape)
    start = {name: p.clone() for name, p in network.state_dict().items()}
    sums = []
    for rows in (x, x[:-1]):
        network.load_state_dict(start)
        found = change(network, lambda rows=rows: stepped(network, (rows,), norm=norm))
        sums.append(torch.cat([g.flatten() for g in found]).double() * 5)
    distance = float((sums[0] - sums[1]).norm())
    assert distance == pytest.approx(norm, rel=1e-4)  # a record far out reaches it


def test_an_empty_batch_is_noise_alone_of_the_right_size():
    network = nn.Linear(300, 300)
    nothing = torch.zeros(0, 300)
    found = change(network, lambda: stepped(network, (nothing,), noise=2.0, norm=3.0))
    noise = torch.cat([g.flatten() for g in found]).double()
    assert float(noise.std()) == pytest.approx(2.0 * 3.0 / 5, rel=0.01)
    assert abs(float(noise.mean())) < 4 * float(noise.std()) / len(noise) ** 0.5
    total, _ = stepped(network, (nothing,))
    assert float(total) == 0


def test_the_seed_decides_the_noise():
    weights = []
    for seed in (0, 0, 1):
        network, shape, _ = a_network("linear")
        stepped(network, (torch.ones(3, *shape),), noise=1.0, seed=seed)
        weights.append(network[0].weight.detach().clone())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize("seed", range(5))
def test_where_large_parts_cancel_a_norm_is_not_taken_for_less_than_it_is(seed):
    generator = torch.Generator().manual_seed(seed)
    layer = nn.Conv2d(32, 32, 1, bias=False)
    x, gradient = (1e6 * torch.randn(1, 32, 2, 2, generator=generator) for _ in range(2))
    x[..., 1, :], gradient[..., 1, :] = x[..., 0, :] * (1 + 1e-6), -gradient[..., 0, :]
    rows = (x.double().flatten(2)[0], gradient.double().flatten(2)[0])
    true = float((rows[1] @ rows[0].T).norm())
    assert float(gradient_norms.of_convolution(layer, [x], gradient)[layer.weight]) >= 0.99 * true


@pytest.mark.parametrize("groups", [1, 2])
def test_norms_do_not_depend_on_the_memory_layout(groups):
    layer = nn.Conv2d(4, 6, 4, stride=2, padding=1, groups=groups)
    layer, x = (
        value.to(memory_format=torch.channels_last) for value in (layer, torch.rand(3, 4, 8, 8))
    )
    layers = gradient_norms.Layers(layer)
    loss, outputs = layers.outputs(lambda: layer(x).square().flatten(1).sum(dim=1))
    norms = layers.norms(torch.autograd.grad(loss.sum(), outputs, retain_graph=True))
    for row, value in enumerate(loss):
        parts = torch.autograd.grad(value, list(layer.parameters()), retain_graph=True)
        expected = torch.cat([part.flatten() for part in parts]).norm()
        assert norms[row] == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("rows", [slice(0, 9), slice(0, 1)])
def test_a_record_without_a_finite_gradient_is_left_out(rows):
    network, shape, _ = a_network("linear")
    x = torch.randn(9, *shape)[rows]
    x[0, 0] = 1e30
    expected = by_hand(network, x[1:], norm=1.0, denominator=5)
    assert_same(change(network, lambda: stepped(network, (x,))), expected, network)


def test_a_step_gives_the_losses_summed_and_leaves_the_network_as_it_was():
    network, shape, _ = a_network("a layer of one's own")
    x = torch.randn(9, *shape)
    expected = float(losses_of(network)(x).detach().sum())
    attributes = {name: set(vars(m)) for name, m in network.named_modules()}
    assert float(stepped(network, (x,))[0]) == pytest.approx(expected)
    assert {name: set(vars(m)) for name, m in network.named_modules()} == attributes
    assert not any(m._forward_hooks or m._backward_hooks for m in network.modules())
    assert all(p.grad is None for p in network.parameters())


class Bare(nn.Module):
    """A parameter that no layer is called for."""

    def __init__(self):
        super().__init__()
        self.layer, self.scale = nn.Linear(5, 4), Shared()

    def forward(self, x):
        return self.layer(x) * self.scale.value


def tied():
    network = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 5))
    network[1].weight = network[0].weight
    return network


REFUSED = {
    "shared weights": (tied(), "shares a parameter"),
    "batch norm": (nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4)), "BatchNorm1d"),
    "batch norm without memory": (
        nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4, track_running_stats=False)),
        "statistics of batches",
    ),
    "a parameter beside the layers": (Bare(), "outside its forward"),
    "two outputs": (nn.LSTM(5, 3), "more than one tensor"),
    "a shape without norms": (
        nn.Sequential(nn.Unflatten(1, (1, 1, 5)), nn.Linear(5, 2)),
        "norms are not known",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_kept_apart_is_refused(case):
    network, fragment = REFUSED[case]
    with pytest.raises(InvalidInput, match=f"dp must be None.*{fragment}"):
        stepped(network, (torch.randn(4, 5),))
