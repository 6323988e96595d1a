"""docs/synthetic-table.md does what it says: its code and its command run as they stand there."""

import re
import subprocess
import sys

from pages import blocks, commands

PAGE = "docs/synthetic-table.md"


def run(*words, folder):
    command = [sys.executable, "-W", "error", *words]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def test_the_page_runs_and_finds_what_it_says(tmp_path):
    (tmp_path / "page.py").write_text("\n".join(blocks(PAGE, "python")))
    found, mean = run("page.py", folder=tmp_path).splitlines()
    assert found == "learned by rote: [7]"
    value, low, high = map(float, re.findall(r"-?\d+\.\d+(?:e-?\d+)?", mean))
    assert low < 0 < high
    assert abs(value) < 0.1
    (words,) = commands(PAGE)
    printed = run("-m", "byrote", *words, folder=tmp_path)
    assert "0.0001" in printed
    first = blocks(PAGE, "text")[0].splitlines()[0]
    assert first == printed.splitlines()[0]
