"""The examples as they stand: steps of the workflow and the target of the Makefile, in small."""

import os
import shlex
import shutil
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def verdicts(folder):
    """Each test case of the JUnit file by what is in it."""
    cases = ElementTree.parse(folder / "privacy/junit.xml").getroot().iter("testcase")
    return {
        case.get("name"): next((e.tag for e in case if e.tag in ("failure", "error")), "passed")
        for case in cases
    }


def workflow():
    text = (EXAMPLES / "github-actions.yml").read_text()
    found = yaml.load(text, Loader=yaml.BaseLoader)  # plain text: "on" is no boolean
    return found, found["jobs"]["memorization"]["steps"]


def test_examples_are_in_the_source_distribution():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packed = settings["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {EXAMPLES.name, "src", "tests", "docs"} <= set(packed)


def test_the_workflow_is_one():
    found, steps = workflow()
    assert set(found["on"]) == {"push", "pull_request"}
    assert all(("run" in step) != ("uses" in step) for step in steps)
    last = steps[-1]
    assert (last["if"], last["with"]["path"]) == ("always()", "privacy/junit.xml")


@pytest.fixture
def called(byrote_, monkeypatch):
    """Call a line of a shell script in this process: its exit code."""

    def call(folder, line, **environment):
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            for name, value in environment.items():
                patch.setenv(name, value)
            program, *arguments = shlex.split(os.path.expandvars(line))
            assert program == "byrote"
            return byrote_(*arguments)[0]

    return call


@pytest.fixture
def in_bash(shell):
    """Call a command by bash: its exit code."""

    def call(folder, command, **environment):
        return shell(folder, "bash", "-e", "-c", command, **environment).returncode

    return call


def audit(folder, bandwidth, execute):
    """The workflow's own steps but for the installation: how each ended, and the verdicts."""
    found, steps = workflow()
    folder.mkdir()
    x = np.random.default_rng(0).normal(size=(300, 2))
    np.savetxt(folder / "train.csv", x, delimiter=",", header="a,b", comments="")
    settings = {"DATA": "train.csv", "SETTINGS": f"--set bandwidth={bandwidth}"}
    commands = [step["run"] for step in steps if "run" in step and step["name"] != "Install"]
    ended = [execute(folder, command, **{**found["env"], **settings}) for command in commands]
    return ended, verdicts(folder)


def test_the_workflow_stops_at_a_model_that_copies(tmp_path, called, in_bash):
    bars = ("max-score", "max-significant", "max-auc")
    smooth = audit(tmp_path / "smooth", 2.0, called)
    assert smooth == ([0, 0], dict.fromkeys(bars, "passed"))
    copies = audit(tmp_path / "copies", 0.001, in_bash)
    assert copies == ([0, 3], dict.fromkeys(bars, "failure"))


SMALL = (
    "--set hidden=32 --set layers=1 --set batch_size=8 --set learning_rate=0.02 --epochs 2"
    " --references 500"
)


def prepared(folder):
    """A folder with the Makefile and a text."""
    folder.mkdir()
    shutil.copy(EXAMPLES / "Makefile", folder)
    lines = [f"line {k} of a text about {k % 7} cats and {k % 11} dogs\n" for k in range(300)]
    (folder / "corpus.txt").write_text("".join(lines))
    return folder


def test_the_target_fails_where_secrets_are_learned(tmp_path, called, shell):
    once = prepared(tmp_path / "once")
    lines = shell(once, "make", "--dry-run", "privacy", f"SETTINGS={SMALL}").stdout
    commands = lines.replace("\\\n", " ").splitlines()
    assert [called(once, command) for command in commands] == [0, 0]
    assert verdicts(once) == {"max-exposure": "passed"}
    often = prepared(tmp_path / "often")
    done = shell(often, "make", "privacy", "INSERTIONS=40", f"SETTINGS={SMALL}")
    # make itself ends with 2 where a command fails, and says with what that one ended
    assert done.returncode == 2
    assert "Error 3" in done.stderr
    assert verdicts(often) == {"max-exposure": "failure"}
