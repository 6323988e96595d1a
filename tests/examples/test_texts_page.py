"""docs/texts.md does what it says: its code and its commands run as they stand there."""

import re
import shlex
from pathlib import Path

import pytest

pytest.importorskip("transformers")

PAGE = (Path(__file__).parents[2] / "docs" / "texts.md").read_text()


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


def quicker(command):
    """Four fits in place of twelve, one epoch."""
    changes = {"epochs=10": "epochs=1", "--folds 3": "--folds 2", "--repeats 4": "--repeats 2"}
    for old, new in changes.items():
        command = command.replace(old, new)
    return shlex.split(command.removeprefix("$ byrote "))


@pytest.mark.filterwarnings("default")  # of so few fits
def test_the_page_runs(byrote_, capfd):
    data, program, _ = blocks("python")
    exec(data.replace("range(120)", "range(40)"), {})
    capfd.readouterr()
    exec(program, {})
    assert capfd.readouterr().out == blocks("text")[0]
    commands = blocks("console")[0].splitlines()
    assert len(commands) <= 10
    printed = {}
    for command in commands:
        words = quicker(command)
        code, out, err = byrote_(*words)
        assert code == (4 if words[0] == "check" else 0), err  # so few fits tell nothing
        printed[words[0], "--dry-run" in words] = out
    assert "40 of 40 records scored in 4 fits" in printed["score", False]
    assert "Dear" not in printed["score", False]
    assert "Dear" in printed["show", False]


@pytest.mark.filterwarnings("default")  # of peft
def test_the_class_with_adapters_is_fitted_and_scores(byrote_, monkeypatch):
    pytest.importorskip("peft")
    data, _, adapters = blocks("python")
    exec(data.replace("range(120)", "range(12)"), {})
    Path("lora.py").write_text(adapters)
    monkeypatch.syspath_prepend(".")
    (command,) = blocks("sh")
    code, out, err = byrote_(*quicker(f"$ {command.strip()}"))
    assert code == 0, err
    assert "12 of 12 records scored in 4 fits" in out
