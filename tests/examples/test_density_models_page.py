"""docs/density-models.md does what it says: its code runs as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "density-models.md").read_text()


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_page_runs_and_prints_what_it_says(tmp_path):
    (tmp_path / "page.py").write_text("\n".join(blocks("python")))
    command = [sys.executable, "-W", "error", "page.py"]
    done = subprocess.run(command, check=True, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "".join(blocks("text"))
