"""Results of a run are computed once, and a run that lacks fits is not taken for a whole one."""

import shutil

import numpy as np
import pytest
from sklearn.neighbors import KernelDensity

import byrote

RESULTS = ("memorization", "epsilon", "membership", "trajectory")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("once") / "run"
    x, plan = np.random.default_rng(0).normal(size=(40, 2)), byrote.KFold(2, repeats=3)
    byrote.score_memorization(KernelDensity(bandwidth=0.3), x, plan=plan, out=path)
    return path


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("first", [False, True])
def test_a_complete_run_gives_the_same_result_with_partial_and_without(folder, name, first):
    compute = getattr(byrote.open_run(folder), name)
    kept = compute(partial=first)
    assert compute(partial=not first) is kept
    assert compute() is kept


@pytest.mark.parametrize("name", RESULTS)
def test_what_an_incomplete_run_gives_with_partial_is_not_given_without(folder, name, tmp_path):
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / "fits" / "fit-000003.parquet").unlink()
    compute = getattr(byrote.open_run(tmp_path / "run"), name)
    kept = compute(partial=True)
    with pytest.raises(byrote.IncompleteRun):
        compute()
    assert compute(partial=True) is kept


@pytest.mark.parametrize("partial", [None, 1, "yes"])
def test_partial_is_true_or_false_of_a_complete_run_too(folder, partial):
    with pytest.raises(byrote.InvalidInput, match="partial"):
        byrote.open_run(folder).memorization(partial=partial)
