"""A shell whose byrote commands run in forks of this process, to be quick."""

import json
import os
import shlex
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from forks import ended, forked

ROOT = Path(__file__).parents[2]
CLIENT = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [json.dumps([os.getcwd(), *sys.argv[1:]]).encode()], [1])
    sys.exit(int(server.recv(8)))
"""


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Run a command in a folder, as subprocess.run does, with the commands of this environment."""
    commands = tmp_path / "commands"
    commands.mkdir()
    address = str(commands / "socket")
    (commands / "byrote").write_text(CLIENT.format(python=sys.executable, address=address))
    (commands / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    for name in ("byrote", "python"):
        (commands / name).chmod(0o755)
    path = os.pathsep.join([str(commands), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    # As if no make had called these tests: one below another also prints where it is.
    inherited = {k: v for k, v in os.environ.items() if k not in ("MAKELEVEL", "MAKEFLAGS")}
    variables = {**inherited, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        server.settimeout(0.05)

        def run(folder, *command, **environment):
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**variables, **environment},
                stdout=subprocess.PIPE,  # which holds what is printed here
                stderr=subprocess.PIPE,
                text=True,
            )
            while process.poll() is None:
                with suppress(TimeoutError):
                    _answer(server.accept()[0])
            output = process.communicate()
            return subprocess.CompletedProcess(command, process.returncode, *output)

        yield run


def _answer(client):
    """Run the command that a client asks for, with the client's standard output."""
    with client:
        message, files, _, _ = socket.recv_fds(client, 1 << 16, 1)
        folder, *words = json.loads(message)
        output = os.dup(files[0])
        child = forked(*words, folder=folder, stdout=f"/dev/fd/{output}")
        code, errors = ended(child, Path(folder))
        sys.stderr.write(errors)  # shown where a test fails
        for descriptor in (output, *files):
            os.close(descriptor)
        client.sendall(str(code).encode())


@pytest.fixture
def own_module(monkeypatch):
    """Import classes from files of the current folder, as a fresh shell would."""
    sys.modules.pop("mine", None)
    monkeypatch.syspath_prepend(".")
    yield
    sys.modules.pop("mine", None)
