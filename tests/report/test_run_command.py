"""The command that a page prints makes the same run again."""

import shlex

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote
from byrote.report.command import command_of

from languages import Ngram

PLANS = {
    "kfold": byrote.KFold(2, repeats=3, stratify=True),
    "probes": byrote.Probes(8, fits=4, coins=True, bystanders=3),
    "pairs": byrote.Probes(8, fits=4, pairs=True),
    "subset": byrote.Subset(0.5, 4),
    "leave-one-out": byrote.LeaveOneOut(),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels = np.arange(12) % 2
    np.savez("two words.npz", x=np.random.default_rng(0).normal(size=(12, 2)), y=labels)
    return tmp_path


@pytest.mark.parametrize("plan", PLANS)
def test_the_command_of_a_run_makes_it_again(here, byrote_, plan):
    records = byrote.load("two words.npz", key="x", labels="y")
    model = GaussianMixture(1, reg_covar=0.1) if plan == "pairs" else KernelDensity(bandwidth=0.5)
    byrote.score_memorization(model, records, plan=PLANS[plan], out="first", seed=3)
    first = byrote.open_run("first")
    _, *words = shlex.split(command_of(first))
    code, _, err = byrote_(*words, "--out", "second")
    assert (code, err) == (0, "")
    second = byrote.open_run("second")
    assert second.manifest.differences(first.manifest, PLANS[plan].size) == []
    np.testing.assert_array_equal(second.table().log_prob, first.table().log_prob)


def test_what_was_made_in_python_has_no_command(here):
    x = np.random.default_rng(0).normal(size=(12, 2))
    byrote.score_memorization(KernelDensity(), x, plan=byrote.KFold(2, 2), out="memory")
    assert command_of(byrote.open_run("memory")) == ""
    records, plan = byrote.load("two words.npz", key="x"), byrote.Probes([3, 5], fits=4)
    byrote.score_memorization(KernelDensity(), records, plan=plan, out="chosen")
    assert command_of(byrote.open_run("chosen")) == ""


def test_the_command_of_canaries_names_patterns_and_levels(here):
    with open("text.txt", "w") as file:
        file.write("".join(f"line {k} about {k % 7} cats\n" for k in range(200)))
    byrote.score_exposure(
        Ngram(order=3),
        byrote.load_corpus("text.txt"),
        byrote.Canary("the code is {digits:3}"),
        insertions=(1, 4),
        canaries_per_level=2,
        controls=3,
        references=50,
        out="run",
    )
    command = command_of(byrote.open_run("run"))
    assert command.startswith("byrote expose text.txt --model languages:Ngram")
    assert "--canary 'the code is {digits:3}' --insertions 1,4 --canaries-per-level 2" in command
    assert "--controls 3 --fits 1" in command
    assert "--references 50" in command
