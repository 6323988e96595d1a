"""A little of ``kills.py``: killed with every combination of options, a run ends with the same
bits, and nothing stays behind."""

import os

import pytest

from kills import Attack

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of fork in a process with threads
]


@pytest.fixture
def attack(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return lambda seed: Attack(tmp_path, seed)


def test_nothing_differs_and_nothing_stays(attack):
    under_attack = attack(seed=5)
    assert [each for _ in range(12) for each in under_attack.trial()] == []
    assert under_attack.ended >= 6


def test_nothing_differs_and_nothing_stays_of_worker_processes(attack):
    assert attack(seed=6).trial(workers=2) == []
