"""A shell whose byrote and python commands run in forks of this process, to be quick."""

import json
import os
import runpy
import shlex
import socket
import subprocess
import sys
import traceback
from contextlib import suppress
from pathlib import Path

import pytest

from byrote.cli import main

from forks import ended, forked

ROOT = Path(__file__).parents[2]
CLIENT = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    program = os.path.basename(sys.argv[0])
    message = json.dumps([program, os.getcwd(), *sys.argv[1:]])
    socket.send_fds(server, [message.encode()], [1])
    sys.exit(int(server.recv(8)))
"""


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Run a command in a folder, as subprocess.run does, with the commands of this environment."""
    served, plain = tmp_path / "served", tmp_path / "plain"
    address = str(tmp_path / "socket")
    client = CLIENT.format(python=sys.executable, address=address)
    interpreter = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'
    for folder, contents in (
        (served, {"byrote": client, "python": client}),
        (plain, {"python": interpreter}),  # where nobody answers
    ):
        folder.mkdir()
        for name, content in contents.items():
            (folder / name).write_text(content)
            (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(plain), os.environ["PATH"]]))
    # As if no make had called these tests: one below another also prints where it is.
    inherited = {k: v for k, v in os.environ.items() if k not in ("MAKELEVEL", "MAKEFLAGS")}
    path = os.pathsep.join([str(served), inherited["PATH"]])
    source = {"PATH": path, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    variables = {**inherited, **source}
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
            answering = []
            while process.poll() is None:
                with suppress(TimeoutError):
                    answering.append(_answer(server.accept()[0], path))
            for child in answering:
                os.waitpid(child, 0)
            output = process.communicate()
            return subprocess.CompletedProcess(command, process.returncode, *output)

        yield run


def _answer(client, path):
    """Run the command that a client asks for in a fork, which may be a client itself."""
    with client:
        child = os.fork()
        if child:
            return child
        try:
            os.environ["PATH"] = path
            _run_for(client)
        finally:
            os._exit(0)


def _run_for(client):
    """Run the command that a client asks for, with the client's standard output."""
    message, files, _, _ = socket.recv_fds(client, 1 << 16, 1)
    program, folder, *words = json.loads(message)
    run = {"byrote": main, "python": interpret}[program]
    child = forked(*words, folder=folder, stdout=f"/dev/fd/{files[0]}", run=run)
    code, errors = ended(child, Path(folder))
    sys.stderr.write(errors)  # shown where a test fails
    sys.stderr.flush()
    client.sendall(str(code).encode())


def interpret():
    """Run a program, or the one after -c, as a new interpreter would."""
    del sys.argv[0]
    try:
        if sys.argv[0] == "-c":
            exec(sys.argv[1], {"__name__": "__main__"})
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    sys.exit(0)


@pytest.fixture
def own_module(monkeypatch):
    """Import classes from files of the current folder, as a fresh shell would."""
    sys.modules.pop("mine", None)
    monkeypatch.syspath_prepend(".")
    yield
    sys.modules.pop("mine", None)
