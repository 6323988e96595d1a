"""docs/synthetic-table.md does what it says: its code and its commands as they stand there."""

import re
import runpy
from pathlib import Path

from pages import blocks, commands, indented_commands, masked, words_of

PAGE = "docs/synthetic-table.md"
QUICKER = [
    ("--from-samples 20", "--from-samples 1"),
    ("--probes 40 --fits 12", "--probes 6 --fits 4"),
]


def test_the_page_runs_and_finds_what_it_says(byrote_, own_module, tmp_path, capfd):
    code = blocks(PAGE, "python")
    (tmp_path / "page.py").write_text("\n".join(code))
    names = runpy.run_path("page.py", run_name="__main__")
    found, mean = capfd.readouterr().out.splitlines()
    assert found == "learned by rote: [7]"
    value, low, high = map(float, re.findall(r"-?\d+\.\d+(?:e-?\d+)?", mean))
    assert low < 0 < high
    assert abs(value) < 0.1
    Path("mine.py").write_text(code[0].partition("generator = ")[0])
    names["people"].to_csv("people.csv", index=False)
    [line] = indented_commands(PAGE)
    exit_code, out, err = byrote_(*words_of(line, QUICKER))
    assert exit_code == 0, err
    assert "400 records scored in 4 fits" in out
    (command,) = commands(PAGE)
    exit_code, printed, _ = byrote_(*command)
    assert exit_code == 0
    assert "0.0001" in printed
    [shown] = blocks(PAGE, "text")
    assert shown.splitlines()[0] == printed.splitlines()[0]
    assert words(shown) == words(printed)


def words(text):
    return [word for line in masked(text) for word in line]
