"""docs/synthetic-table.md does what it says: its code and its command run as they stand there."""

import re
import runpy
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "synthetic-table.md").read_text()


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_page_runs_and_finds_what_it_says(byrote_, tmp_path, capfd):
    (tmp_path / "page.py").write_text("\n".join(blocks("python")))
    runpy.run_path("page.py", run_name="__main__")
    found, mean = capfd.readouterr().out.splitlines()
    assert found == "learned by rote: [7]"
    value, low, high = map(float, re.findall(r"-?\d+\.\d+(?:e-?\d+)?", mean))
    assert low < 0 < high
    assert abs(value) < 0.1
    (command,) = blocks("console")
    words = command.removeprefix("$ byrote").split()
    code, printed, _ = byrote_(*words)
    assert code == 0
    assert "0.0001" in printed
    first = blocks("text")[0].splitlines()[0]
    assert first == printed.splitlines()[0]
