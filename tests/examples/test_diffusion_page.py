"""docs/diffusion.md does what it says: its code runs as it stands there."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "diffusion.md").read_text()


def test_the_page_prints_what_it_shows(tmp_path, monkeypatch, capfd):
    code, shown = (re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL) for kind in KINDS)
    monkeypatch.chdir(tmp_path)
    exec("\n".join(code), {})
    assert capfd.readouterr().out == "".join(shown)


KINDS = ("python", "text")
