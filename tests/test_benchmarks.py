"""What `make bench` measures still runs: at small size, without a look at the time."""

from importlib import import_module
from pathlib import Path

import pytest

import byrote
import scores_at_size

NAMES = sorted(path.stem for path in (Path(__file__).parents[1] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_finds_what_it_imports(name):
    import_module(name)


def test_a_run_of_noise_is_made_and_scored(tmp_path):
    run = scores_at_size.make_run(tmp_path / "run", 30)
    assert scores_at_size.timed(run.paths.root) > 0
    assert len(byrote.open_run(run.paths.root).memorization()) == 30
