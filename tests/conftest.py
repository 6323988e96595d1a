"""Nothing in a test is left to chance or to how busy the machine is."""

import itertools
import random
import sys

import hypothesis
import numpy as np
import pytest

hypothesis.settings.register_profile(
    "byrote",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("byrote")


collect_ignore = ["conftest.py"]  # no doctests here, and another folder's is a module of this name


class Numbered(np.random.SeedSequence):
    """Where nobody gives a seed, the next number of the test at hand."""

    numbers = itertools.count()

    def __init__(self, entropy=None, **more):
        super().__init__(next(self.numbers) if entropy is None else entropy, **more)


np.random.SeedSequence = Numbered


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Before any fixture: tests draw the same numbers alone, together and in any order."""
    Numbered.numbers = itertools.count()
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 (some estimators draw from it)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
