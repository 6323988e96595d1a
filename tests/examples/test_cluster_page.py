"""docs/cluster.md, followed to the letter: its script, its commands, its job array."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

import byrote

from forks import ended, forked
from pages import ROOT, text_of

PAGE = text_of("docs/cluster.md")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


CLIENT = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [json.dumps([os.getcwd(), *sys.argv[1:]]).encode()], [1])
    sys.exit(int(server.recv(8)))
"""


VERBS = ("plan", "rows", "collect", "show", "score")


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Run a script by bash; its byrote commands run in forks of this process, to be quick."""
    for verb in VERBS:
        import_module(f"byrote.cli.verbs.{verb}")
    commands = tmp_path / "commands"
    commands.mkdir()
    address = str(commands / "socket")
    (commands / "byrote").write_text(CLIENT.format(python=sys.executable, address=address))
    (commands / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    for name in ("byrote", "python"):
        (commands / name).chmod(0o755)
    path = os.pathsep.join([str(commands), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        server.settimeout(0.05)

        def run(script, **environment):
            process = subprocess.Popen(
                ["bash", "-eu", "-c", script],
                cwd=tmp_path,
                env={**variables, "OMP_NUM_THREADS": "1", **environment},
                stdout=subprocess.PIPE,  # which holds what is printed here
                stderr=subprocess.STDOUT,
                text=True,
            )
            while process.poll() is None:
                with suppress(TimeoutError):
                    answer(server.accept()[0])
            text = process.communicate()[0]
            assert process.returncode == 0, f"{script}\n{text}"
            return text

        yield run


def answer(client):
    """Run the command that a client asks for, with the client's standard output."""
    with client:
        message, files, _, _ = socket.recv_fds(client, 1 << 16, 1)
        folder, *words = json.loads(message)
        output = os.dup(files[0])
        child = forked(*words, folder=folder, stdout=f"/dev/fd/{output}")
        code, errors = ended(child, Path(folder))
        for descriptor in (output, *files):
            os.close(descriptor)
        assert code in (0, 4), errors
        client.sendall(str(code).encode())


@pytest.mark.skipif(os.name != "posix", reason="needs bash")
def test_the_page_is_followed_to_the_letter(tmp_path, shell, monkeypatch, capfd):
    code = [text for kind, text in BLOCKS if kind == "python"]
    (tmp_path / "train.py").write_text(code[0])
    printed = [shell(text) for kind, text in BLOCKS if kind == "bash"]
    _data, planned, _made, shown, _array, scored = printed
    assert "runs/mine waits for 6 of 6 fits" in planned
    assert "Missing: 4." in shown
    assert "6 of 6 fits are there." in shown
    assert "WARNING" not in shown
    table = re.compile(r"^memorized .*?(?=^Mean log p|^x.npy · |\Z)", re.MULTILINE | re.DOTALL)
    assert table.search(shown)[0] == table.search(scored)[0]  # the same bits, both ways

    script = (tmp_path / "array.sh").read_text()
    assert "#SBATCH --array=6-7\n" in script
    for fit in ("7", "6"):
        shell(script, SLURM_ARRAY_TASK_ID=fit)
    run = byrote.open_run(tmp_path / "runs" / "mine")
    assert (run.design.fits, run.missing) == (8, ())

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
