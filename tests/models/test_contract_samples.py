"""Samples from any model's ``sample``."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote
from byrote.models.sampling import draw_samples

X = np.random.default_rng(0).normal(size=(30, 6))


class Returns:
    def __init__(self, value):
        self.value = value

    def sample(self, n):
        return self.value


def test_rows_pairs_and_images():
    mixture = GaussianMixture(2, random_state=1).fit(X)
    assert np.array_equal(draw_samples(mixture, 7, (2, 3)).reshape(7, 6), mixture.sample(7)[0])
    density = KernelDensity().fit(X)
    assert draw_samples(density, 1, (6,)).shape == (1, 6)
    images = np.arange(24.0).reshape(2, 2, 6)
    assert np.array_equal(draw_samples(Returns(images), 2, (2, 6)), images)


def test_integers_are_numbers_unless_the_model_takes_pixels():
    binary = np.eye(4, dtype=np.uint8)
    assert draw_samples(Returns(binary), 4, (2, 2)).dtype == np.float64
    pixels = Returns(binary)
    pixels.takes_pixels = True
    assert draw_samples(pixels, 4, (2, 2)).dtype == np.uint8


BAD = {
    "none": (object(), "object does not"),
    "few": (Returns(np.zeros((3, 6))), "must give 4 records of shape (2, 3); got float64 (3, 6)"),
    "text": (Returns(np.full((4, 6), "a")), "must give 4 records"),
    "nan": (Returns(np.full((4, 6), np.nan)), "must be finite"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_sample_is_refused(case):
    model, message = BAD[case]
    with pytest.raises(byrote.InvalidInput) as raised:
        draw_samples(model, 4, (2, 3))
    assert message in str(raised.value)
