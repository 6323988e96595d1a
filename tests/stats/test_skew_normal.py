"""The skew-normal distribution against high-precision integrals, closed forms and scipy."""

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import log_ndtr, ndtr
from scipy.stats import skewnorm

from byrote.stats import skew_normal

SHAPES = [0.0, 1e-3, 1.0, 4.0, 30.0, -0.3, -4.0, -100.0]
POINTS = [-60.0, -10.0, -1.001, -0.999, -0.2, 0.5]


def in_bits(shape, z):
    return -skew_normal.log_lower_tail(z, 0.0, 1.0, shape) / np.log(2)


def integral(shape, z):
    """log P(Z <= z), from the density, at 15 digits, far pieces first."""
    with mpmath.workdps(15):
        z, shape = mpmath.mpf(z), mpmath.mpf(shape)
        fall = 1 / (1 + abs(z) * (1 + max(shape, 0) ** 2))
        pieces = [z - k * fall for k in (100, 50, 25, 12, 6, 3, 1, 0)]
        if z > 0:  # the factor with the shape rises about 0
            pieces = [-15, -4, -1, -0.2, -0.04, 0, 0.04, 0.2, z]
        return float(
            mpmath.log(mpmath.quad(lambda t: 2 * mpmath.npdf(t) * mpmath.ncdf(shape * t), pieces))
        )


@pytest.mark.parametrize("shape", SHAPES)
def test_the_lower_tail_is_the_integral_of_the_density(shape):
    found = skew_normal.log_lower_tail(np.array(POINTS), 0.0, 1.0, shape)
    expected = [integral(shape, z) for z in POINTS]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    ("shape", "z", "bits"), [(0, -6, 29.916834), (1, -5, 43.468397), (4, -1, 20.221450)]
)
def test_known_tails(shape, z, bits):
    assert in_bits(shape, z) == pytest.approx(bits, abs=5e-7)


def test_tails_with_closed_forms():
    z = np.linspace(-70, 6, 400)
    np.testing.assert_allclose(
        skew_normal.log_lower_tail(z, 0, 1, 0), log_ndtr(z), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(
        skew_normal.log_lower_tail(z, 0, 1, 1), 2 * log_ndtr(z), rtol=1e-9, atol=1e-12
    )  # the larger of two normals


def test_many_points_are_those_one_by_one():
    z = np.linspace(-20, 3, 20_001)
    together = skew_normal.log_lower_tail(z, 1.0, 2.0, -0.7)
    alone = [float(skew_normal.log_lower_tail(x, 1.0, 2.0, -0.7)) for x in z[::1000]]
    np.testing.assert_allclose(together[::1000], alone, rtol=1e-14)
    assert (np.diff(together) > 0).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_density_and_plain_tail_are_scipys(shape):
    x = np.linspace(-3, 12, 61)
    arguments = (4.0, 2.5, shape)
    scipys = skewnorm(shape, 4.0, 2.5)
    np.testing.assert_allclose(skew_normal.density(x, *arguments), scipys.pdf(x), rtol=1e-10)
    np.testing.assert_allclose(skew_normal.lower_tail(x, *arguments), scipys.cdf(x), atol=1e-12)
    assert quad(lambda t: skew_normal.density(t, *arguments), -40, 40, points=[4])[0] == (
        pytest.approx(1)
    )


def test_the_ratio_of_mills_never_overflows():
    u = np.array([-1e8, -40.0, -1.0, 0.0, 3.0, 50.0, 1e8])
    with np.errstate(all="raise", under="ignore"):
        found = skew_normal.mills(u)
    assert found[0] == pytest.approx(1e8)
    density = np.exp(-0.5 * u[2:5] ** 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(found[2:5], density / ndtr(u[2:5]), rtol=1e-12)
    assert (found[5:] == 0).all()
