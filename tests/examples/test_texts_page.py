"""docs/texts.md does what it says: its code and its commands run as they stand there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("transformers")

PAGE = (Path(__file__).parents[2] / "docs" / "texts.md").read_text()


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


def run(*words, folder, code=0):
    done = subprocess.run(
        [sys.executable, *words], check=False, cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def quicker(command):
    """Four fits in place of twelve, one epoch."""
    changes = {"epochs=10": "epochs=1", "--folds 3": "--folds 2", "--repeats 4": "--repeats 2"}
    for old, new in changes.items():
        command = command.replace(old, new)
    return shlex.split(command.removeprefix("$ byrote "))


def test_the_page_runs(tmp_path):
    data, program = blocks("python")
    (tmp_path / "data.py").write_text(data.replace("range(120)", "range(40)"))
    (tmp_path / "program.py").write_text(program)
    run("data.py", folder=tmp_path)
    assert run("program.py", folder=tmp_path) == blocks("text")[0]
    commands = blocks("console")[0].splitlines()
    assert len(commands) <= 10
    printed = {}
    for command in commands:
        words = quicker(command)
        code = 4 if words[0] == "check" else 0  # so few fits tell nothing
        printed[words[0], "--dry-run" in words] = run(
            "-m", "byrote", *words, folder=tmp_path, code=code
        )
    assert "40 of 40 records scored in 4 fits" in printed["score", False]
    assert "Dear" not in printed["score", False]
    assert "Dear" in printed["show", False]
