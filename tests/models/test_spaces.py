"""Transforms and spaces: invertible, with the determinants that autograd finds."""

import numpy as np
import pytest
import torch
from scipy.special import expit, logit
from scipy.stats import kstest

from byrote.models import spaces
from byrote.models.spaces import (
    SPACES,
    Binary,
    Levels,
    Logit,
    Space,
    as_single,
    content_uniforms,
)


def fresh(space, values):
    return space.enter(values, space.noise(values.shape, generator()))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pixels(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_dequantized_pixels_are_found_again():
    x = torch.arange(256).repeat(50).float() / 255
    noise = torch.rand(x.shape, generator=generator())
    noise[:512] = torch.tensor([0.0, 1 - 2.0**-24]).repeat_interleave(256)
    u = spaces.dequantize(x, noise)
    assert u.min() >= 0
    assert u.max() <= 1
    found = spaces.quantize(u)
    inside = (noise > 1e-4) & (noise < 1 - 1e-4)  # at the edge of a step, float32 may round
    torch.testing.assert_close(found[inside], x[inside])
    assert (found - x).abs().max() < 1.01 / 255
    np.testing.assert_allclose(u, (255 * x.double() + noise.double()) / 256, atol=1e-6)


def test_the_logit_is_scipys_and_invertible():
    u = torch.linspace(0, 1, 1001, dtype=torch.float64)
    y = spaces.to_logit(u)
    np.testing.assert_allclose(y, logit(0.05 + 0.9 * u.numpy()))
    torch.testing.assert_close(spaces.from_logit(y), u)
    np.testing.assert_allclose(spaces.from_logit(y), (expit(y.numpy()) - 0.05) / 0.9)


def test_the_determinant_is_autograds():
    x = torch.tensor(pixels(6, 5) / 255, dtype=torch.float64)
    noise = torch.rand(x.shape, generator=generator(), dtype=torch.float64)

    def forward(steps):  # from steps of 1/255 to the logits
        return spaces.to_logit(spaces.dequantize(steps / 255, noise[0]))

    for row, uniform in zip(x, noise, strict=True):
        noise[0] = uniform
        jacobian = torch.autograd.functional.jacobian(forward, row * 255)
        expected = torch.linalg.slogdet(jacobian).logabsdet
        found = spaces.logit_log_determinant(forward(row * 255))
        torch.testing.assert_close(found, expected)


def test_the_determinant_is_that_of_facts():
    """log p(x) = log p_y(y) + D log(1 - 2 lambda) - D log 256 - sum(y - 2 softplus(y))."""
    y = torch.randn(4, 30, generator=generator(), dtype=torch.float64) * 3
    softplus = np.logaddexp(0, y.numpy())
    expected = 30 * np.log(0.9) - 30 * np.log(256) - (y.numpy() - 2 * softplus).sum(axis=1)
    np.testing.assert_allclose(spaces.logit_log_determinant(y), expected)


def test_a_density_of_pixels_sums_to_one_over_steps():
    """Uniform logits' density in u is that of pixels times 256."""
    space = Logit((1,))
    steps = np.arange(256, dtype=np.uint8).reshape(-1, 1, 1).repeat(64, axis=1).reshape(-1, 1, 1)
    y, determinant = fresh(Logit((1, 1)), space.values(steps.reshape(-1, 1)))
    u = expit(y.double().numpy()[:, 0])
    density = u * (1 - u) / 0.9  # of logits, were u uniform on [0.05, 0.95]
    mass = np.exp(np.log(density) + determinant.double().numpy())
    np.testing.assert_allclose(mass, 1 / 256, rtol=1e-4)


SHAPES = [(6,), (4, 3), (4, 3, 1), (4, 3, 3)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_channels_come_first_and_go_back(shape):
    space = Space(shape)
    x = np.random.default_rng(0).normal(size=(5, *shape)).astype(np.float32)
    values = space.values(x)
    assert values.shape == (5, np.prod(shape))
    np.testing.assert_array_equal(space.records(values), x)
    if len(shape) == 3:
        first = np.moveaxis(x, -1, 1)
        np.testing.assert_array_equal(values, first.reshape(5, -1))


def test_bytes_are_255ths_to_the_bit():
    every = np.arange(256, dtype=np.uint8)
    for fractions in (every / 255, every.astype(np.float32) / 255):
        np.testing.assert_array_equal(as_single(every), fractions.astype(np.float32))
    given = np.ones((2, 3), dtype=np.float32)
    assert as_single(given) is given


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 3)], ids=str)
def test_records_come_back(name, shape):
    space, x = SPACES[name](shape), pixels(50, *shape)
    if name == "binary":
        x = (x > 128).astype(np.uint8) * 255
    seen, determinant = fresh(space, space.values(x))
    assert seen.dtype == torch.float32
    assert determinant.shape == (50,)
    found = space.records(space.leave(seen))
    np.testing.assert_allclose(found, x / 255, atol=1e-6)
    if name != "logit":
        assert (determinant == 0).all()


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 3)], ids=str)
def test_the_fixed_draw_is_the_records_own(name, shape):
    space, x = SPACES[name](shape), pixels(20, *shape)
    seen, determinant = space.fixed(x, 3)
    again, _ = space.fixed((x / 255)[7:9], 3)
    torch.testing.assert_close(again, seen[7:9], rtol=0, atol=0)
    anew, _ = fresh(space, space.values(x))
    other, _ = space.fixed(x, 4)
    for draw in (anew, other):
        assert (draw != seen).any() == (name in ("binary", "logit"))
    assert determinant.shape == (20,)


def test_the_fixed_binary_draw_is_of_the_records_uniforms():
    x = np.random.default_rng(0).random((9, 4, 3, 2), dtype=np.float32)
    seen, _ = Binary((4, 3, 2)).fixed(x, 5)
    expected = content_uniforms(x.reshape(9, -1), 5).reshape(x.shape) < x
    np.testing.assert_array_equal(Binary((4, 3, 2)).records(seen), expected)


def test_the_fixed_dequantization_shares_its_uniforms():
    x = pixels(9, 4, 3, 2)
    seen, _ = Logit((4, 3, 2)).fixed(x, 5)
    u = spaces.from_logit(seen).reshape(9, 2, 12).transpose(1, 2).reshape(9, -1).numpy()
    noise = 256 * u - x.reshape(9, -1)
    expected = content_uniforms((x / 255).astype(np.float32).reshape(9, -1), 5)
    np.testing.assert_allclose(noise, expected, atol=1e-3)


def test_dequantization_is_uniform():
    space = Logit((8, 8))
    seen, _ = fresh(space, space.values(np.full((500, 8, 8), 100, dtype=np.uint8)))
    noise = 256 * spaces.from_logit(seen.double()) - 100
    assert kstest(noise.numpy().ravel(), "uniform").pvalue > 1e-3


def test_levels_lie_from_minus_one_to_one():
    every = np.arange(256, dtype=np.uint8)[:, None]
    seen, _ = fresh(Levels((1,)), Levels((1,)).values(every))
    np.testing.assert_allclose(seen[:, 0], np.linspace(-1, 1, 256), atol=1e-7)
