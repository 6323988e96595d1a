"""docs/diffusion.md does what it says: its code as it stands, its commands on small models."""

import pytest

from pages import blocks, commands

PAGE = "docs/diffusion.md"
SMALL = "epochs=1 --set hidden=[8] --set levels=18 --set draws=1"
QUICKER = [
    ("epochs=100", SMALL),
    ("epochs=400", SMALL),
    ("--folds 3 --repeats 3", "--records 60 --folds 2 --repeats 2"),
    ("--samples 500", "--samples 60"),
]


def test_the_page_prints_what_it_shows(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    exec("\n".join(blocks(PAGE, "python")), {})
    assert capfd.readouterr().out == "".join(blocks(PAGE, "text"))


@pytest.mark.filterwarnings("default")  # of so few records
def test_the_commands_score_and_extract(byrote_):
    printed = []
    for words in commands(PAGE, QUICKER):
        code, out, err = byrote_(*words)
        assert code in (0, 4), err
        printed.append(out)
    assert "scored in 4 fits" in printed[0]
    assert "of 100 training records come out in 60 samples" in printed[2]
    assert "of a held-out one" in printed[2]
