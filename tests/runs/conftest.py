"""A process that shares nothing with this one."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

import late_torch


@pytest.fixture(scope="session")
def new_interpreter(tmp_path_factory):
    """A new interpreter, and what it does first: resume a run, and load torch in its middle."""
    store = tmp_path_factory.mktemp("late") / "run"
    whole = late_torch.begin(store)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        yield executor, (whole, executor.submit(late_torch.resume, store))


@pytest.fixture(scope="session")
def another_process(new_interpreter):
    """The new interpreter, which imports what it needs once for all tests."""
    return new_interpreter[0]


@pytest.fixture(scope="session")
def resumed_elsewhere(new_interpreter):
    """The scores of a run, and those to come of the same run resumed by the new interpreter."""
    return new_interpreter[1]
