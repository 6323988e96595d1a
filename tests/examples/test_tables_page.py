"""docs/tables.md does what it says: its code runs as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "tables.md").read_text()


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


def run(*words, folder, code=0):
    done = subprocess.run(
        [sys.executable, *words], check=False, cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    return done


def test_the_page_runs_and_finds_what_it_says(tmp_path):
    (tmp_path / "page.py").write_text("\n".join(blocks("python")))
    assert run("-W", "error", "page.py", folder=tmp_path).stdout == blocks("text")[0]
    (command,) = blocks("console")
    words = command.removeprefix("$ byrote").split()
    words[words.index("epochs=60")] = "hidden=[8]"  # quicker
    words += ["--set", "epochs=1", "--set", "draws=8"]
    done = run("-m", "byrote", *words, folder=tmp_path)
    assert "60 of 400 records scored in 12 fits" in done.stdout
    assert "cells are separated by semicolons" in done.stderr
    done = run("-m", "byrote", *words[:2], "--out", "runs/other", folder=tmp_path, code=2)
    assert "column 'person_id' looks like ids" in done.stderr
    assert not (tmp_path / "runs/other").exists()
