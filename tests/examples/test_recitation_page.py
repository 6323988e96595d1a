"""docs/recitation.md does what it says: its files, command and code run as they stand there."""

import re
import runpy
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "recitation.md").read_text()


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


def lines_of(text):
    return [line.rstrip() for line in text.splitlines()]


def test_the_page_runs_and_prints_what_it_says(byrote_, monkeypatch, capfd):
    monkeypatch.syspath_prepend(".")
    for block in blocks("python")[:2]:
        Path(block.split()[1]).write_text(block)
    runpy.run_path("mails.py")
    (command,) = blocks("console")
    code, out, err = byrote_(*command.removeprefix("$ byrote").split())
    assert (code, err) == (0, "")
    assert lines_of(out) == lines_of(blocks("text")[0])
    Path("page.py").write_text(blocks("python")[2])
    runpy.run_path("page.py")
    assert capfd.readouterr().out == blocks("text")[1]
