"""docs/recitation.md does what it says: its files, command and code run as they stand there."""

import runpy
from pathlib import Path

from pages import blocks, commands

PAGE = "docs/recitation.md"


def lines_of(text):
    return [line.rstrip() for line in text.splitlines()]


def test_the_page_runs_and_prints_what_it_says(byrote_, monkeypatch, capfd):
    monkeypatch.syspath_prepend(".")
    for block in blocks(PAGE, "python")[:2]:
        Path(block.split()[1]).write_text(block)
    runpy.run_path("mails.py")
    (words,) = commands(PAGE)
    code, out, err = byrote_(*words)
    assert (code, err) == (0, "")
    assert lines_of(out) == lines_of(blocks(PAGE, "text")[0])
    Path("page.py").write_text(blocks(PAGE, "python")[2])
    runpy.run_path("page.py")
    assert capfd.readouterr().out == blocks(PAGE, "text")[1]
