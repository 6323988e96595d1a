"""docs/tables.md does what it says: its code and its command run as they stand there."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "tables.md").read_text()


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.filterwarnings("ignore:people.csv")
def test_the_page_runs_and_finds_what_it_says(byrote_, capfd, tmp_path):
    exec("\n".join(blocks("python")), {})
    assert capfd.readouterr().out == blocks("text")[0]
    command, *_ = blocks("console")
    words = command.removeprefix("$ byrote").split()
    words[words.index("epochs=30")] = "hidden=[8]"  # quicker
    words += ["--set", "epochs=1", "--set", "draws=8"]
    code, out, err = byrote_(*words)
    assert code == 0, err
    assert "60 of 200 records scored in 12 fits" in out
    code, _, err = byrote_(*words[:2], "--out", "runs/other")
    assert code == 2
    assert "column 'person_id' looks like ids" in err
    assert not (tmp_path / "runs/other").exists()
