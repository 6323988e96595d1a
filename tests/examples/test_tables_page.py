"""docs/tables.md does what it says: its code and its command run as they stand there."""

import pytest

from pages import blocks, commands

PAGE = "docs/tables.md"


@pytest.mark.filterwarnings("ignore:people.csv")
def test_the_page_runs_and_finds_what_it_says(byrote_, capfd, tmp_path):
    exec("\n".join(blocks(PAGE, "python")), {})
    assert capfd.readouterr().out == blocks(PAGE, "text")[0]
    few = [("--probes 60 --fits 12", "--probes 20 --fits 4")]
    words, disclosed = commands(PAGE, few)
    words[words.index("epochs=30")] = "hidden=[8]"
    quicker = ["--set", "epochs=1", "--set", "draws=8"]
    code, out, err = byrote_(*words, *quicker)
    assert code == 0, err
    assert "20 of 200 records scored in 4 fits" in out
    code, _, err = byrote_(*words[:2], "--out", "runs/other")
    assert code == 2
    assert "column 'person_id' looks like ids" in err
    assert not (tmp_path / "runs/other").exists()
    code, out, err = byrote_(*disclosed, *quicker, "--set", "hidden=[8]")
    assert code == 0, err
    assert "on average over 20 records" in out
