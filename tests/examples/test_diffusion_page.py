"""docs/diffusion.md does what it says: its code runs as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "diffusion.md").read_text()


def test_the_page_prints_what_it_shows(tmp_path):
    code, shown = (re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL) for kind in KINDS)
    words = [sys.executable, "-W", "error", "-c", "\n".join(code)]
    done = subprocess.run(words, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "".join(shown), done.stderr


KINDS = ("python", "text")
