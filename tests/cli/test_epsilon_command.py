"""byrote epsilon: what is printed, and what is refused."""

import json

import numpy as np
import pytest

MODEL = ["--model", "kde", "--set", "bandwidth=0.1"]


@pytest.fixture
def run(byrote_, monkeypatch):
    np.save("x.npy", np.random.default_rng(0).normal(size=(160, 2)))

    def made(*plan, model=MODEL):
        code, _, err = byrote_("score", "x.npy", *model, *plan, "--out", "run", "--top", "0")
        assert code == 0, err

    return made


COINS = ["--plan", "probes", "--probes", "60", "--fits", "7", "--coins"]


def test_what_coins_prove(run, byrote_):
    run(*COINS)
    code, out, err = byrote_("epsilon", "run")
    assert (code, err) == (0, "")
    assert "100 of 100 guesses right, 420 coins in 7 fits" in out
    assert "Epsilon is at least 3.49 at delta 0, 95% confidence" in out
    assert "no differential-privacy guarantee: nothing limits the privacy loss." in out
    assert "60 probes" in out
    assert "without memorization" in out
    found = json.loads(byrote_("epsilon", "run", "--delta", "1e-5", "--guesses", "40", "--json")[1])
    assert found["headline"]["detail"]["correct"] == 40
    assert found["headline"]["epsilon"] == pytest.approx(2.55, abs=0.01)
    assert found["bounds"][3]["epsilon"] is None
    assert [side["measure"] for side in found["measures"]] == [
        "memorization",
        "exposure",
        "membership",
        "epsilon",
    ]
    more = json.loads(byrote_("epsilon", "run", "--significance", "0.5", "--json")[1])
    assert more["headline"]["epsilon"] > 3.5


def test_folds_are_refused_with_the_reason(run, byrote_):
    run("--folds", "4", "--repeats", "2")
    code, out, _ = byrote_("epsilon", "run")
    assert code == 0
    assert "folds are not independent coins" in out
    assert "--coins" in out


def test_a_promise_is_shown_and_held_against_what_is_proven(run, byrote_):
    options = ["--model", "laplace-histogram", "--set", "range=[-9,9]", "--set", "epsilon=2"]
    run(*COINS, model=options)
    out = byrote_("epsilon", "run")[1]
    promised = "Guarantee: epsilon 2.00 at delta 0, for each record, by Laplace noise."
    assert promised in out
    shown = " ".join(byrote_("show", "run")[1].split())
    assert shown.endswith(f"{promised} byrote epsilon prints the proven bound.")
    assert "Promised" not in byrote_("show", "run", "--csv")[1]
    assert "contradicted" not in out
    assert "at most 3 pairs of fits, one that trained on a record and one that did not" in out


def test_fits_that_are_missing(run, byrote_):
    run(*COINS)
    from pathlib import Path

    Path("run/fits/fit-000003.parquet").unlink()
    code, out, err = byrote_("epsilon", "run")
    assert code == 4
    assert "1 of 7 fits are missing" in err
    assert "INCOMPLETE" in out
    assert "360 coins in 6 fits" in out


REFUSED = {
    "significance": (["--significance", "2"], "significance must be a number between 0 and 1"),
    "delta": (["--delta", "1"], "delta must be a number of at least 0 and below 1"),
    "guesses": (["--guesses", "421"], "guesses must be at most the 420 coins; got 421"),
    "no guess": (["--guesses", "0"], "guesses must be an integer of at least 1; got 0"),
    "record": (["--record", "nobody"], "record must be the id of a scored record"),
}


def test_what_is_refused(run, byrote_):
    run(*COINS)
    for options, message in REFUSED.values():
        code, out, err = byrote_("epsilon", "run", *options)
        assert (code, out) == (2, "")
        assert message in err
    code, _, err = byrote_("epsilon", "elsewhere")
    assert code == 2
    assert "holds no run" in err
    code, _, err = byrote_("score", "x.npy", *MODEL, *COINS, "--pairs", "--out", "two")
    assert code == 2
    assert "coins and pairs must not both be True" in err
