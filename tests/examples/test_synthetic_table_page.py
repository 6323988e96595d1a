"""docs/synthetic-table.md does what it says: its code and its command run as they stand there."""

import re
import runpy

from pages import blocks, commands

PAGE = "docs/synthetic-table.md"


def test_the_page_runs_and_finds_what_it_says(byrote_, tmp_path, capfd):
    (tmp_path / "page.py").write_text("\n".join(blocks(PAGE, "python")))
    runpy.run_path("page.py", run_name="__main__")
    found, mean = capfd.readouterr().out.splitlines()
    assert found == "learned by rote: [7]"
    value, low, high = map(float, re.findall(r"-?\d+\.\d+(?:e-?\d+)?", mean))
    assert low < 0 < high
    assert abs(value) < 0.1
    (words,) = commands(PAGE)
    code, printed, _ = byrote_(*words)
    assert code == 0
    assert "0.0001" in printed
    first = blocks(PAGE, "text")[0].splitlines()[0]
    assert first == printed.splitlines()[0]
