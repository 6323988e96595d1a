"""docs/synthetic-table.md does what it says: its code and its command run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "synthetic-table.md").read_text()


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


def run(*words, folder):
    command = [sys.executable, "-W", "error", *words]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def test_the_page_runs_and_finds_what_it_says(tmp_path):
    (tmp_path / "page.py").write_text("\n".join(blocks("python")))
    found, mean = run("page.py", folder=tmp_path).splitlines()
    assert found == "learned by rote: [7]"
    value, low, high = map(float, re.findall(r"-?\d+\.\d+(?:e-?\d+)?", mean))
    assert low < 0 < high
    assert abs(value) < 0.1
    (command,) = blocks("console")
    words = command.removeprefix("$ byrote").split()
    printed = run("-m", "byrote", *words, folder=tmp_path)
    assert "0.0001" in printed
    first = blocks("text")[0].splitlines()[0]
    assert first == printed.splitlines()[0]
