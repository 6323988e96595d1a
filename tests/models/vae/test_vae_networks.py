"""The networks of Table 1: layers, counts of parameters, shapes."""

import numpy as np
import pytest
import torch
from torch import nn

from byrote.models.vae.autoencoder import Convolutional, FullyConnected, build


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_network_of_table_1_for_mnist():
    network = FullyConnected(1024, 16)
    encoder = (1024 * 512 + 512) + (512 * 256 + 256) + 2 * (256 * 16 + 16)
    decoder = (16 * 256 + 256) + (256 * 512 + 512) + (512 * 1024 + 1024)
    assert encoder + decoder == 1_325_600
    assert count(network) == 1_325_600
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == [
        *[(1024, 512), (512, 256), (256, 16), (256, 16)],
        *[(16, 256), (256, 512), (512, 1024)],
    ]
    assert sum(isinstance(layer, nn.ReLU) for layer in network.modules()) == 4


def counted(C, L, F, outputs):
    """Table 1 by hand: kernels of 4 x 4, the starred one of 2 x 2; batch norm has two per map."""
    convolutions = 16 * (C * F + F * 2 * F + 2 * F * 4 * F + 4 * F * 8 * F)
    encoder = convolutions + 2 * (2 * F + 4 * F + 8 * F) + 2 * (32 * F * L + L)
    transposed = 4 * L * 8 * F + 16 * (8 * F * 4 * F + 4 * F * 2 * F + 2 * F * F + F * outputs)
    decoder = transposed + 2 * (8 * F + 4 * F + 2 * F + F)
    return encoder + decoder


TABLE = {  # channels, latent, likelihood: outputs per pixel, parameters
    "CIFAR-10": (3, 64, "gaussian", 6, 1_579_456),
    "CelebA": (3, 32, "shared-gaussian", 3, 1_479_553),
    "grey": (1, 16, "bernoulli", 1, 1_428_320),
    "levels": (3, 64, "logistic-mixture", 70, 1_612_224),
}


@pytest.mark.parametrize(("C", "L", "likelihood", "outputs", "total"), TABLE.values(), ids=TABLE)
def test_the_network_of_table_1_for_colour_images(C, L, likelihood, outputs, total):
    model = build(
        "convolutional", likelihood, channels=C, pixels=1024, latent_dim=L, hidden=(), features=32
    )
    learned = likelihood == "shared-gaussian"
    assert model.likelihood.outputs == outputs
    assert counted(C, L, 32, outputs) + learned == total
    assert count(model) == total
    model.eval()
    mean, log_variance = model.encode(torch.zeros(2, C * 1024))
    assert mean.shape == log_variance.shape == (2, L)
    assert model.network.decode(torch.zeros(5, 2, L)).shape == (5, 2, outputs * 1024)
    assert model.log_likelihood(torch.zeros(2, C * 1024), torch.zeros(5, 2, L)).shape == (5, 2)


def test_the_layers_of_table_1():
    network = Convolutional(3, 64, 32, 6)
    found = [
        (type(m).__name__, m.in_channels, m.out_channels, m.kernel_size, m.stride, m.padding)
        for m in network.modules()
        if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)
    ]
    strided = ((4, 4), (2, 2), (1, 1))
    assert found == [
        *[("Conv2d", *ends, *strided) for ends in ((3, 32), (32, 64), (64, 128), (128, 256))],
        ("ConvTranspose2d", 64, 256, (2, 2), (1, 1), (0, 0)),
        *[
            ("ConvTranspose2d", *ends, *strided)
            for ends in ((256, 128), (128, 64), (64, 32), (32, 6))
        ],
    ]
    kinds = [type(layer).__name__ for layer in network.body]
    block = ["Conv2d", "BatchNorm2d", "LeakyReLU"]
    assert kinds == ["Conv2d", "LeakyReLU", *block * 3, "Flatten"]
    kinds = [type(layer).__name__ for layer in network.trunk]
    assert kinds == ["ConvTranspose2d", "BatchNorm2d", "ReLU"] * 4
    slopes = {m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.2}


def test_sizes_on_the_way():
    network, sizes = Convolutional(3, 5, 4, 6).eval(), []
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.register_forward_hook(lambda m, _, out: sizes.append(tuple(out.shape[1:])))
    mean, _ = network.encode(torch.zeros(1, 3072))
    network.decode(mean)
    assert sizes[:4] == [(4, 16, 16), (8, 8, 8), (16, 4, 4), (32, 2, 2)]
    assert sizes[4:] == [(32, 2, 2), (16, 4, 4), (8, 8, 8), (4, 16, 16), (6, 32, 32)]
    assert network.width == 6 * 1024
    assert Convolutional(1, 5, 32, 1).width == 32 * 256


def test_shapes_of_fully_connected_networks():
    network = FullyConnected(12, 3, (7, 5))
    mean, log_variance = network.encode(torch.zeros(4, 12))
    assert mean.shape == log_variance.shape == (4, 3)
    assert network.decode(torch.zeros(4, 3)).shape == (4, 12)
    assert network.decode(torch.zeros(2, 4, 3)).shape == (2, 4, 12)
    assert FullyConnected(12, 3, (7,), outputs=24).decode(torch.zeros(4, 3)).shape == (4, 24)


def test_decoder_and_encoder_have_no_nonlinearity_at_their_ends():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = FullyConnected(6, 2, (9, 5))
        z = torch.randn(50, 2)
        x = torch.rand(50, 6)
    value = z.double().numpy()
    for layer in network.decoder_layers():
        weight, bias = (part.detach().double().numpy() for part in (layer.weight, layer.bias))
        before = value @ weight.T + bias
        value = np.maximum(before, 0)
    np.testing.assert_allclose(network.decode(z).detach(), before, rtol=1e-4, atol=1e-5)
    mean, _ = network.encode(x)
    assert mean.min() < 0 < mean.max()
