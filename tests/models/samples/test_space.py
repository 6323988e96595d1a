"""Spaces: nearest records with their ties by brute force, and resolutions."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from byrote.errors import InvalidInput
from byrote.models.samples.space import space_of


@pytest.mark.parametrize("levels", [2, 3, 1000])
@pytest.mark.parametrize("kind", ["arrays", "frames"])
def test_ties_are_all_references_at_the_smallest_distance(levels, kind):
    generator = np.random.default_rng(0)
    first, second = (generator.integers(0, levels, (n, 3)).astype(float) for n in (40, 130))
    distances = cdist(first, second)
    if kind == "frames":
        spans = np.ptp(np.concatenate([first, second]), axis=0)
        distances = cdist(first / spans, second / spans, "cityblock") / 3
        first, second = (pd.DataFrame(x, columns=list("abc")) for x in (first, second))
    space = space_of(x=first, y=second)
    found, query, reference = space.nearest_ties(space.rows("x", first), space.rows("y", second))
    assert np.allclose(found, np.sort(distances, axis=1)[:, :2])
    expected = np.argwhere(distances <= distances.min(axis=1, keepdims=True) * (1 + 1e-9))
    order = np.lexsort((reference, query))
    assert np.array_equal(np.stack([query, reference], axis=1)[order], expected)


def test_with_a_single_reference_the_second_is_infinitely_far():
    space = space_of(x=np.zeros((2, 1)))
    rows = space.rows("x", np.array([[0.0], [3.0]]))
    distances, query, reference = space.nearest_ties(rows, space.rows("y", np.zeros((1, 1))))
    assert distances.tolist() == [[0.0, np.inf], [3.0, np.inf]]
    assert (query.tolist(), reference.tolist()) == ([0, 1], [0, 0])


def test_the_resolution_is_the_smallest_distance_of_records_that_can_differ():
    numbers = pd.DataFrame({"a": [0, 4, 10], "b": [1.0, np.nan, 1.5]})
    assert space_of(x=numbers).resolution == pytest.approx(min(0.4, 1.0) / 2)
    assert space_of(x=numbers.assign(c=[*"xyx"])).resolution == pytest.approx(0.4 / 3)
    rounding = np.array([[0.1 + 0.2], [0.3], [5.3]])
    assert space_of(x=rounding).resolution == pytest.approx(5.0)


def test_arrays_and_frames_are_not_mixed():
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    with pytest.raises(InvalidInput, match="y must be a data frame, as x is; got ndarray"):
        space_of(x=frame, y=np.zeros((2, 1)))
