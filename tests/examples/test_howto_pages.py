"""The how-tos do what they say: code as it stands there, long commands at a smaller size."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import byrote

from pages import ROOT, blocks, commands, indented, indented_commands, masked, text_of, words_of


def run_all(byrote_, page, changes=(), codes=(0,)):
    """Run all commands of a page: what each printed."""
    printed = []
    for words in commands(page, changes):
        code, out, err = byrote_(*words)
        assert code in codes, err
        printed.append(out)
    return printed


@pytest.mark.filterwarnings("default")
def test_a_model_of_ones_own(byrote_, own_module, capfd):
    first, mine, second = blocks("docs/estimator.md", "python")
    names = {}
    exec(first, names)
    printed = str(names["result"])
    Path("mine.py").write_text(mine)
    exec(second, names)
    assert capfd.readouterr().out == "".join(blocks("docs/estimator.md", "text"))
    few = [("epochs=20 --folds 3 --repeats 4", "epochs=5 --folds 2 --repeats 2")]
    outputs = run_all(byrote_, "docs/estimator.md", few, codes=(0, 3, 4))
    assert "200 of 200 records scored in 4 fits" in outputs[0]
    (shown,) = blocks("docs/numbers.md", "text")
    summary, records = shown.split("…\n")
    for line in masked(summary) + masked(records)[:2]:
        assert line in masked(printed)


@pytest.mark.filterwarnings("default")
def test_secrets(byrote_, capfd, monkeypatch):
    model, table = blocks("docs/secrets.md", "python")
    exec(model, {})
    assert capfd.readouterr().out == blocks("docs/secrets.md", "text")[-1]
    exec(table, {})
    Path("text.txt").write_text("the cat sat on the mat\n" * 100)
    small = [
        ("python-help --characters 100000", "text.txt --references 100"),
        ("hidden=128 --epochs 25", "hidden=8 --set layers=1 --epochs 1"),
    ]
    exposed, extracted, elsewhere = run_all(byrote_, "docs/secrets.md", small)
    monkeypatch.setattr("byrote.cli.verbs.figures.draw", lambda *_, **__: iter(()))
    _compare_with_the_demo(byrote_, capfd)
    assert "exposure in bits; at most 29.9; without memorization 1.44 on average" in exposed
    assert "of 1,000,000,000 completions" in extracted
    assert "mine" in elsewhere


def _compare_with_the_demo(byrote_, capfd):
    """Run the commands of docs/demo.md: a kernel density's digits, and the numbers of this page."""
    lines = indented_commands("docs/demo.md")
    exposed, extracted, _ = commands("docs/secrets.md")
    assert [words_of(lines[place]) for place in (2, 3)] == [exposed, [*extracted, "--show-secrets"]]
    vae = "--set likelihood=shared-gaussian --set draws=128"
    small = [(vae, "--model kde --set bandwidth=0.2 --records 60"), ("--workers 2", "")]
    for line in (*lines[:2], lines[4]):
        code, _, err = byrote_(*words_of(line, small))
        assert code == 0, err
    capfd.readouterr()
    program, *arguments = lines[5].removeprefix("python ").split()
    run_program(program, *arguments)
    printed = capfd.readouterr().out
    shown = indented("README.md", "digits are memorized")
    assert masked(printed)[1:4] == masked("\n".join(shown))


def run_program(program, *arguments):
    """Run a program of the repository in this process, as the main one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [program, *arguments])
        runpy.run_path(str(ROOT / program), run_name="__main__")


def test_one_model(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec("\n".join(blocks("docs/one-model.md", "python")), {})
    assert capfd.readouterr().out == "".join(blocks("docs/one-model.md", "text"))


def test_plans(byrote_, capfd):
    exec("\n".join(blocks("docs/plans.md", "python")), {})
    table, looked, _, grouped = blocks("docs/plans.md", "text")
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
    _, _, checked = run_all(byrote_, "docs/gate.md", [(" || true", "")], (0, 3, 4))
    assert "max-score" in checked
    assert "verdict" in checked
    assert Path("privacy/junit.xml").exists()
    assert "max-auc" in Path("privacy/report.html").read_text()


# Small runs stand in place of the pages' own.
RESULT_PAGES = {
    "docs/compare.md": [],
    "docs/gate.md": [("runs/kde", "runs/digits")],
    "docs/neighbors.md": [("RUN", "runs/kept")],
    "docs/plans.md": [("digits", "digits --records 60")],
    "docs/privacy.md": [
        ("--probes 500 --fits 12", "--probes 20 --fits 8 --records 60"),
        ("--workers 2", ""),
    ],
    "docs/report.md": [("runs/kde", "runs/digits")],
}


@pytest.fixture
def results(byrote_, unrendered):
    """Small runs under the names that pages use, and tables and records beside them."""
    for name, bandwidth in {"digits": 1.0, "plain": 0.2, "private": 1.0}.items():
        options = f"--model kde --set bandwidth={bandwidth} --records 60 --out runs/{name}"
        plan = "--plan probes --probes 20 --fits 8 --coins"
        assert byrote_("score", "digits", *options.split(), *plan.split())[0] == 0
    small = "--set epochs=1 --set hidden=[8] --set draws=1 --records 60 --folds 2 --repeats 2"
    kept = "--keep-models release --out runs/kept"
    assert byrote_("score", "digits", *small.split(), *kept.split())[0] == 0
    generator = np.random.default_rng(0)
    np.save("unseen.npy", byrote.load("digits").x[:40] + generator.normal(size=(40, 8, 8)))
    for name in "ths":
        table = generator.normal(size=(30, 2))
        np.savetxt(f"{name}.csv", table, delimiter=",", header="a,b", comments="")


@pytest.mark.filterwarnings("default")
def test_what_is_done_with_a_run(byrote_, monkeypatch, results):
    printed = {}
    for page, changes in RESULT_PAGES.items():
        for line in indented_commands(page):
            code, out, err = byrote_(*words_of(line, changes))
            assert code in (0, 3, 4), err
            printed[line] = out
    shown = [line for line in indented("docs/privacy.md", "Epsilon is") if line != "…"]
    assert {*map(tuple, masked("\n".join(shown)))} <= lines_of(printed, "epsilon")
    verdicts = masked("\n".join(indented("docs/privacy.md", "threshold    ")))
    checked = {words[:4] for words in lines_of(printed, "check runs/copies")}
    assert {tuple(words[:4]) for words in verdicts} <= checked
    monkeypatch.setattr("byrote.cli.verbs.figures.draw", lambda *_, **__: iter(()))
    figures = [line for line in indented_commands("docs/studies.md") if " figures " in line]
    small = [("mnist-1e-3-small", "plain"), ("mnist-1e-4-small", "private")]
    for line in figures:
        code, _, err = byrote_(*words_of(line, small))
        assert code == 0, err


def lines_of(printed, verb):
    """The lines that the commands of a verb printed, without their numbers."""
    outs = [out for line, out in printed.items() if f" {verb} " in f"{line} "]
    return {tuple(words) for out in outs for words in masked(out)}


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
    for line in indented_commands("README.md")[2:]:  # after those of make
        code, _, err = byrote_(*words_of(line, small))
        assert code == 0, err


def test_every_page_with_code_or_a_command_is_run_by_a_test():
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    pages = ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    code = re.compile(r"^```(python|console|sh|bash)$", flags=re.MULTILINE)
    with_code = {page for page in pages if code.search(text_of(page)) or indented_commands(page)}
    assert len(with_code) > 15
    assert {page for page in with_code if f'"{page}"' not in tests} == set()
