"""The how-tos do what they say: code as it stands there, long commands at a smaller size."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from pages import ROOT, blocks, commands, indented, text_of, words_of


@pytest.fixture
def own_module(monkeypatch):
    """Import classes from files of the current folder, as a fresh shell would."""
    sys.modules.pop("mine", None)
    monkeypatch.syspath_prepend(".")
    yield
    sys.modules.pop("mine", None)


def run_all(byrote_, page, changes=(), codes=(0,)):
    """Run all commands of a page: what each printed."""
    printed = []
    for words in commands(page, changes):
        code, out, err = byrote_(*words)
        assert code in codes, err
        printed.append(out)
    return printed


def masked(text):
    """Lines without their numbers, which differ from processor to processor."""
    return [re.sub(r"-?\d[\d.,]*", "0", line).split() for line in text.splitlines()]


@pytest.mark.filterwarnings("default")
def test_a_model_of_ones_own(byrote_, own_module, capfd):
    first, mine, second = blocks("docs/estimator.md", "python")
    names = {}
    exec(first, names)
    printed = str(names["result"])
    Path("mine.py").write_text(mine)
    exec(second, names)
    assert capfd.readouterr().out == "".join(blocks("docs/estimator.md", "text"))
    outputs = run_all(byrote_, "docs/estimator.md", codes=(0, 3, 4))
    assert "200 of 200 records scored in 12 fits" in outputs[0]
    (shown,) = blocks("docs/numbers.md", "text")
    summary, records = shown.split("…\n")
    for line in masked(summary) + masked(records)[:2]:
        assert line in masked(printed)


@pytest.mark.filterwarnings("default")
def test_secrets(byrote_, capfd):
    model, table = blocks("docs/secrets.md", "python")
    exec(model, {})
    assert capfd.readouterr().out == blocks("docs/secrets.md", "text")[2]
    exec(table, {})
    Path("text.txt").write_text("the cat sat on the mat\n" * 100)
    small = [
        ("python-help --characters 100000", "text.txt --references 100"),
        ("hidden=128 --epochs 25", "hidden=8 --set layers=1 --epochs 1"),
    ]
    exposed, extracted, elsewhere = run_all(byrote_, "docs/secrets.md", small)
    assert "exposure in bits; at most 29.9; without memorization 1.44 on average" in exposed
    assert "of 1,000,000,000 completions" in extracted
    assert "mine" in elsewhere


def test_one_model(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec("\n".join(blocks("docs/one-model.md", "python")), {})
    assert capfd.readouterr().out == "".join(blocks("docs/one-model.md", "text"))


def test_plans(byrote_, capfd):
    exec("\n".join(blocks("docs/plans.md", "python")), {})
    table, looked, grouped = blocks("docs/plans.md", "text")
    assert capfd.readouterr().out == grouped
    small = [("digits", "digits --records 150"), ("--probes 300", "--probes 60")]
    printed, stopped = run_all(byrote_, "docs/plans.md", small)
    assert looked.splitlines()[-1] in " ".join(stopped.split())
    assert printed.splitlines()[0].split() == table.splitlines()[0].split()
    assert "byrote score digits" in printed


@pytest.mark.filterwarnings("default")
def test_the_gate(byrote_):
    Path("data").mkdir()
    x = np.random.default_rng(0).normal(size=(60, 2))
    np.savetxt("data/train.csv", x, delimiter=",", header="a,b", comments="")
    _, checked, _ = run_all(byrote_, "docs/gate.md", [("--probes 200", "--probes 20")], (0, 3, 4))
    assert "max-score" in checked
    assert "verdict" in checked
    assert Path("privacy/junit.xml").exists()
    assert "max-auc" in Path("privacy/report.html").read_text()


RESULT_PAGES = {
    "docs/gate.md": "byrote check runs/digits",
    "docs/report.md": "byrote report runs/digits",
    "docs/compare.md": "byrote compare runs/plain",
    "docs/privacy.md": "byrote epsilon runs/copies",
}


@pytest.mark.filterwarnings("default")
def test_what_is_done_with_a_run(byrote_):
    """With small runs in place of the pages' own."""
    for name, bandwidth in {"digits": 1.0, "copies": 0.2, "plain": 0.2, "private": 1.0}.items():
        options = f"--model kde --set bandwidth={bandwidth} --records 60 --out runs/{name}"
        plan = "--plan probes --probes 20 --fits 8 --coins"
        assert byrote_("score", "digits", *options.split(), *plan.split())[0] == 0
    for page, first in RESULT_PAGES.items():
        lines = [line for line in indented(page, first) if line.startswith("byrote")]
        assert any(line.startswith(first) for line in lines)
        for line in lines:
            if not line.startswith("byrote score"):
                code, _, err = byrote_(*words_of(line))
                assert code in (0, 3, 4), err


@pytest.mark.filterwarnings("default")
def test_the_readme(byrote_, own_module):
    (code,) = blocks("README.md", "python")
    Path("mine.py").write_text(code[: code.index("x = np.random")])
    x = np.random.default_rng(0).normal(size=(60, 2))
    np.savetxt("records.csv", x, delimiter=",", header="a,b", comments="")
    small = [
        ("--folds 10 --repeats 10 --workers 2", "--folds 3 --repeats 3"),
        (" > scores.csv", ""),
    ]
    for line in indented("README.md", "byrote score records.csv"):
        code, _, err = byrote_(*words_of(line, small))
        assert code == 0, err


def test_every_page_with_code_is_run_by_a_test():
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    pages = ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    code = re.compile(r"^```(python|console|sh|bash)$", flags=re.MULTILINE)
    with_code = {page for page in pages if code.search(text_of(page))}
    assert len(with_code) > 12
    assert {page for page in with_code if f'"{page}"' not in tests} == set()
