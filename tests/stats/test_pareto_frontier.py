"""The Pareto frontier against its definition, point by point."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from byrote.stats.pareto_frontier import pareto_frontier

NUMBERS = st.one_of(st.integers(0, 5).map(float), st.sampled_from([np.inf, -np.inf, np.nan]))


def dominates(a, b):
    return a[0] <= b[0] and a[1] <= b[1] and (a[0] < b[0] or a[1] < b[1])


@settings(max_examples=50)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=30))
def test_members_are_those_that_no_point_dominates(points):
    known = [i for i, point in enumerate(points) if not np.isnan(point).any()]
    members = [i for i in known if not any(dominates(points[j], points[i]) for j in known)]
    expected = sorted(members, key=lambda i: (points[i][0], i))
    found = pareto_frontier([p[0] for p in points], [p[1] for p in points])
    assert found.tolist() == expected


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=40))
def test_every_point_is_a_member_or_dominated_by_one(points):
    members = set(pareto_frontier([p[0] for p in points], [p[1] for p in points]).tolist())
    for i, point in enumerate(points):
        assert i in members or any(dominates(points[j], point) for j in members)


def test_without_points_there_is_no_frontier():
    assert pareto_frontier([], []).shape == (0,)
    assert pareto_frontier([np.nan], [1.0]).shape == (0,)
