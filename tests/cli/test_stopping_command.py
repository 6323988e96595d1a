"""byrote score --stop-when: a run that stops is shown, checked and reported as any other."""

import json

import numpy as np
import pytest

SCORE = ("score", "x.npy", "--model", "kde", "--set", "bandwidth=0.2", "--out", "run",
         "--plan", "probes", "--probes", "60", "--fits", "16")  # fmt: skip
STOPPED = "Look 1 of 2, after 8 of at most 16 fits: stopped; discover=5 is reached."


@pytest.fixture
def data(byrote_):
    np.save("x.npy", np.random.default_rng(0).normal(size=(90, 2)))
    return byrote_


def test_a_stopped_run_says_so_wherever_it_is_shown(data):
    code, out, _ = data(*SCORE, "--stop-when", "discover=5", "--looks", "2", "--json")
    assert code == 0
    assert json.loads(out)["summary"]["look"] == {
        "number": 1, "of": 2, "fits": 8, "most_fits": 16, "level": 0.025,
        "question": "discover=5", "answer": "found",
    }  # fmt: skip
    code, out, _ = data("show", "run")
    assert code == 0
    assert STOPPED in " ".join(out.split())
    code, out, _ = data("check", "run", "--max-significant", "1%")
    assert code == 3
    assert data("report", "run", "--out", "page.html")[0] == 0
    with open("page.html", encoding="utf-8") as page:
        assert STOPPED in page.read()


def test_bad_looks_are_refused_in_a_sentence_and_nothing_is_written(data, tmp_path):
    code, out, err = data(*SCORE, "--looks", "9")
    assert (code, out) == (2, "")
    assert "looks must be at most 8 at fits=16" in err
    assert not (tmp_path / "run").exists()
