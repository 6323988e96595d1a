"""A little of ``kills.py``: killed with every combination of options, a run ends with the same
bits, and nothing stays behind."""

import os
import tempfile

import pytest

from kills import Attack

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of fork in a process with threads
]


@pytest.fixture(scope="module")
def attack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attack")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        yield Attack(folder, seed=5)


def test_nothing_differs_and_nothing_stays(attack):
    assert [each for _ in range(6) for each in attack.trial()] == []
    assert attack.ended >= 3


@pytest.mark.usefixtures("forked_workers")
def test_nothing_differs_and_nothing_stays_of_worker_processes(attack):
    assert [each for _ in range(3) for each in attack.trial(workers=2, most=2)] == []
