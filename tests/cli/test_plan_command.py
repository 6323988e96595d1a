"""byrote plan: a table of plans, the command that runs the best, and one sentence for bad input."""

import json
import shlex

import numpy as np
import pytest

GMM = ("plan", "x.npy", "--model", "gmm", "--set", "n_components=2")


@pytest.fixture
def data(byrote_):
    np.save("x.npy", np.random.default_rng(0).normal(size=(120, 2)))
    return byrote_


def test_it_prints_plans_and_writes_nothing(data, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    code, out, err = data(*GMM, "--for", "epsilon=3", "--budget", "2h")
    assert (code, err) == (0, "")
    for word in ("3 folds ×", "probes", "pairs", "coins", "smallest p", "17 pilot fits of 120"):
        assert word in out
    assert "Recommended to be able to prove an epsilon of 3 within 2.0 h: coins" in out
    assert sorted(tmp_path.rglob("*")) == before


def test_the_command_it_prints_runs_that_plan(data):
    code, out, _ = data(*GMM, "--for", "discover=2", "--seed", "5", "--json")
    assert code == 0
    printed = json.loads(out, parse_constant=pytest.fail)
    best = printed["proposals"][printed["best"]]
    words = shlex.split(printed["command"])
    assert words[:2] == ["byrote", "score"]
    code, out, _ = data(*words[1:], "--dry-run", "--json")
    assert code == 0
    forecast = json.loads(out)
    assert (forecast["fits"], forecast["tested"]) == (best["fits"], best["tested"])
    assert forecast["detectable"] == pytest.approx(best["detectable"], rel=0.5)


def test_a_dry_run_warns_of_a_plan_that_finds_no_single_record(data):
    words = ("score", *GMM[1:], "--folds", "3", "--repeats", "1", "--dry-run")
    code, out, _ = data(*words)
    assert code == 0
    assert "WARNING: this plan can find no single record" in out
    assert json.loads(data(*words, "--json")[1])["detectable"] == "inf"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--for", "se"), "goal must be discover=N"),
        (("--for", "se=-1"), "se must be a number above 0"),
        (("--budget", "soon"), "--budget must be a time such as 90s, 30min or 2h; got 'soon'"),
        (("--budget", "0h"), "--budget must be a time"),
        (("--budget", "2"), "--budget must be a time"),
        (("--records", "30"), "records must be at least 40 to propose plans; got 30"),
        (("--set", "n_component=2"), "did you mean n_components"),
    ],
)
def test_bad_input_is_one_sentence(data, words, message):
    code, out, err = data(*GMM, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
