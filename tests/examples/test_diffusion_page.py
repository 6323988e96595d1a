"""docs/diffusion.md does what it says: its code runs as it stands there."""

from pages import blocks

PAGE = "docs/diffusion.md"


def test_the_page_prints_what_it_shows(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    exec("\n".join(blocks(PAGE, "python")), {})
    assert capfd.readouterr().out == "".join(blocks(PAGE, "text"))
