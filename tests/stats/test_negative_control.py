"""Counts of control values and critical p-values by their definitions, with scipy's Student's t."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from byrote.stats.negative_control import ENDLESS, Control, upper_tail


def values(n, seed):
    """t-values under the null hypothesis, of few numbers of degrees of freedom."""
    generator = np.random.default_rng(seed)
    degrees = generator.choice([1.0, 4.5, np.inf], n)
    return generator.standard_t(3, n), degrees


def p_values(t, degrees):
    return stats.t.sf(t, np.minimum(degrees, ENDLESS))


def test_calibration_counts_control_values():
    t, degrees = values(199, seed=1)
    control, of_control = Control.of(t, degrees), p_values(t, degrees)
    nearby = np.concatenate([of_control * (1 + 1e-9), of_control * (1 - 1e-9)])
    p = np.concatenate([np.random.default_rng(1).random(50), nearby, [0.0, 1.0]])
    counted = (1 + (of_control[:, None] <= p).sum(axis=0)) / 200
    assert control.calibrate(p).tolist() == np.maximum(p, counted).tolist()
    assert len(control) == 199
    assert control.smallest == 1 / 200
    assert control.share_below(0.1) == (of_control <= 0.1).mean()
    endless = np.isinf(degrees)
    np.testing.assert_allclose(of_control[endless], stats.norm.sf(t[endless]), rtol=1e-5)


@given(st.integers(0, 1000), st.sampled_from([1.0, 4.5, np.inf]))
def test_counting_from_the_t_values_finds_the_same(seed, own_degrees):
    """Also where values are equal, and so far out that all their p-values are the smallest one."""
    t, degrees = values(80, seed)
    t = np.concatenate([t, np.repeat(t[:5], 3), 10.0 ** np.arange(1, 9)])
    degrees = np.concatenate([degrees, np.repeat(degrees[:5], 3), np.full(8, np.inf)])
    near = np.concatenate([t, t + 1e-12, [-1e9, 0.0, 1e9]])
    p = upper_tail(near, np.full(len(near), own_degrees))
    counted = (upper_tail(t, degrees)[:, None] <= p).sum(axis=0)
    found = Control.of(t, degrees).calibrate(p, near)
    assert found.tolist() == np.maximum(p, (1 + counted) / (1 + len(t))).tolist()


@given(st.integers(0, 1000), st.floats(0.001, 0.9))
def test_the_critical_value_is_the_largest_within_the_level(seed, level):
    t, degrees = values(60, seed)
    control, of_control = Control.of(t, degrees), p_values(t, degrees)
    critical = control.critical(level)
    tried = np.concatenate([of_control, of_control - 1e-10, [level, 1e-9]])
    passing = tried[control.calibrate(tried) <= level]
    assert critical == pytest.approx(passing.max(initial=0), abs=1e-9)
    assert critical == 0 or control.calibrate(np.array([critical]))[0] <= level + 1e-15
    opposite = Control.of(-t, degrees).critical(level)
    assert control.critical(level, upper=True) == pytest.approx(opposite, abs=1e-12)
