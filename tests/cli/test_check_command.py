"""byrote check: text, JSON, JUnit, exit codes, and runs that cannot pass."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import byrote
from byrote.scores.gate.threshold import gate_of

THRESHOLDS = ["--max-significant", "20%", "--max-q999", "5", "--max-auc", "75%"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A smooth density, one that copies its records, and one that copies, fit by coins."""
    folder, x = tmp_path_factory.mktemp("runs"), np.random.default_rng(0).normal(size=(120, 2))
    plans = {"smooth": byrote.KFold(2, 12), "copy": byrote.KFold(2, 12)}
    plans["coins"] = byrote.Probes(60, fits=12, coins=True)
    for name, plan in plans.items():
        model = KernelDensity(bandwidth=2.0 if name == "smooth" else 0.001, leaf_size=1000)
        byrote.score_memorization(model, x, plan=plan, out=folder / name)
    x = np.random.default_rng(0).normal(size=(300, 2))
    x[7] = 8.0
    ids = [f"patient-{place}" for place in range(300)]
    plan = byrote.KFold(3, 6)
    byrote.score_memorization(GaussianMixture(2), x, plan=plan, ids=ids, out=folder / "outlier")
    return folder


def suite(path):
    """A JUnit file, its counts checked against what is in it."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == "testsuites"
    (found,) = root
    assert found.tag == "testsuite"
    cases = found.findall("testcase")
    for part in (root, found):
        assert int(part.get("tests")) == len(cases)
        assert int(part.get("failures")) == len(found.findall("testcase/failure"))
        assert int(part.get("errors")) == len(found.findall("testcase/error"))
        assert int(part.get("skipped")) == len(found.findall("testcase/skipped")) == 0
        assert float(part.get("time")) == 0
    for case in cases:
        assert set(case.keys()) == {"name", "classname", "time"}
        assert len(case.findall("failure") + case.findall("error")) <= 1
        for element in case:
            assert element.tag in ("failure", "error", "system-out")
            if element.tag != "system-out":
                assert set(element.keys()) == {"type", "message"}
    return {
        case.get("name"): next((e.tag for e in case if e.tag != "system-out"), "passed")
        for case in cases
    }


def test_a_smooth_density_passes(byrote_, runs):
    code, out, err = byrote_("check", runs / "smooth", *THRESHOLDS, "--junit", "j.xml")
    assert (code, err) == (0, "")
    *_, verdict, consequence = out.rstrip().splitlines()
    assert verdict == "passed: all 3 thresholds (max-significant, max-q999, max-auc)."
    assert consequence.endswith("which say nothing of what was not tested.")
    assert suite("j.xml") == dict.fromkeys(["max-significant", "max-q999", "max-auc"], "passed")


def test_one_that_copies_fails(byrote_, runs):
    more = ["--max-epsilon-proven", "1", "--max-exposure", "10"]
    code, out, _ = byrote_("check", runs / "copy", *THRESHOLDS, *more, "--junit", "j.xml")
    assert code == 3
    assert "failed: 3 of 5 thresholds" in out
    assert suite("j.xml") == {
        "max-exposure": "error",
        "max-significant": "failure",
        "max-q999": "failure",
        "max-epsilon-proven": "error",
        "max-auc": "failure",
    }


def test_json_is_the_gate(byrote_, runs):
    code, out, err = byrote_("check", runs / "coins", "--max-epsilon-proven", "1", "--json")
    data = json.loads(out, parse_constant=pytest.fail)
    gate = byrote.check(runs / "coins", max_epsilon_proven=1)
    assert (code, err) == (3, "")
    assert (data["verdict"], data["exit_code"]) == (gate.verdict, gate.exit_code)
    assert (data["headline"], data["level"]) == (gate.headline, 0.95)
    (threshold,) = data["thresholds"]
    proven = byrote.open_run(runs / "coins").epsilon().proven
    assert threshold["found"] == pytest.approx(proven)
    assert threshold["interval"] == [pytest.approx(proven), "inf"]
    assert (
        data["run"]["run_id"]
        == byrote.open_run(runs / "coins").memorization().description["run_id"]
    )


def test_a_bar_that_no_guess_could_prove_beyond_is_open(byrote_, runs):
    code, out, _ = byrote_("check", runs / "coins", "--max-epsilon-proven", "50")
    assert code == 4
    assert "could prove no more than" in " ".join(out.split())


def test_found_values_are_those_of_the_summary(runs):
    result = byrote.open_run(runs / "copy").memorization()
    gate = byrote.check(runs / "copy", max_significant=0.01, max_q999=5, max_auc=0.6)
    share, q999, auc = gate.thresholds
    assert share.found == result.summary().share_significant
    assert q999.found == np.sort(result.mean_log)[-1]  # of 120 records none may exceed it
    assert auc.found == byrote.open_run(runs / "copy").membership(attack="loss").auc
    assert [threshold.name for threshold in gate.thresholds] == [
        "max_significant",
        "max_q999",
        "max_auc",
    ]
    assert gate == gate_of(gate.thresholds, level=0.95, run=gate.run)


def test_more_bars_have_wider_intervals(runs):
    alone = byrote.check(runs / "smooth", max_q999=5).thresholds[0]
    among = byrote.check(
        runs / "smooth", max_q999=5, max_auc=0.75, max_significant=0.05
    ).thresholds[1]
    assert among.low < alone.low
    assert among.high > alone.high
    assert among.found == alone.found


@pytest.mark.parametrize("left", [0, 23])
def test_an_unfinished_run_is_inconclusive_even_where_it_copies(byrote_, runs, left):
    shutil.copytree(runs / "copy", "part")
    for path in sorted(Path("part/fits").iterdir())[left:]:
        path.unlink()
    code, out, _ = byrote_("check", "part", *THRESHOLDS)
    assert code == 4
    assert f"{24 - left} of 24 fits are missing" in " ".join(out.split())
    assert "inconclusive: all 3 thresholds" in out


OUTLIER = ["--max-score", "10", "--max-q999", "2", "--max-significant", "0%"]


def test_the_record_above_a_threshold_is_named(byrote_, runs):
    code, out, _ = byrote_("check", runs / "outlier", *OUTLIER, "--junit", "j.xml")
    assert code == 3
    text = " ".join(out.split())
    assert text.count("Above it: patient-7.") == 2
    assert "Memorized: patient-7." in text
    assert Path("j.xml").read_text().count("patient-7") == 3
    _, out, _ = byrote_("check", runs / "outlier", *OUTLIER, "--json")
    assert [each["records"] for each in json.loads(out)["thresholds"]] == [["patient-7"]] * 3


def test_redacted_verdicts_name_nobody(byrote_, runs):
    for output in ((), ("--json",)):
        arguments = (*OUTLIER, "--redact", "--junit", "j.xml", *output)
        code, out, _ = byrote_("check", runs / "outlier", *arguments)
        assert code == 3
        assert "patient" not in out + Path("j.xml").read_text()
    assert all(not threshold["records"] for threshold in json.loads(out)["thresholds"])


def test_a_pass_names_nobody(byrote_, runs):
    code, out, _ = byrote_("check", runs / "outlier", "--max-score", "10000")
    assert (code, "patient" in out) == (0, False)


REFUSED = [
    ("no threshold", ["smooth"], "at least one threshold must be set"),
    ("no run", ["nothing", "--max-q999", "5"], "holds no run"),
    ("whole share", ["smooth", "--max-significant", "1"], "below 1, like 1% or 0.01; got '1'"),
    ("level", ["smooth", "--max-q999", "5", "--level", "2"], "level must be a number between"),
    ("insertions", ["smooth", "--max-q999", "5", "--insertions", "2"], "applies to max_exposure"),
    ("no folder", ["smooth", "--max-q999", "5", "--junit", "no/j.xml"], "--junit must be a file"),
]


@pytest.mark.parametrize(("arguments", "message"), [case[1:] for case in REFUSED])
def test_what_cannot_be_checked(byrote_, runs, arguments, message):
    run, *options = arguments
    code, out, err = byrote_("check", runs / run, *options)
    assert (code, out) == (2, "")
    assert message in err


def test_no_old_verdict_stays_where_a_check_cannot_be_made(byrote_, runs):
    byrote_("check", runs / "smooth", "--max-q999", "5", "--junit", "j.xml")
    assert Path("j.xml").stat().st_mode & 0o777 == 0o600
    assert suite("j.xml") == {"max-q999": "passed"}
    code, _, err = byrote_("check", "nothing", "--max-q999", "5", "--junit", "j.xml")
    assert (code, suite("j.xml")) == (2, {"max-q999": "error"})
    assert "holds no run" in err


def test_no_old_verdict_stays_where_a_check_breaks(byrote_, runs, monkeypatch):
    def breaks(*_, **__):
        raise RuntimeError("a defect")

    byrote_("check", runs / "smooth", "--max-q999", "5", "--junit", "j.xml")
    monkeypatch.setattr("byrote.cli.verbs.check.check_run", breaks)
    code, _, err = byrote_("check", runs / "smooth", "--max-q999", "5", "--junit", "j.xml")
    assert (code, Path("j.xml").exists()) == (1, False)
    assert "a defect" not in err
