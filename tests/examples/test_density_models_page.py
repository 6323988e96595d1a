"""docs/density-models.md does what it says: its code runs as it stands there."""

from pages import blocks

PAGE = "docs/density-models.md"


def test_the_page_runs_and_prints_what_it_says(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    exec("\n".join(blocks(PAGE, "python")), {})
    assert capfd.readouterr().out == "".join(blocks(PAGE, "text"))
