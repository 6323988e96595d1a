"""docs/cluster.md, followed to the letter: its script, its commands, its job array."""

import os
import re
from importlib import import_module

import pytest

import byrote

from pages import text_of

PAGE = text_of("docs/cluster.md")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(os.name != "posix", reason="needs bash")
def test_the_page_is_followed_to_the_letter(tmp_path, shell, monkeypatch, capfd):
    for verb in ("plan", "rows", "collect", "show", "score"):
        import_module(f"byrote.cli.verbs.{verb}")  # once, for all forks

    def run(script, **environment):
        done = shell(tmp_path, "bash", "-eu", "-c", script, **environment)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    code = [text for kind, text in BLOCKS if kind == "python"]
    (tmp_path / "train.py").write_text(code[0])
    printed = [run(text) for kind, text in BLOCKS if kind == "bash"]
    _data, planned, _made, shown, _array, scored = printed
    assert "runs/mine waits for 8 of 8 fits" in planned
    assert "Missing: 4." in shown
    assert "8 of 8 fits are there." in shown
    assert "WARNING" not in shown
    table = re.compile(r"^memorized .*?(?=^Mean log p|^x.npy · |\Z)", re.MULTILINE | re.DOTALL)
    assert table.search(shown)[0] == table.search(scored)[0]  # the same bits, both ways

    script = (tmp_path / "array.sh").read_text()
    assert "#SBATCH --array=0-7\n" in script
    for fit in ("7", "0"):
        run(script, SLURM_ARRAY_TASK_ID=fit)
    run = byrote.open_run(tmp_path / "runs" / "array")
    assert (run.design.fits, run.missing) == (8, (1, 2, 3, 4, 5, 6))

    monkeypatch.chdir(tmp_path)
    outputs = []
    for example in code[1:]:
        exec(example, {})
        outputs.append(capfd.readouterr().out)
    assert "1 record (0.5%) is memorized" in outputs[0]
    found = re.search(r"^\d+ records? .* rate", shown, flags=re.MULTILINE)[0]
    assert found in outputs[1]


def test_the_page_names_what_there_is():
    from byrote.models.external import _PLACEHOLDERS

    section = PAGE[PAGE.index("## Started by byrote") :]
    assert set(re.findall(r"\{(\w+)\}", section)) == {*_PLACEHOLDERS}
