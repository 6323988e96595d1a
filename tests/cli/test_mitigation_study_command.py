"""byrote study of mitigations, end to end at tiny size."""

import json

import pytest

from byrote.cli import study_of_runs
from byrote.studies.mitigations import declaration
from tiny_mitigations import Kernel, tiny

STUDY = ["study", "onion", "--out", "run", "--records", "60"]


@pytest.fixture
def small(monkeypatch):
    """Studies are tiny, their figures of few pixels."""
    monkeypatch.setattr(
        declaration, "load_mitigation_study", lambda name: tiny(name, rounds=1, replications=2)
    )
    monkeypatch.setattr(study_of_runs, "_DPI", 20)


def written(folder):
    paths = [*folder.glob("*/fits/*"), *folder.glob("*/run.json")]
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in paths}


def test_what_fails_goes_on_and_a_finished_study_only_prints(byrote_, small, monkeypatch, tmp_path):
    fit, calls = Kernel.fit, []

    def failing(self, X, y=None):
        calls.append(1)
        if len(calls) == 3:  # the second fit of the first audit, after a rehearsal
            raise ValueError("a secret")
        return fit(self, X)

    monkeypatch.setattr(Kernel, "fit", failing)
    code, out, err = byrote_(*STUDY)
    assert code == 4
    assert "a secret" not in out + err
    said = " ".join(out.split())
    assert "INCOMPLETE: 1 of 4 fits of 1-all are missing" in said
    assert "INCOMPLETE: no fit of 1-pruned-1 is finished" in said
    first = written(tmp_path / "run")
    assert any(name.startswith("2-random-1/fits") for name in first)
    assert not any(name.startswith("1-pruned-1") for name in first)
    code, out, _ = byrote_(*STUDY)
    assert code == 0
    assert "INCOMPLETE" not in out
    last = written(tmp_path / "run")
    assert first.items() <= last.items()
    report = (tmp_path / "run" / "study.md").read_text()
    assert "    byrote study onion --data digits --scale small --records 60" in report
    assert "over 2 replications" in report
    assert (tmp_path / "run" / "figures" / "onion.png").read_bytes()[1:4] == b"PNG"
    code, out, _ = byrote_(*STUDY, "--json")
    assert code == 0
    data = json.loads(out, parse_constant=pytest.fail)
    assert (data["study"], data["figures"]) == ("onion", ["figures/onion.png"])
    assert written(tmp_path / "run") == last


REFUSED = {
    "repeats": (
        ["study", "onion", "--repeats", "5"],
        "--repeats does not apply to the study",
    ),
    "scale": (["study", "mitigations", "--scale", "paper"], "--scale must be one of small, full"),
    "nowhere": (["study", "onion", "--data", "nowhere.npz"], "nowhere.npz"),
    "records": (["study", "onion", "--records", "1700"], "--records must leave 297"),
    "odd": (["study", "onion", "--fits", "3"], "fits must be even for probes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_sentence_before_any_work(byrote_, tmp_path, case):
    arguments, message = REFUSED[case]
    code, out, err = byrote_(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "runs").exists()
