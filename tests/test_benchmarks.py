"""What `make bench` measures still runs: at small size, without a look at the time."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import byrote
import scores_at_size
from byrote.data import Records

NAMES = sorted(path.stem for path in (Path(__file__).parents[1] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_finds_what_it_imports(name):
    import_module(name)


def test_a_run_of_noise_is_made_and_scored(tmp_path):
    records = Records(np.zeros((30, 1), dtype=np.float32), source="synthetic")
    run = scores_at_size.make_run(tmp_path / "run", records, byrote.KFold(5, 2))
    assert scores_at_size.timed(run.paths.root) > 0
    assert len(byrote.open_run(run.paths.root).memorization()) == 30
